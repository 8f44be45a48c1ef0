//! Promise 2: what is decided is what is forwarded, byte for byte; what has no canonical form is
//! refused. Here: the path, over raw sockets.

use edgeward_tests::h2_raw::{self, Outcome};
use edgeward_tests::keys::FRONTEND;
use edgeward_tests::raw::Request;
use edgeward_tests::stage::Stage;
use proptest::prelude::*;

use crate::stage;

/// What is sent, and what must be decided on and forwarded.
const ACCEPTED: [(&str, &str); 14] = [
    ("/canonical/1", "/canonical/1"),
    ("/canonical/", "/canonical/"),
    ("/canonical/a%2Db", "/canonical/a-b"),
    ("/canonical/%7euser", "/canonical/~user"),
    ("/canonical/caf%c3%a9", "/canonical/caf%C3%A9"),
    ("/canonical/a%20b", "/canonical/a%20b"),
    ("/canonical/%252e%252e/b", "/canonical/%252e%252e/b"),
    ("/canonical/a;v=1/b", "/canonical/a;v=1/b"),
    ("/canonical/...", "/canonical/..."),
    ("/canonical/..a/.b", "/canonical/..a/.b"),
    ("/canonical?", "/canonical?"),
    ("/canonical?x=1&x=2&y", "/canonical?x=1&x=2&y"),
    ("/canonical?next=/../admin", "/canonical?next=/../admin"),
    ("/canonical?q=a%2fb", "/canonical?q=a%2fb"),
];

/// What is refused, and the filter's code where Envoy does not refuse it first.
const REFUSED: [(&str, &str); 37] = [
    ("//refused", "request-path-empty-segment"),
    ("//refused/admin", "request-path-empty-segment"),
    ("/refused//b", "request-path-empty-segment"),
    ("/refused///", "request-path-empty-segment"),
    ("/\\refused", "request-path-backslash"),
    ("/refused\\..\\b", "request-path-backslash"),
    ("/refused/../b", "request-path-dot-segment"),
    ("/refused/./b", "request-path-dot-segment"),
    ("/refused/..", "request-path-dot-segment"),
    ("/refused/.", "request-path-dot-segment"),
    ("/refused/%2e%2e/b", "request-path-dot-segment"),
    ("/refused/%2E%2E/b", "request-path-dot-segment"),
    ("/refused/.%2e/b", "request-path-dot-segment"),
    ("/refused/%2e/b", "request-path-dot-segment"),
    ("/refused/..;/b", "request-path-dot-segment"),
    ("/refused/..;a=1/b", "request-path-dot-segment"),
    ("/refused/%2e%2e;/b", "request-path-dot-segment"),
    ("/refused%2fb", "request-path-encoded-slash"),
    ("/refused%2Fb", "request-path-encoded-slash"),
    ("/refused/..%2fb", "request-path-encoded-slash"),
    ("/refused%5cb", "request-path-encoded-slash"),
    ("/refused%5Cb", "request-path-encoded-slash"),
    ("/refused%", "request-path-encoding"),
    ("/refused%4", "request-path-encoding"),
    ("/refused%zz", "request-path-encoding"),
    ("/refused%00", "request-path-encoding"),
    ("/refused%0d%0ax:y", "request-path-encoding"),
    ("/refused%7f", "request-path-encoding"),
    ("/refused%ff", "request-path-encoding"),
    ("/refused%c0%af", "request-path-encoding"),
    ("/refused#/admin", "request-path-fragment"),
    ("/refused#", "request-path-fragment"),
    ("/refused?a#b", "request-query-invalid"),
    ("/refused?a=%00", "request-query-invalid"),
    ("refused", "request-path-not-absolute"),
    ("*refused", "request-path-not-absolute"),
    ("?refused", "request-path-not-absolute"),
];

/// The path that the PDP was last asked about, for paths that contain `part`.
fn decided(stage: &Stage, part: &str) -> Option<String> {
    let asked = stage.tap.asked(part);
    let path = &asked.last()?["resource"]["properties"]["path"];
    path.as_str().map(str::to_owned)
}

fn path_of(target: &[u8]) -> String {
    let path = target
        .split(|byte| *byte == b'?')
        .next()
        .unwrap_or_default();
    String::from_utf8(path.to_vec()).expect("a forwarded path is ASCII")
}

#[test]
fn the_path_decided_on_is_the_path_forwarded() {
    let stage = stage();
    for (sent, expected) in ACCEPTED {
        let reply = stage.send(&stage.allowed(sent));
        assert_eq!(reply.status, 200, "{sent}: {}", reply.text());
        let line = format!("GET {expected} HTTP/1.1");
        assert_eq!(reply.json()["line"], line.as_str(), "{sent}");
        let path = path_of(expected.as_bytes());
        assert_eq!(decided(stage, &path), Some(path), "{sent}");
    }
}

#[test]
fn a_path_without_one_canonical_form_is_refused() {
    let stage = stage();
    for (sent, code) in REFUSED {
        let reply = stage.send(&stage.allowed(sent));
        assert_eq!(reply.status, 400, "{sent}: {}", reply.text());
        // Envoy refuses some of these itself, with no code.
        let code_given = reply.code();
        assert!(
            code_given.is_empty() || code_given == code,
            "{sent}: {code_given}"
        );
    }
    assert!(stage.upstream.seen("refused").is_empty());
    assert!(stage.tap.asked("refused").is_empty());
}

#[test]
fn a_path_with_raw_bytes_that_no_url_has_is_refused() {
    let stage = stage();
    for byte in (0x80..=0xff_u8).chain([0x01, 0x08, 0x0b, 0x1f, 0x7f]) {
        let mut target = b"/raw-byte/".to_vec();
        target.push(byte);
        let reply = stage.send(&stage.allowed(target));
        assert_eq!(reply.status, 400, "byte {byte:#x}: {}", reply.text());
    }
    assert!(stage.upstream.seen("raw-byte").is_empty());
}

#[test]
fn the_absolute_form_is_decided_and_forwarded_as_what_it_names() {
    let stage = stage();
    let request = stage
        .allowed("http://named.test/absolute-form?x=1")
        .host("other.test");
    let reply = stage.send(&request);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = stage.upstream.seen("absolute-form");
    assert_eq!(seen[0].target(), b"/absolute-form?x=1");
    assert_eq!(seen[0].header("host"), ["named.test"]);
    let asked = stage.tap.asked("/absolute-form");
    assert_eq!(asked[0]["resource"]["id"], "named.test");
    for target in [
        "http://named.test/absolute-bad/../x",
        "http://named.test//absolute-bad",
    ] {
        assert_eq!(stage.send(&stage.allowed(target)).status, 400, "{target}");
    }
    assert!(stage.upstream.seen("absolute-bad").is_empty());
}

#[test]
fn the_asterisk_and_connect_never_reach_the_upstream() {
    let stage = stage();
    let before = stage.upstream.seen("starred").len();
    let token = stage.keys.jwt_svid(FRONTEND);
    for (method, target) in [
        ("GET", "*"),
        ("OPTIONS", "*"),
        ("CONNECT", "starred.test:443"),
    ] {
        let reply = stage.send(
            &Request::new(method, target)
                .host("starred.test")
                .bearer(&token),
        );
        assert!(
            (400..500).contains(&reply.status),
            "{method} {target}: {}",
            reply.status
        );
    }
    assert_eq!(stage.upstream.seen("starred").len(), before);
}

#[test]
fn an_http2_path_that_http1_could_not_carry_is_refused() {
    let stage = stage();
    let token = format!("Bearer {}", stage.keys.jwt_svid(FRONTEND));
    let paths = [
        "h2path/Method",
        "*",
        "/h2path/../x",
        "//h2path",
        "/h2path#x",
        "/h2path\\x",
        "",
    ];
    for path in paths {
        let outcome = h2_raw::request(
            stage.envoy.address(),
            &[
                (":method", b"GET"),
                (":scheme", b"http"),
                (":authority", b"shop.test"),
                (":path", path.as_bytes()),
                ("authorization", token.as_bytes()),
            ],
        );
        let outcome = outcome.expect("a connection");
        assert!(
            matches!(outcome, Outcome::Refused | Outcome::Status(400 | 404)),
            "{path}: {outcome:?}"
        );
    }
    assert!(stage.upstream.seen("h2path").is_empty());
    let fine = h2_raw::request(
        stage.envoy.address(),
        &[
            (":method", b"GET"),
            (":scheme", b"http"),
            (":authority", b"shop.test"),
            (":path", b"/h2-fine"),
            ("authorization", token.as_bytes()),
        ],
    );
    assert_eq!(fine.expect("a connection"), Outcome::Status(200));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_spelling_of_a_path_is_decided_as_one_and_forwarded_as_another(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "/", "a", "forbidden", ".", "..", "%2e", "%2E", "%2f", "%2F", "%5c", "\\", ";",
                "%25", "%61", "%41", "~", "%7E", "?", "#", "&", "=", "+", "%00", "%c3%a9", "//",
            ]),
            0..8,
        ),
    ) {
        let stage = stage();
        let id: u64 = rand_id();
        let target = format!("/random-{id}/{}", pieces.concat());
        let reply = stage.send(&stage.allowed(&target));
        let marker = format!("/random-{id}/");
        let seen = stage.upstream.seen(&marker);
        if reply.status == 200 {
            prop_assert_eq!(seen.len(), 1);
            prop_assert_eq!(decided(stage, &marker), Some(path_of(seen[0].target())));
        } else {
            prop_assert!(seen.is_empty(), "{} reached the upstream", target);
        }
    }
}

/// A number that no other case of this run has.
fn rand_id() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

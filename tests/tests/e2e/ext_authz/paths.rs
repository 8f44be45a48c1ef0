//! Promise 2: what is decided is what is forwarded, byte for byte. This door does not rewrite: what
//! is not spelt in its canonical form is refused.

use edgeward_tests::h2_raw::{self, Outcome};
use edgeward_tests::keys::FRONTEND;
use proptest::prelude::*;

use super::door;

/// Forwarded as they came.
pub(super) const CANONICAL: [&str; 10] = [
    "/passes/1",
    "/passes/",
    "/passes/caf%C3%A9",
    "/passes/a%20b",
    "/passes/%252e%252e/b",
    "/passes/a;v=1/b",
    "/passes/...",
    "/passes?",
    "/passes?x=1&x=2&y",
    "/passes?next=/../admin&q=a%2fb",
];

/// Refused, and the code where Envoy does not refuse it first.
pub(super) const REFUSED: [(&str, &str); 27] = [
    ("//refused", "request-path-empty-segment"),
    ("//refused/admin", "request-path-empty-segment"),
    ("/refused//b", "request-path-empty-segment"),
    ("/\\refused", "request-path-backslash"),
    ("/refused/../b", "request-path-dot-segment"),
    ("/refused/%2e%2e/b", "request-path-dot-segment"),
    ("/refused/%2E%2E/b", "request-path-dot-segment"),
    ("/refused/.%2e/b", "request-path-dot-segment"),
    ("/refused/..;/b", "request-path-dot-segment"),
    ("/refused%2fb", "request-path-encoded-slash"),
    ("/refused%2Fb", "request-path-encoded-slash"),
    ("/refused%5cb", "request-path-encoded-slash"),
    ("/refused%5Cb", "request-path-encoded-slash"),
    ("/refused%", "request-path-encoding"),
    ("/refused%zz", "request-path-encoding"),
    ("/refused%00", "request-path-encoding"),
    ("/refused%ff", "request-path-encoding"),
    ("/refused%c0%af", "request-path-encoding"),
    ("/refused#/admin", "request-path-fragment"),
    ("/refused?a#b", "request-query-invalid"),
    ("/refused?a=%00", "request-query-invalid"),
    ("refused", "request-path-not-absolute"),
    ("*refused", "request-path-not-absolute"),
    ("/%66orbidden/refused", "request-not-canonical"),
    ("/refused/a%2Db", "request-not-canonical"),
    ("/refused/caf%c3%a9", "request-not-canonical"),
    ("/refused/{a}", "request-not-canonical"),
];

#[test]
fn the_path_that_ext_authz_decided_on_is_the_path_forwarded() {
    let door = door();
    for target in CANONICAL {
        let reply = door.send(&door.allowed(target));
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        assert_eq!(reply.json()["line"], format!("GET {target} HTTP/1.1"));
    }
}

#[test]
fn a_path_that_is_not_in_its_one_canonical_form_is_refused_by_ext_authz() {
    let door = door();
    for (target, code) in REFUSED {
        let reply = door.send(&door.allowed(target));
        assert_eq!(reply.status, 400, "{target}: {}", reply.text());
        // Envoy refuses some of these itself, with no code.
        let given = reply.code();
        assert!(given.is_empty() || given == code, "{target}: {given}");
    }
    for byte in (0x80..=0xff_u8).chain([0x01, 0x7f]) {
        let reply = door.send(&door.allowed([b"/refused-", &[byte][..]].concat()));
        assert_eq!(reply.status, 400, "byte {byte:#x}: {}", reply.text());
    }
    assert!(door.upstream.seen("refused").is_empty());
}

#[test]
fn a_query_or_fragment_never_makes_a_path_public_for_ext_authz() {
    let door = door();
    for target in [
        "/forbidden?x=/public",
        "/forbidden?/public",
        "/forbidden/x?a=1&b=/public",
    ] {
        let reply = door.send(&door.allowed(target));
        door.assert_refused(&reply, 403, "no-rule-allows", "/forbidden");
    }
}

#[test]
fn a_prefix_ends_at_a_segment_for_ext_authz() {
    let door = door();
    let reply = door.send(&door.allowed("/forbidden/x"));
    door.assert_refused(&reply, 403, "no-rule-allows", "/forbidden");
    let reply = door.send(&door.allowed("/forbidding"));
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn a_host_in_another_spelling_is_refused_by_ext_authz() {
    let door = door();
    let reply = door.send(&door.allowed("/host-1").host("forbidden.test"));
    door.assert_refused(&reply, 403, "no-rule-allows", "/host-1");
    let reply = door.send(&door.allowed("/host-1").host("forbidden.test:8080"));
    door.assert_refused(&reply, 403, "no-rule-allows", "/host-1");
    for host in ["FORBIDDEN.test", "forbidden.test.", "Forbidden.Test:8080"] {
        let reply = door.send(&door.allowed("/host-1").host(host));
        door.assert_refused(&reply, 400, "request-not-canonical", "/host-1");
    }
    for host in ["a..test", "forbidden.test:080", "127.1", "a%2e.test"] {
        let reply = door.send(&door.allowed("/host-1").host(host));
        assert_eq!(reply.status, 400, "{host}: {}", reply.text());
    }
    assert!(door.upstream.seen("/host-1").is_empty());
}

#[test]
fn an_http2_path_without_a_leading_slash_never_passes_ext_authz() {
    let door = door();
    let token = format!("Bearer {}", door.keys.jwt_svid(FRONTEND));
    let send = |path: &str| {
        let fields: [(&str, &[u8]); 5] = [
            (":method", b"GET"),
            (":scheme", b"http"),
            (":authority", b"shop.test"),
            (":path", path.as_bytes()),
            ("authorization", token.as_bytes()),
        ];
        h2_raw::request(door.envoy.address(), &fields).expect("a connection")
    };
    for path in [
        "h2path/Method",
        "*",
        "/h2path/../x",
        "//h2path",
        "/h2path#x",
        "http://a/h2path",
        "",
    ] {
        let outcome = send(path);
        let refused = matches!(outcome, Outcome::Refused | Outcome::Status(400 | 404));
        assert!(refused, "{path}: {outcome:?}");
    }
    assert!(door.upstream.seen("h2path").is_empty());
    assert_eq!(send("/h2-fine"), Outcome::Status(200));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_spelling_of_a_path_passes_ext_authz_as_another(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "/", "a", "forbidden", ".", "..", "%2e", "%2E", "%2f", "%2F", "%5c", "\\", ";",
                "%25", "%61", "%41", "~", "%7E", "?", "#", "&", "=", "+", "%00", "%C3%A9", "//",
            ]),
            0..8,
        ),
        id in any::<u64>(),
    ) {
        let door = door();
        let target = format!("/random-{id}/{}", pieces.concat());
        let reply = door.send(&door.allowed(&target));
        let seen = door.upstream.seen(&format!("/random-{id}/"));
        if reply.status == 200 {
            prop_assert_eq!(seen.len(), 1);
            prop_assert_eq!(seen[0].target(), target.as_bytes());
        } else {
            prop_assert!(seen.is_empty(), "{} reached the upstream", target);
        }
    }
}

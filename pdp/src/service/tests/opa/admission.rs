//! Who is let in: by a token, by `data.system.authz.allow`, and as OPA itself does it.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::harness::{Answer, Pdp, exchange, settings};
use super::oracle::Opa;
use super::{FILES, open};
use crate::service::{Authorization, OpaApi};

const AUTHORIZER: &str = r#"package system.authz
import rego.v1
allow if input.identity == "alice"
allow := {"allowed": true} if input.identity == "object"
allow := {"allowed": false, "reason": "not today"} if input.identity == "reason"
allow := {"allowed": false} if input.identity == "no"
allow := {"allowed": "true"} if input.identity == "text"
allow := {"strange": true} if input.identity == "strange"
allow := 7 if input.identity == "number"
allow if input.identity == "conflict"
allow := false if input.identity == "conflict"
allow if { input.path == ["v1", "data", "a", "b", "allow"]; input.body.input.user == "x" }
allow if { input.headers["X-Edge-Name"][1] == "two"; input.params.k == ["1", "2 3"]; input.method == "GET" }
allow := {"allowed": false, "reason": json.marshal(input)} if input.identity == "show"
"#;

fn files() -> Vec<(&'static str, &'static str)> {
    let mut files = FILES.to_vec();
    files.push(("authorizer.rego", AUTHORIZER));
    files
}

fn guarded(files: &[(&str, &str)], api: OpaApi) -> Pdp {
    let mut settings = settings();
    settings.opa_api = Some(api);
    Pdp::with_files(files, settings)
}

fn basic() -> OpaApi {
    OpaApi {
        authorization: Authorization::Basic,
        queries: true,
        ..open()
    }
}

#[test]
fn without_a_configured_token_nothing_is_answered_and_no_body_is_read() {
    let api = OpaApi {
        token_digests: vec![Sha256::digest("one").into(), Sha256::digest("two").into()],
        ..open()
    };
    let pdp = guarded(FILES, api);
    let doors = [
        ("POST", "/v1/data/a/b/allow"),
        ("GET", "/v1/data"),
        ("POST", "/v0/data/a/b/allow"),
        ("POST", "/"),
        ("GET", "/v1/policies"),
        ("GET", "/v1/config"),
        ("GET", "/v1/status"),
        ("GET", "/health"),
        ("PUT", "/v1/policies/x"),
        ("POST", "/v1/query"),
    ];
    for (method, path) in doors {
        for shown in [
            &[][..],
            &["Bearer three"],
            &["Basic one"],
            &["Bearer one", "Bearer one"],
        ] {
            let headers: Vec<_> = shown
                .iter()
                .map(|value| ("authorization", *value))
                .collect();
            let reply = exchange(pdp.connect(), method, path, &headers, b"not JSON");
            assert_eq!(
                reply.status, 401,
                "{method} {path} {shown:?}: {}",
                reply.body
            );
            assert_eq!(reply.json()["code"], "unauthorized");
            assert_eq!(
                reply.header("www-authenticate"),
                Some("Bearer realm=\"edgeward\"")
            );
        }
        let headers = [("authorization", "Bearer two")];
        let reply = exchange(pdp.connect(), method, path, &headers, b"{}");
        assert_ne!(reply.status, 401, "{method} {path}");
    }
}

#[test]
fn where_the_authorizer_says_nothing_or_cannot_say_it_nobody_is_let_in() {
    let broken =
        "package system.authz\nimport rego.v1\nallow if count(numbers.range(1, 100000000)) > 0\n";
    for extra in [
        None,
        Some(("authorizer.rego", broken)),
        Some(("authorizer.rego", "package system.authz\nother := true\n")),
    ] {
        let mut files = FILES.to_vec();
        files.extend(extra);
        let pdp = guarded(&files, basic());
        for (method, path) in [
            ("POST", "/v1/data/a/b/allow"),
            ("GET", "/v1/policies"),
            ("GET", "/health"),
        ] {
            let reply = exchange(pdp.connect(), method, path, &[], b"{}");
            assert_eq!(
                reply.status, 500,
                "{extra:?} {method} {path}: {}",
                reply.body
            );
        }
    }
}

const CALLS: [(&str, &str, &str); 10] = [
    ("POST", "/v1/data/a/b/allow", r#"{"input":{"user":"x"}}"#),
    ("POST", "/v1/data/a/b/allow", r#"{"input":{"user":"y"}}"#),
    ("GET", "/v1/data/a/b/allow?k=1&k=2+3", ""),
    ("POST", "/v0/data/a/b/allow", r#"{"user":"x"}"#),
    ("POST", "/", r#"{"user":"x"}"#),
    ("GET", "/v1/policies/none", ""),
    ("GET", "/health", ""),
    ("GET", "/v1/query?q=x:=1", ""),
    ("POST", "/v1/query", r#"{"query":"x := 1"}"#),
    ("POST", "/v1/data/odd/we%20ird", ""),
];

#[test]
fn opa_itself_lets_the_same_in_and_tells_its_authorizer_the_same() {
    let flags = ["--authentication=token", "--authorization=basic"];
    let Some(opa) = Opa::start(&files(), &flags) else {
        return;
    };
    let pdp = guarded(&files(), basic());
    let identities = [
        "", "alice", "object", "reason", "no", "text", "strange", "number", "conflict", "show",
    ];
    for (method, path, body) in CALLS {
        for identity in identities {
            let token = format!("Bearer {identity}");
            let mut headers = vec![("x-edge-name", "one"), ("X-EDGE-NAME", "two")];
            if !identity.is_empty() {
                headers.push(("authorization", &token));
            }
            let theirs = exchange(opa.connect(), method, path, &headers, body.as_bytes());
            let mine = exchange(pdp.connect(), method, path, &headers, body.as_bytes());
            assert_eq!(
                said(&mine),
                said(&theirs),
                "{method} {path} {body} as {identity:?}"
            );
        }
    }
}

#[test]
fn the_authorizer_is_told_the_names_that_are_read_however_they_are_spelt() {
    let pdp = guarded(&files(), basic());
    for (path, names) in [
        ("/v1/data/base/a%2Fb", &["v1", "data", "base", "a/b"][..]),
        ("/v1/data/%62ase/a%2fb/", &["v1", "data", "base", "a/b"]),
        ("/v1/data//base///0", &["v1", "data", "base", "0"]),
        ("/v1/data", &["v1", "data"]),
        (
            "/v1/policies/shop%2fa.rego",
            &["v1", "policies", "shop", "a.rego"],
        ),
        (
            "/v1/policies/shop/a.rego",
            &["v1", "policies", "shop", "a.rego"],
        ),
        ("/v1/policies", &["v1", "policies"]),
        ("/health", &["health"]),
    ] {
        let headers = [("authorization", "Bearer show")];
        let reply = exchange(pdp.connect(), "GET", path, &headers, b"");
        let (_, _, input) = said(&reply);
        assert_eq!(input["path"], json!(names), "{path}");
    }
}

/// Status, code and, where the authorizer gave it, the reason.
fn said(answer: &Answer) -> (u16, Value, Value) {
    let body = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    let message = body["message"].as_str().unwrap_or_default();
    let reason = if answer.status == 401 {
        serde_json::from_str(message).unwrap_or_else(|_| json!(message))
    } else {
        Value::Null
    };
    (answer.status, body["code"].clone(), reason)
}

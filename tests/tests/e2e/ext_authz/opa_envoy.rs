//! A policy that was written for opa-envoy-plugin, behind an Envoy that is set up as for that plugin: the
//! PDP in its place.

use edgeward_tests::envoy::Envoy;
use edgeward_tests::keys::Keys;
use edgeward_tests::pdp::Pdp;
use edgeward_tests::raw::Request;
use edgeward_tests::setup::Setup;
use edgeward_tests::upstream::Upstream;
use serde_json::json;
use tempfile::TempDir;

use super::{Door, filter, patient, write_policy};
use std::sync::Arc;

/// The package and the entry point of the plugin's own examples.
const POLICY: &str = r#"package envoy.authz

import input.attributes.request.http

allow := {
	"allowed": false, "http_status": 402, "body": "not for you", "headers": {"x-why": "policy"},
	"dynamic_metadata": {"body": input.parsed_body},
} if {
	not permitted
}

allow := {
	"allowed": true,
	"headers": {"x-user": user, "x-role": ["a", "b"], "x-edgeward-subject": "policy"},
	"response_headers_to_add": {"x-served-by": "edge", "set-cookie": ["c=1", "d=2"]},
	"request_headers_to_remove": ["x-secret"],
	"query_parameters_to_set": {"by": user},
	"query_parameters_to_remove": ["debug"],
} if {
	permitted
}

permitted if {
	http.method == "POST"
	input.parsed_path == ["people", "7"]
	"en" in input.parsed_query.lang
	input.parsed_body.name == "bob"
	user
}

user := io.jwt.decode(trim_prefix(http.headers.authorization, "Bearer "))[1].name
"#;

/// `{"alg":"none"}` and `{"name":"alice"}`, signed by nobody: how the policy reads it is its own affair.
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJuYW1lIjoiYWxpY2UifQ.AA";

fn door() -> Door {
    let policies = TempDir::with_prefix("edgeward-policy").expect("a temporary folder");
    write_policy(policies.path(), POLICY);
    let mut pdp = Pdp::prepare(
        &json!({
            "ext_authz": { "dialect": "opa-envoy" },
            "policies": {
                "directory": policies.path(), "entrypoint": "data.envoy.authz.allow",
                "evaluation_timeout": "5s",
            },
        }),
        policies.path(),
    );
    pdp.run();
    let upstream = Upstream::start();
    // As that plugin's documentation has it.
    let setup = filter(patient(Setup::ext_authz()), |filter| {
        filter["encode_raw_headers"] = json!(false);
        // Whatever is no answer would be an allow.
        filter["failure_mode_allow"] = json!(true);
        filter["with_request_body"] =
            json!({ "max_request_bytes": 8192, "allow_partial_message": true });
    });
    let setup = setup
        .cluster("edgeward_pdp", pdp.address())
        .cluster("upstream", upstream.address());
    Door {
        envoy: Envoy::start(&setup),
        keys: Arc::new(Keys::generate()),
        pdp,
        upstream,
        policies,
    }
}

#[test]
fn a_policy_of_opa_envoy_decides_in_envoy_as_behind_that_plugin() {
    let door = door();
    let post = |target: &str, body: &str| {
        Request::new("POST", target)
            .bearer(TOKEN)
            .header("Content-Type", "application/json")
            .header("X-User", "mallory")
            .header("X_User", "mallory")
            .header("X-Secret", "s")
            .header("X_Secret", "s")
            .header("X-Role", "mallory")
            .header("X-Edgeward-Subject", "mallory")
            .body(body)
    };
    let target = "/people/7?lang=de&lang=en&debug=1";
    let reply = door.send(&post(target, r#"{"name": "bob"}"#));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("x-served-by").as_deref(), Some("edge"));
    let cookies: Vec<_> = reply
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .collect();
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    let seen = door.upstream.seen("/people/7");
    let seen = seen.first().expect("it was forwarded");
    assert_eq!(seen.header("x-user"), ["alice"]);
    assert_eq!(seen.header("x_user"), [""; 0]);
    assert_eq!(seen.header("x-secret"), [""; 0]);
    assert_eq!(seen.header("x_secret"), [""; 0]);
    assert_eq!(seen.header("x-role").join(","), "a,b");
    assert_eq!(seen.header("x-edgeward-subject"), ["policy"]);
    assert_eq!(seen.header("x-edgeward-decision-id").len(), 1);
    assert_eq!(seen.header("authorization"), [format!("Bearer {TOKEN}")]);
    let forwarded = String::from_utf8_lossy(seen.target()).into_owned();
    assert!(
        forwarded.contains("by=alice") && !forwarded.contains("debug"),
        "{forwarded}"
    );

    for (target, body) in [
        ("/people/8?lang=en", r#"{"name": "bob"}"#),
        ("/people/7?lang=de", r#"{"name": "bob"}"#),
        (target, r#"{"name": "eve"}"#),
    ] {
        let reply = door.send(&post(target, body));
        let got = (reply.status, reply.text(), reply.header("x-why"));
        let expected = (402, "not for you".to_owned(), Some("policy".to_owned()));
        assert_eq!(got, expected, "{target} {body}");
        assert!(reply.header("x-edgeward-decision-id").is_some());
    }
    for (target, body) in [("//people/7?lang=en", "{}"), (target, r#"{"name": "#)] {
        let reply = door.send(&post(target, body));
        assert_eq!(reply.status, 400, "{target} {body}: {}", reply.text());
    }
    // Metadata that Envoy could not read.
    let deep = format!("{}1{}", r#"{"a":"#.repeat(40), "}".repeat(40));
    let reply = door.send(&post("/people/8", &deep));
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert_eq!(reply.code(), "policy-result-invalid");
    assert_eq!(door.upstream.count(), 1);
}

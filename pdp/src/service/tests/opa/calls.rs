//! What is answered, and what is refused in which words.

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::harness::{Pdp, exchange, settings};
use super::{answer, call, open, serving};
use crate::service::REVOCATIONS_PATH;

#[test]
fn a_document_comes_with_an_id_and_an_undefined_one_without_a_result() {
    let pdp = serving();
    let allowed = call(
        &pdp,
        "POST",
        "/v1/data/a/b/allow",
        r#"{"input":{"user":"x"}}"#,
    )
    .json();
    assert_eq!(allowed["result"], true);
    assert_eq!(allowed["decision_id"].as_str().unwrap().len(), 36);
    let undefined = answer(&pdp, "/v1/data/a/b/undef", Some(r#"{"input":{}}"#));
    assert_eq!(undefined, (200, json!({})));
    assert_eq!(
        answer(&pdp, "/v1/data/no/such/thing", None),
        (200, json!({}))
    );
    answer(&pdp, "/v1/data/a/b/increment", None);
    let counted = pdp.get("/metrics").body;
    for series in [
        "edgeward_documents_total{outcome=\"defined\"} 1",
        "edgeward_documents_total{outcome=\"undefined\"} 2",
        "edgeward_documents_total{outcome=\"error\"} 1",
        "edgeward_document_evaluation_duration_seconds_count 4",
    ] {
        assert!(counted.contains(series), "{series}: {counted}");
    }
}

#[test]
fn without_opa_api_there_is_no_such_door() {
    let pdp = Pdp::with_files(super::FILES, settings());
    for (method, path) in [
        ("GET", "/v1/data"),
        ("POST", "/v1/data/a/b/allow"),
        ("POST", "/v0/data/a/b/allow"),
        ("POST", "/"),
    ] {
        assert_eq!(
            call(&pdp, method, path, "{}").status,
            404,
            "{method} {path}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_call_is_said_in_opas_shape() {
    let pdp = serving();
    let path = "/v1/data/a/b/allow";
    for (body, why) in [
        ("{", "not acceptable JSON"),
        ("[]", "must be an object"),
        ("1", "must be an object"),
        (r#"{"input":1} x"#, "trailing characters"),
        (r#"{"input":1,"input":2}"#, "duplicate member name"),
        (r#"{"input":{"a":1,"\u0061":2}}"#, "duplicate member name"),
    ] {
        let (status, said) = answer(&pdp, path, Some(body));
        assert_eq!(
            (status, &said["code"]),
            (400, &json!("invalid_parameter")),
            "{body}"
        );
        let message = said["message"].as_str().unwrap();
        assert!(
            message.starts_with("body contains malformed input document: "),
            "{message}"
        );
        assert!(message.contains(why), "{message}");
    }
    let deep = format!(
        r#"{{"input":{}{}}}"#,
        "[".repeat(100_000 / 4),
        "]".repeat(100_000 / 4)
    );
    assert_eq!(answer(&pdp, path, Some(&deep)).0, 400);
    assert_eq!(call(&pdp, "POST", path, &"x".repeat(70_000)).status, 413);
    for (header, value) in [
        ("content-type", "application/yaml"),
        ("content-encoding", "gzip"),
    ] {
        let reply = exchange(pdp.connect(), "POST", path, &[(header, value)], b"{}");
        assert_eq!(reply.status, 400, "{header}");
    }
    for (method, allow) in [
        ("PUT", "nothing is written"),
        ("PATCH", "nothing is written"),
        ("DELETE", "nothing is written"),
        ("BREW", "use GET, POST"),
    ] {
        let reply = call(&pdp, method, path, "{}");
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.header("allow"), Some("GET, POST"));
        assert!(reply.body.contains(allow), "{}", reply.body);
    }
    let undefined = answer(&pdp, "/v0/data/a/b/undef", Some("{}"));
    let expected =
        json!({"code": "undefined_document", "message": "document undefined: data.a.b.undef"});
    assert_eq!(undefined, (404, expected));
    let (status, function) = answer(&pdp, "/v1/data/a/b/increment", None);
    assert_eq!((status, &function["code"]), (500, &json!("internal_error")));
    assert_eq!(
        function["message"],
        "undefined ref: data.a.b.increment: a function is not a document"
    );
}

#[test]
fn what_is_asked_for_beside_the_document_comes_with_it() {
    let pdp = serving();
    let path = "/v1/data/a/b/allow?metrics&provenance=true&pretty";
    let reply = call(&pdp, "POST", path, r#"{"input":{}}"#);
    assert!(
        reply.body.starts_with("{\n  \"decision_id\": "),
        "{}",
        reply.body
    );
    let said = reply.json();
    assert!(
        said["metrics"]["timer_rego_query_eval_ns"]
            .as_u64()
            .unwrap()
            > 0
    );
    let handler = said["metrics"]["timer_server_handler_ns"].as_u64();
    assert!(handler > said["metrics"]["timer_rego_query_eval_ns"].as_u64());
    assert_eq!(said["provenance"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(said["provenance"]["revision"].as_str().unwrap().len(), 64);
}

#[test]
fn the_pdp_tells_of_itself_in_opas_words_and_takes_nothing() {
    let pdp = serving();
    for health in [
        "/health",
        "/health?bundles",
        "/health?bundle=true&plugins&exclude-plugin=keys",
    ] {
        assert_eq!(answer(&pdp, health, None), (200, json!({})), "{health}");
    }
    let (_, config) = answer(&pdp, "/v1/config", None);
    assert_eq!(config["result"]["default_decision"], "/system/main");
    let (_, status) = answer(&pdp, "/v1/status", None);
    assert_eq!(status["result"]["labels"], config["result"]["labels"]);
    let revision = &status["result"]["bundles"]["policies"]["active_revision"];
    assert_eq!(revision.as_str().unwrap().len(), 64);
    let (_, policies) = answer(&pdp, "/v1/policies", None);
    let ids: Vec<&Value> = policies["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["id"])
        .collect();
    let mut files: Vec<&str> = super::FILES.iter().map(|(name, _)| *name).collect();
    files.retain(|name| Path::new(name).extension().is_some_and(|end| end == "rego"));
    files.sort_unstable();
    assert_eq!(ids, files);
    let (_, one) = answer(&pdp, "/v1/policies/em%70ty.rego", None);
    assert_eq!(
        one,
        json!({"result": {"id": "empty.rego", "raw": "package empty\n"}})
    );
    for (method, path, status, code) in [
        ("GET", "/v1/policies/no.rego", 404, "resource_not_found"),
        (
            "GET",
            "/v1/policies/..%2f..%2fetc%2fpasswd",
            404,
            "resource_not_found",
        ),
        ("PUT", "/v1/policies/x", 405, "invalid_operation"),
        (
            "DELETE",
            "/v1/policies/empty.rego",
            405,
            "invalid_operation",
        ),
        ("PUT", "/v1/query", 405, "invalid_operation"),
        ("POST", "/v1/compile", 501, "not_implemented"),
        ("POST", "/health", 405, "invalid_operation"),
    ] {
        let reply = call(&pdp, method, path, "package x");
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.body);
        assert_eq!(reply.json()["code"], code, "{method} {path}");
    }
    assert_eq!(answer(&pdp, "/v1/policies", None).1, policies);
}

#[test]
fn a_policy_that_is_revoked_answers_nothing_here_either() {
    let token = "t";
    let mut settings = settings();
    settings.opa_api = Some(open());
    settings.administrators.token_digests = vec![Sha256::digest(token).into()];
    let pdp = Pdp::with_files(super::FILES, settings);
    let (_, status) = answer(&pdp, "/v1/status", None);
    let revision = status["result"]["bundles"]["policies"]["active_revision"].clone();
    let order = json!({ "kind": "policy", "revision": revision }).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("authorization", "Bearer t"),
    ];
    let revoked = exchange(
        pdp.connect(),
        "POST",
        REVOCATIONS_PATH,
        &headers,
        order.as_bytes(),
    );
    assert_eq!(revoked.status, 201, "{}", revoked.body);
    for path in ["/v1/data/a/b/allow", "/v0/data/a/b/allow", "/"] {
        let reply = call(&pdp, "POST", path, r#"{"input":{"user":"x"}}"#);
        assert_eq!(reply.status, 503, "{path}");
        assert_eq!(reply.json()["code"], "policy_revoked");
    }
}

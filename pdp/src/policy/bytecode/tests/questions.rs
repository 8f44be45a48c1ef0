//! What the shipped policies are asked where engines are compared, and which of their rules.

use serde_json::json;

/// Questions that grants, suspensions and claims of the tests' data are about, and odd ones.
pub(crate) fn questions() -> Vec<serde_json::Value> {
    let ids = [
        "spiffe://x.test/a",
        "spiffe://x.test/b",
        "spiffe://x.test/c",
        "spiffe://x.test/ns/ops",
        "spiffe://x.test/ns/ops/sa/x",
        "spiffe://x.test/ns/opsy/sa/x",
        "spiffe://whole.test/x",
        "https://i.test|sub",
        "https://x.test/ns/ops/x",
        "https://ci.test|x",
        "",
    ];
    let claims = [
        json!({"repository": "acme/shop", "ref": "refs/heads/main"}),
        json!({"repository": "acme/shop", "ref": "refs/heads/evil"}),
        json!({"repository": "acme/shop"}),
        json!("no object"),
    ];
    let segments = [
        json!(["r"]),
        json!(["s"]),
        json!(["a"]),
        json!(["b"]),
        json!([""]),
        json!([]),
        json!(["a", "b"]),
        json!("a"),
    ];
    let mut questions = vec![
        json!({}),
        json!({"subject": {"type": "anonymous", "id": "anonymous"}}),
    ];
    for (number, id) in ids.iter().enumerate() {
        for (turn, segments) in segments.iter().enumerate() {
            for method in ["GET", "PUT", "POST"] {
                questions.push(json!({
                    "subject": {
                        "type": if turn == 5 { "anonymous" } else { "workload" },
                        "id": id,
                        "properties": {"issuer": "https://ci.test", "claims": claims[(number + turn) % 4]},
                    },
                    "action": {"name": method},
                    "resource": {"properties": {"host": if turn == 6 { "i" } else { "h" }, "segments": segments}},
                    "context": {},
                }));
            }
        }
    }
    questions.push(json!({"subject": {"type": "workload", "id": 1}}));
    questions.push(json!({"subject": {"type": "workload", "id": ["spiffe://x.test/a"]}}));
    questions
}

/// Rules whose answers are compared.
pub(super) const RULES: &[&str] = &[
    "data.edgeward.authz.decision",
    "data.edgeward.authz.allow",
    "data.edgeward.authz.reasons",
    "data.edgeward.authz.obligations",
    "data.edgeward.client.names",
    "data.edgeward.client.suspended",
    "data.edgeward.client.spiffe_prefixes",
    "data.edgeward.grant.matching",
    "data.edgeward.grant.matching_but_for_method",
    "data.edgeward.grant.request_headers",
    "data.edgeward.grant.response_headers",
];

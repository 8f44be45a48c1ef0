//! Paths and policies that would take the PDP along, or say more than they should.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::harness::{Pdp, settings};
use super::{answer, open, serving};

#[test]
fn a_hostile_path_is_a_name_that_is_not_there_and_never_rego() {
    let pdp = serving();
    for hostile in [
        "a/b/allow%22%5D%20%7C%7C%20true",
        "a/b%22%5D%3B%20true",
        "a%5B%22b%22%5D/allow",
        "a.b.allow",
        "%7Binput%7D",
        "a/b/allow%20==%20false",
        "a/b/allow%3B%20x%20:=%201",
        "http.send(%7B%22url%22:%22http:%2F%2Flocalhost%22%7D)",
        "a/b/increment(1)",
        "a/b/..%2fb/allow",
        "..%2f..%2fetc",
        "a/b/%24%7Ballow%7D",
        "a/_/allow",
        "a/x/allow",
        "input",
        "a/b/%60allow%60",
    ] {
        let found = answer(
            &pdp,
            &format!("/v1/data/{hostile}"),
            Some(r#"{"input":{"user":"x"}}"#),
        );
        assert_eq!(found, (200, json!({})), "{hostile}");
    }
    for malformed in ["%", "a%2", "a%zz", "%ff", "%00", "a/%0a"] {
        let (status, body) = answer(&pdp, &format!("/v1/data/{malformed}"), None);
        assert_eq!(
            (status, &body["code"]),
            (400, &json!("invalid_parameter")),
            "{malformed}"
        );
    }
    let odd = answer(&pdp, "/v1/data/base/quo%22te", None);
    assert_eq!(odd, (200, json!({ "result": 6 })));
    let long = format!("/v1/data/{}", "a/".repeat(20_000));
    assert_eq!(answer(&pdp, &long, None), (200, json!({})));
}

#[test]
fn a_policy_that_runs_too_long_ends_in_time_and_the_next_call_is_answered() {
    let slow = "package slow\nimport rego.v1\nx := count([1 | all := numbers.range(1, 90000); \
                some i in all; some j in all; i == j])\ny := 1\n";
    let mut files = super::FILES.to_vec();
    files.push(("slow.rego", slow));
    let mut settings = settings();
    settings.opa_api = Some(open());
    let pdp = Pdp::with_files(&files, settings);
    for path in ["/v1/data/slow/x", "/v1/data/slow", "/v1/data"] {
        let started = Instant::now();
        let (status, said) = answer(&pdp, path, None);
        assert_eq!(status, 500, "{path}");
        assert_eq!(
            said["errors"][0]["code"], "eval_cancel_error",
            "{path}: {said}"
        );
        assert!(started.elapsed() < Duration::from_secs(10), "{path}");
        assert_eq!(
            answer(&pdp, "/v1/data/slow/y", None),
            (200, json!({ "result": 1 }))
        );
    }
    // The way of decisions has an engine of its own, which nothing of this touches.
    let body = json!({"subject": {"type": "u", "id": "u"}, "action": {"name": "a"},
        "resource": {"type": "r", "id": "r"}});
    assert_eq!(
        pdp.ask(&body.to_string()).json()["decision"],
        Value::Bool(false)
    );
}

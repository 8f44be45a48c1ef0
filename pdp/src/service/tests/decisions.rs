//! The decision door: what is allowed, what is denied, what is no question.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixtures::{frontend, question};
use super::harness::{Pdp, settings};
use crate::service::clock;

#[test]
fn the_example_decides_over_the_wire() {
    let pdp = Pdp::start(settings());
    let batch = "spiffe://demo.edgeward.dev/ns/shop/sa/batch";
    let ci = "https://issuer.demo.edgeward.dev|repo:acme/shop:ref:refs/heads/main";
    for (body, allowed) in [
        (frontend("GET", &["orders", "7"]), true),
        (frontend("POST", &["orders"]), true),
        (frontend("DELETE", &["orders"]), false),
        (question(batch, "GET", &["reports", "1"]), true),
        (question(batch, "GET", &["orders"]), false),
        (question(ci, "POST", &["deploy"]), true),
        (question("spiffe://other/x", "GET", &["orders"]), false),
    ] {
        let answer = pdp.ask(&body.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(
            answer.json()["decision"],
            allowed,
            "{body}: {}",
            answer.body
        );
    }
}

#[test]
fn an_answer_carries_id_reasons_obligations_revision_and_premises() {
    let pdp = Pdp::start(settings());
    let first = pdp.ask(&frontend("GET", &["orders"]).to_string()).json();
    let second = pdp.ask(&frontend("GET", &["orders"]).to_string()).json();
    // The second was decided before, and its id says so and names the first.
    let [first_id, second_id] =
        [&first, &second].map(|answer| answer["context"]["id"].as_str().unwrap().to_owned());
    assert!(second_id.starts_with("cached-") && second_id.ends_with(&first_id));
    let program = |answer: &Value| answer["context"]["premises"]["program"].clone();
    assert_eq!(program(&second), program(&first));
    let revision = pdp.store.subscribe().borrow().set.revision().to_owned();
    let mut context = first["context"].clone();
    context["id"] = Value::Null;
    let [now, until] = ["now", "until"].map(|at| context["premises"][at].take().as_u64().unwrap());
    assert_eq!(until - now, settings().cache.allow_ttl.as_secs());
    assert!(clock::now().0 - now < 30);
    assert_eq!(
        context,
        json!({
            "id": null,
            "premises": {
                "program": pdp.store.subscribe().borrow().set.caching().unwrap().program,
                "now": null,
                "until": null,
            },
            "reasons": ["grant-matched"],
            "obligations": {
                "request_headers": {"x-edgeward-client": "frontend"},
                "response_headers": {"cache-control": "no-store"},
            },
            "policy": {"revision": revision},
        })
    );
    let deny = pdp.ask(&frontend("PUT", &["orders"]).to_string()).json();
    assert_eq!(deny["decision"], false);
    assert_eq!(
        deny["context"]["reasons"],
        json!(["method-not-granted", "no-rule-matches"])
    );
    assert_eq!(deny["context"]["obligations"], Value::Null);
}

#[test]
fn an_answer_says_until_when_it_may_be_remembered_and_the_earlier_bound_holds() {
    let until = |result: &str| {
        let pdp = Pdp::deciding(&format!("decision := {result}"));
        let earliest = clock::now().0;
        let answer = pdp.ask(&frontend("GET", &["orders"]).to_string()).json();
        let given = &answer["context"]["valid_until"];
        // `ttl` counts from the question, which may be a second later than `earliest`.
        given
            .as_u64()
            .map(|until| until.saturating_sub(earliest).min(100))
    };
    assert_eq!(until("true"), None);
    assert_eq!(until(r#"{"allow": true}"#), None);
    let from_ttl = until(r#"{"allow": false, "ttl": 7}"#).unwrap();
    assert!((7..=8).contains(&from_ttl), "{from_ttl}");
    let shortened = r#"{"allow": true, "ttl": 60, "valid_until": "2026-01-01T00:00:00Z"}"#;
    assert_eq!(until(shortened), Some(0));
    let not_lengthened = r#"{"allow": true, "ttl": 7, "valid_until": 9999999999}"#;
    assert!((7..=8).contains(&until(not_lengthened).unwrap()));
}

#[test]
fn every_malformed_body_gets_its_named_status() {
    let pdp = Pdp::start(settings());
    let good = frontend("GET", &["orders"]);
    let without = |pointer: &str, name: &str| {
        let mut body = good.clone();
        body.pointer_mut(pointer)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(name);
        body.to_string()
    };
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    let twice = good
        .to_string()
        .replacen('{', "{\"subject\":{\"type\":\"a\",\"id\":\"b\"},", 1);
    for (body, message) in [
        (String::new(), "not acceptable JSON"),
        ("{".to_owned(), "not acceptable JSON"),
        ("[]".to_owned(), "not an object"),
        ("\"x\"".to_owned(), "not an object"),
        (twice, "duplicate"),
        (format!("{good}x"), "not acceptable JSON"),
        ("[".repeat(20_000), "not acceptable JSON"),
        (without("", "subject"), "`subject` is missing"),
        (without("", "action"), "`action` is missing"),
        (without("", "resource"), "`resource` is missing"),
        (without("/subject", "type"), "`subject.type` is missing"),
        (without("/subject", "id"), "`subject.id` is missing"),
        (without("/action", "name"), "`action.name` is missing"),
        (without("/resource", "id"), "`resource.id` is missing"),
        (with("/subject", json!("x")), "`subject` must be an object"),
        (
            with("/subject/id", json!(7)),
            "`subject.id` must be a string",
        ),
        (
            with("/action/name", json!(null)),
            "`action.name` must be a string",
        ),
        (
            with("/resource/properties", json!([])),
            "`resource.properties` must be an object",
        ),
        (with("/context", json!(null)), "`context` must be an object"),
    ] {
        let answer = pdp.ask(&body);
        assert_eq!(answer.status, 400, "{body}");
        let said = answer.json();
        assert!(said.as_str().unwrap().contains(message), "{body}: {said}");
    }
    let text = good.to_string();
    for kind in [
        "text/plain",
        "application/jsonx",
        "application/x-www-form-urlencoded",
        "",
    ] {
        assert_eq!(
            pdp.post(&[("content-type", kind)], text.as_bytes()).status,
            400,
            "{kind}"
        );
    }
    assert_eq!(pdp.post(&[], text.as_bytes()).status, 400);
    let kind = ("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(pdp.post(&[kind], text.as_bytes()).status, 200);
    assert_eq!(pdp.ask(&" ".repeat(64 * 1024 + 1)).status, 413);
    let wrong_method = pdp.get("/access/v1/evaluation");
    assert_eq!(
        (wrong_method.status, wrong_method.header("allow")),
        (405, Some("POST"))
    );
    assert_eq!(pdp.get("/access/v1/evaluation/").status, 404);
}

#[test]
fn a_request_id_comes_back_with_answers_and_refusals() {
    let pdp = Pdp::start(settings());
    let body = frontend("GET", &["orders"]).to_string();
    let kind = ("content-type", "application/json");
    for (body, status) in [(body.as_str(), 200), ("{}", 400)] {
        let answer = pdp.post(&[kind, ("x-request-id", "abc-1")], body.as_bytes());
        assert_eq!(
            (answer.status, answer.header("x-request-id")),
            (status, Some("abc-1"))
        );
    }
    assert_eq!(pdp.ask(&body).header("x-request-id"), None);
}

#[test]
fn the_policy_sees_the_question_without_what_the_standard_does_not_know_and_with_the_time() {
    let pdp = Pdp::deciding(
        r#"decision := {"allow": true, "reasons": reasons}
        reasons := [r | some r in candidates]
        candidates contains "context-time" if time.parse_rfc3339_ns(input.context.time) > 1700000000000000000
        candidates contains "own-time" if input.context.time == "2020-01-01T00:00:00Z"
        candidates contains "extra" if input.extra
        candidates contains "subject-extra" if input.subject.extra
        candidates contains "keys-ok" if object.keys(input) == {"subject", "action", "resource", "context"}"#,
    );
    let mut body = frontend("GET", &["orders"]);
    body["extra"] = json!(true);
    body["subject"]["extra"] = json!(true);
    assert_eq!(
        pdp.ask(&body.to_string()).json()["context"]["reasons"],
        json!(["context-time", "keys-ok"])
    );
    body["context"]["time"] = json!("2020-01-01T00:00:00Z");
    assert_eq!(
        pdp.ask(&body.to_string()).json()["context"]["reasons"],
        json!(["keys-ok", "own-time"])
    );
    body.as_object_mut().unwrap().remove("context");
    assert_eq!(pdp.ask(&body.to_string()).status, 200);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("workload")),
        Just(json!("GET")),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = prop_oneof![
            Just("subject".to_owned()),
            Just("action".to_owned()),
            Just("resource".to_owned()),
            Just("context".to_owned()),
            Just("type".to_owned()),
            Just("id".to_owned()),
            Just("name".to_owned()),
            Just("properties".to_owned()),
            "\\PC{0,6}",
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn random_bodies_never_allow() {
    let pdp = Pdp::start(settings());
    let config = ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..Default::default()
    };
    proptest!(config, |(mut body in any_json(), whole in any::<bool>())| {
        if whole {
            // A well-formed question about a granted request, but from somebody else.
            let mut question = frontend("GET", &["orders"]);
            question["subject"]["id"] = json!(body.to_string());
            question["subject"]["properties"] = json!({"claims": body});
            body = question;
        }
        let answer = pdp.ask(&body.to_string());
        prop_assert!(matches!(answer.status, 200 | 400), "{}", answer.status);
        if answer.status == 200 {
            prop_assert_eq!(&answer.json()["decision"], &json!(false));
        }
    });
}

//! Many questions in one call: `AuthZEN` 1.0, section 7.

use serde_json::{Value, json};

use super::harness::{Answer, Pdp, exchange, settings};

const POLICY: &str = r#"
default decision := {"allow": false, "reasons": ["no-rule-matches"]}
decision := {"allow": true} if {
    input.subject.id == "alice"
    input.action.name in {"read", "write"}
    not input.resource.properties.locked
}
"#;

fn ask(pdp: &Pdp, body: &Value) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("x-request-id", "batch-7"),
    ];
    let body = body.to_string();
    let path = "/access/v1/evaluations";
    exchange(pdp.connect(), "POST", path, &headers, body.as_bytes())
}

fn user(id: &str) -> Value {
    json!({"type": "user", "id": id})
}

fn record(id: &str) -> Value {
    json!({"type": "record", "id": id})
}

/// The decisions of an answer, in order.
fn decisions(answer: &Answer) -> Vec<bool> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("x-request-id"), Some("batch-7"));
    let answers = &answer.json()["evaluations"];
    let answers = answers.as_array().unwrap().iter();
    answers.map(|a| a["decision"].as_bool().unwrap()).collect()
}

#[test]
fn each_question_is_answered_in_its_place_and_takes_what_it_does_not_say_from_the_call() {
    let pdp = Pdp::deciding(POLICY);
    let locked = json!({"type": "record", "id": "2", "properties": {"locked": true}});
    let answer = ask(
        &pdp,
        &json!({
            "subject": user("alice"), "action": {"name": "read"}, "resource": locked,
            "unknown": [1],
            "evaluations": [
                {"resource": record("1")},
                // Whole: no member of the default stays.
                {"resource": {"type": "record", "id": "2"}, "unknown": {}},
                {},
                {"resource": record("1"), "action": {"name": "delete"}},
                {"resource": record("1"), "subject": user("bob")},
            ],
        }),
    );
    assert_eq!(decisions(&answer), [true, true, false, false, false]);
    let answers = answer.json();
    assert!(answers.get("decision").is_none());
    let ids: std::collections::BTreeSet<String> = answers["evaluations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["context"]["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 5, "each has an id of its own");
    assert_eq!(
        answers["evaluations"][3]["context"]["reasons"],
        json!(["no-rule-matches"])
    );
}

#[test]
fn the_rest_is_not_asked_where_the_call_says_so() {
    let pdp = Pdp::deciding(POLICY);
    for (semantic, wanted) in [
        (json!("execute_all"), vec![true, false, true]),
        (json!("deny_on_first_deny"), vec![true, false]),
        (json!("permit_on_first_permit"), vec![true]),
    ] {
        let answer = ask(
            &pdp,
            &json!({
                "resource": record("1"), "action": {"name": "read"},
                "options": {"evaluations_semantic": semantic, "another": 1},
                "evaluations": [
                    {"subject": user("alice")}, {"subject": user("bob")}, {"subject": user("alice")},
                ],
            }),
        );
        assert_eq!(decisions(&answer), wanted, "{semantic}");
    }
}

#[test]
fn what_is_wrong_with_one_question_denies_that_one_and_says_why() {
    let pdp = Pdp::deciding(POLICY);
    let answer = ask(
        &pdp,
        &json!({
            "subject": user("alice"), "action": {"name": "read"},
            "evaluations": [
                {"resource": record("1")},
                {},
                7,
                {"resource": {"type": "record"}},
                {"resource": record("1"), "subject": null},
                {"resource": record("1"), "context": []},
            ],
        }),
    );
    assert_eq!(
        decisions(&answer),
        [true, false, false, false, false, false]
    );
    for place in 1..6 {
        let error = &answer.json()["evaluations"][place]["context"]["error"];
        assert_eq!(error["status"], 400, "{place}: {}", answer.body);
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
}

#[test]
fn without_questions_the_call_is_one_itself() {
    let pdp = Pdp::deciding(POLICY);
    let one =
        json!({"subject": user("alice"), "action": {"name": "read"}, "resource": record("1")});
    for more in [json!({}), json!({"evaluations": []})] {
        let mut call = one.clone();
        call.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = ask(&pdp, &call);
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["decision"], true);
        assert!(answer.json().get("evaluations").is_none());
    }
    assert_eq!(ask(&pdp, &json!({"evaluations": []})).status, 400);
}

#[test]
fn what_is_no_call_is_refused_whole() {
    let pdp = Pdp::deciding(POLICY);
    let many = vec![json!({}); 1001];
    for call in [
        json!([]),
        json!("x"),
        json!({"evaluations": {}}),
        json!({"evaluations": null}),
        json!({"evaluations": [{}], "options": []}),
        json!({"evaluations": [{}], "options": {"evaluations_semantic": 1}}),
        json!({"evaluations": [{}], "options": {"evaluations_semantic": "all"}}),
        json!({"evaluations": many}),
    ] {
        let answer = ask(&pdp, &call);
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.json().is_string(), "{}", answer.body);
    }
    let get = exchange(pdp.connect(), "GET", "/access/v1/evaluations", &[], b"");
    assert_eq!(get.status, 405);
    let text = [("content-type", "text/plain")];
    let path = "/access/v1/evaluations";
    let answer = exchange(pdp.connect(), "POST", path, &text, b"{\"evaluations\":[]}");
    assert_eq!(answer.status, 400);
}

#[test]
fn many_questions_that_take_long_end_in_bounded_time() {
    let slow = "decision := count([1 | some a in xs; some b in xs; a + b < 0]) == 1\nxs := numbers.range(1, 20000)";
    let pdp = Pdp::deciding_with(slow, settings());
    let question = json!({"subject": user("a"), "action": {"name": "b"}, "resource": record("c")});
    let questions: Vec<Value> = (0..100)
        .map(|number| {
            let mut question = question.clone();
            question["resource"]["id"] = json!(number.to_string());
            question
        })
        .collect();
    let started = std::time::Instant::now();
    let answer = ask(&pdp, &json!({"evaluations": questions}));
    assert_eq!(decisions(&answer), [false; 100]);
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    let last = answer.json()["evaluations"][99]["context"]["error"].clone();
    assert_eq!(last["status"], 503, "{}", answer.body);
}

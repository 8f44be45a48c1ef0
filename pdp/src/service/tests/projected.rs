//! The filters' own door: the answer is the one that the whole question gets, and only the program in
//! force answers.

use std::time::{Duration, Instant};

use edgeward_core::cache_key::write_value;
use edgeward_core::decide::{
    ANSWER_TYPE, DECIDE_PATH, QUESTION_TYPE, about, read_answer, read_answers, write_question,
};
use edgeward_core::decision::Decision;
use serde_json::{Value, json};

use super::fixtures::{frontend, question, write_decision};
use super::harness::{Answer, Pdp, exchange, settings};

/// The program in force, as an answer names it.
fn program(pdp: &Pdp) -> String {
    let answer = pdp.ask(&frontend("GET", &["orders"]).to_string()).json();
    let program = answer["context"]["premises"]["program"].as_str();
    program.unwrap().to_owned()
}

/// As a filter writes it.
fn written(pdp: &Pdp, program: &str, whole: &Value) -> Vec<u8> {
    let vary = pdp.store.subscribe().borrow().set.footprint().input.clone();
    let mut body = Vec::new();
    write_question(&mut body, program);
    write_value(&mut body, &about().project(whole.clone()));
    write_value(&mut body, &vary.project(whole.clone()));
    body
}

fn put(pdp: &Pdp, body: &[u8]) -> Answer {
    let headers = [("content-type", QUESTION_TYPE)];
    exchange(pdp.connect(), "POST", DECIDE_PATH, &headers, body)
}

#[test]
fn a_projected_question_gets_the_answer_of_the_whole_one() {
    let pdp = Pdp::start(settings());
    let program = program(&pdp);
    let batch = "spiffe://demo.edgeward.dev/ns/shop/sa/batch";
    for whole in [
        frontend("GET", &["orders", "7"]),
        frontend("DELETE", &["orders"]),
        question(batch, "GET", &["reports", "1"]),
        question("spiffe://other/x", "GET", &["orders"]),
    ] {
        let answer = put(&pdp, &written(&pdp, &program, &whole));
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(ANSWER_TYPE))
        );
        let verdict = read_answer(&answer.bytes).unwrap();
        let (now, until) = verdict.holds.unwrap();
        assert!(now < until);
        let expected = pdp.ask(&whole.to_string()).json();
        // One cache for both doors: the whole question finds what the projected one left there.
        let id = expected["context"]["id"].as_str().unwrap();
        assert!(
            id.starts_with("cached-") && id.ends_with(verdict.decision.id().as_str()),
            "{id}"
        );
        assert_eq!(json!(verdict.decision.is_allow()), expected["decision"]);
        assert_eq!(
            json!(verdict.decision.reasons()),
            expected["context"]["reasons"]
        );
        if let Decision::Allow { obligations, .. } = verdict.decision {
            assert_eq!(json!(obligations), expected["context"]["obligations"]);
        }
    }
}

#[test]
fn questions_in_one_body_are_answered_in_their_order_all_or_none() {
    let pdp = Pdp::start(settings());
    let program = program(&pdp);
    let ask = |method, program: &str| written(&pdp, program, &frontend(method, &["orders", "9"]));
    let (get, delete) = (ask("GET", &program), ask("DELETE", &program));
    let answer = put(&pdp, &[&get[..], &delete, &get].concat());
    assert_eq!(answer.status, 200);
    let answers = read_answers(&answer.bytes, 3).unwrap();
    let allowed = answers.iter().map(|answer| answer.decision.is_allow());
    assert_eq!(allowed.collect::<Vec<_>>(), [true, false, true]);
    let first = answers[0].decision.id().as_str();
    let third = answers[2].decision.id().as_str();
    assert!(
        third.starts_with("cached-") && third.ends_with(first),
        "{third}"
    );

    let other = ask("GET", "another");
    assert_eq!(put(&pdp, &[&get[..], &other].concat()).status, 409);
    assert_eq!(put(&pdp, &[&get[..], b"x"].concat()).status, 400);
    assert_eq!(put(&pdp, &get.repeat(33)).status, 400);
}

#[test]
fn only_the_program_in_force_answers_and_only_what_is_a_question_is_answered() {
    let pdp = Pdp::deciding("decision := input.action.name == \"GET\"");
    let program = program(&pdp);
    let whole = frontend("GET", &["orders"]);
    let body = written(&pdp, &program, &whole);
    assert_eq!(put(&pdp, &body).status, 200);
    assert_eq!(put(&pdp, &written(&pdp, "another", &whole)).status, 409);
    assert_eq!(put(&pdp, &body[1..]).status, 400);
    assert_eq!(put(&pdp, &[&body[..], b"x"].concat()).status, 400);
    let as_json = [("content-type", "application/json")];
    let answer = exchange(pdp.connect(), "POST", DECIDE_PATH, &as_json, &body);
    assert_eq!(answer.status, 400);
    let answer = exchange(pdp.connect(), "GET", DECIDE_PATH, &[], b"");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));

    write_decision(
        pdp.folder.path(),
        "decision := input.action.name == \"PUT\"",
    );
    pdp.store.reload();
    // Each worker swaps its own engine: until both have, either may take the call.
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut refused = 0;
    while refused < 20 {
        assert!(Instant::now() < deadline, "the old program still answers");
        match put(&pdp, &body).status {
            409 => refused += 1,
            200 => refused = 0,
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_question_that_is_compared_is_evaluated_anew() {
    let pdp = Pdp::start(settings());
    let body = frontend("GET", &["orders"]).to_string();
    let ask = |path| {
        let headers = [("content-type", "application/json")];
        let answer = exchange(pdp.connect(), "POST", path, &headers, body.as_bytes()).json();
        answer["context"]["id"].as_str().unwrap().to_owned()
    };
    ask("/access/v1/evaluation");
    assert!(ask("/access/v1/evaluation").starts_with("cached-"));
    let compared = ask(edgeward_core::authzen::COMPARED_EVALUATION);
    assert!(!compared.starts_with("cached-"), "{compared}");
    let metrics = pdp.get("/metrics").body;
    let missed = metrics
        .lines()
        .find(|line| !line.starts_with('#') && line.contains("footprint_missed"));
    assert!(
        missed.is_some_and(|line| line.ends_with(" 0")),
        "{missed:?}"
    );
}

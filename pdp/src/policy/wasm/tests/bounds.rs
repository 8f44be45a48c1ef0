//! A policy that takes more than it may, or gives up, denies under its own code, and the next decision is as
//! good as any.

use std::time::Instant;

use super::*;
use crate::policy::Verdict;

fn numbers(count: u32) -> Json {
    json!({ "list": (0..count).collect::<Vec<_>>() })
}

/// What each entry point says to `input`, and what a good question is told after it.
fn asked(entry_point: &str, time: Duration, input: Json) -> (Failure, Duration, Verdict) {
    let settings = PolicySettings {
        evaluation_timeout: time,
        ..settings(&format!("data.edgeward.authz.{entry_point}"))
    };
    let set = set_of(AUTHZ, &settings).unwrap();
    with_worker(set, move |worker| {
        let started = Instant::now();
        let failure = worker.evaluate(from_json(input), NOW).unwrap_err();
        let took = started.elapsed();
        let question = from_json(
            json!({"user": "ann", "method": "GET", "path": "/reports", "source": "10.0.0.1"}),
        );
        let at = Reference::at("data.edgeward.authz.decision");
        let value = worker.document(&at, &question, BuiltinErrors::Fail, NOW);
        let verdict = Verdict::read(&value.unwrap().unwrap()).unwrap();
        (failure, took, verdict)
    })
}

#[test]
fn a_policy_that_runs_for_ever_is_stopped() {
    let time = Duration::from_millis(200);
    let (failure, took, verdict) = asked("forever", time, numbers(3000));
    assert_eq!(failure, Failure::Timeout);
    assert_eq!(failure.code(), "policy-timeout");
    assert!(took >= time && took < time * 5, "{took:?}");
    assert!(verdict.allow);
}

#[test]
fn a_policy_that_eats_memory_is_stopped() {
    let (failure, _, verdict) = asked("much", Duration::from_secs(20), numbers(3000));
    assert_eq!(failure, Failure::Memory);
    assert_eq!(failure.code(), "policy-memory");
    assert!(verdict.allow);
}

#[test]
fn an_input_larger_than_the_memory_is_stopped() {
    let input = json!({ "a": "x".repeat(80 * 1024 * 1024) });
    let (failure, _, verdict) = asked("twice", TIME, input);
    assert_eq!(failure, Failure::Memory);
    assert!(verdict.allow);
}

#[test]
fn a_policy_that_gives_up_is_an_error_with_its_words() {
    let (failure, _, verdict) = asked("twice", TIME, json!({"a": true, "b": true}));
    assert_eq!(failure.code(), "policy-error");
    assert!(failure.to_string().contains("conflict"), "{failure}");
    assert!(verdict.allow);
}

/// Which of the two, whoever asks says: the doors of decisions want a failure.
#[test]
fn a_built_in_of_the_host_that_fails_is_an_error_or_undefined() {
    let garbage = json!({"token": "no token"});
    let (failure, _, verdict) = asked("token", TIME, garbage.clone());
    assert_eq!(failure.code(), "policy-error");
    assert!(failure.to_string().contains("io.jwt.decode"), "{failure}");
    assert!(verdict.allow);
    let set = set_of(AUTHZ, &settings("data.edgeward.authz.decision")).unwrap();
    let (strict, usual, right) = with_worker(set, move |worker| {
        let mut ask =
            |input, errors| document(worker, "data.edgeward.authz.token", Some(input), errors);
        let token = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.";
        (
            ask(garbage.clone(), BuiltinErrors::Fail),
            ask(garbage, BuiltinErrors::Undefined),
            ask(json!({ "token": token }), BuiltinErrors::Fail),
        )
    });
    assert!(matches!(strict, Err(NoDocument::Error(why)) if why.contains("io.jwt.decode")));
    assert_eq!(usual, Ok(None));
    let right = serde_json::to_value(right.unwrap().unwrap()).unwrap();
    assert_eq!(right, json!([{"alg": "none"}, {"a": 1}, ""]));
}

/// Data files that take a module some time to read.
fn large_data() -> String {
    let members = (0..150_000).map(|n| format!("\"member-{n}\": {{\"a\": [{n}, {n}]}}"));
    format!(
        "{{\"large\": {{{}}}}}",
        members.collect::<Vec<_>>().join(",")
    )
}

#[test]
fn an_instance_after_a_trap_is_made_elsewhere_and_waited_for_within_the_time_of_the_question() {
    let time = Duration::from_millis(20);
    let files = BTreeMap::from([
        ("policy.wasm".to_owned(), module()),
        ("data.json".to_owned(), large_data().into_bytes()),
    ]);
    let names = ["edgeward/authz/forever", "edgeward/authz/decision"];
    let entry_points = names.map(|name| EntryPoint::parse(name, None).unwrap());
    let sources = brought(entry_points.to_vec(), Roots::default(), &files).unwrap();
    let settings = PolicySettings {
        evaluation_timeout: time,
        ..settings("data.edgeward.authz.forever")
    };
    let set = PolicySet::build(sources, &settings).unwrap();
    with_worker(set, move |worker| {
        let mut failed = 0;
        let question = from_json(json!({"user": "ann", "method": "GET", "path": "/reports"}));
        let trapped = worker.evaluate(from_json(numbers(3000)), NOW);
        assert_eq!(trapped, Err(Failure::Timeout));
        let at = Reference::at("data.edgeward.authz.decision");
        let began = Instant::now();
        loop {
            let started = Instant::now();
            let answer = worker.document(&at, &question, BuiltinErrors::Fail, NOW);
            // No question waits longer than it may, with some for a loaded machine.
            assert!(started.elapsed() < time * 20, "{:?}", started.elapsed());
            match answer {
                Ok(Some(_)) => break,
                other => assert_eq!(other, Err(NoDocument::Timeout)),
            }
            failed += 1;
            assert!(began.elapsed() < Duration::from_mins(2));
        }
        assert!(failed > 0, "the data are too small for this test");
    });
}

//! The policy room end to end: real files, the real engine.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use edgeward_core::time::UnixSeconds;

/// When questions are asked where it does not matter.
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

pub(super) fn settings(folder: &Path) -> PolicySettings {
    PolicySettings {
        directory: Some(folder.to_owned()),
        ..PolicySettings::default()
    }
}

pub(super) fn sources(files: &[(&str, &str)]) -> Result<Sources, ReadError> {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), text.as_bytes().to_vec());
    Sources::from_files(files.iter().map(owned).collect())
}

pub(super) fn build(decision: &str) -> Result<PolicySet, LoadError> {
    let policy = format!("package edgeward.authz\n{decision}");
    let settings = PolicySettings {
        // A loaded machine may take a test's thread away for longer than the default.
        evaluation_timeout: Duration::from_secs(1),
        ..PolicySettings::default()
    };
    PolicySet::build(sources(&[("a.rego", &policy)]).unwrap(), &settings)
}

/// Evaluates on a thread like a worker's.
fn decide(decision: &str, input: serde_json::Value) -> Result<Verdict, Failure> {
    let set = Arc::new(build(decision).unwrap());
    on_deep_stack(move || set.worker().unwrap().evaluate(from_json(input), NOW)).unwrap()
}

fn code(decision: &str) -> &'static str {
    decide(decision, json!({})).expect_err(decision).code()
}

#[test]
fn the_embedded_example_passes_its_own_tests() {
    let set = PolicySet::load(&PolicySettings::default()).unwrap();
    assert!(set.tests().tests.len() > 25, "{}", set.tests().tests.len());
}

#[test]
fn the_embedded_example_is_the_policies_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let from_folder = PolicySet::load(&settings(&folder)).unwrap();
    let embedded = PolicySet::load(&PolicySettings::default()).unwrap();
    assert_eq!(from_folder.revision(), embedded.revision());
}

// As written, the engine's bytecode lets the first three pass: see `bytecode`.
#[test]
fn what_rests_on_something_undefined_never_allows() {
    for decision in [
        "decision if { x := input.absent }",
        "decision := {\"allow\": true} if { x := input.absent.member }",
        "decision := count([x | some entry in [{}]; x := entry.absent]) == 1",
        "decision if { input.absent == input.absent }",
        "decision if { not false; input.absent }",
    ] {
        for engine in [EngineChoice::Auto, EngineChoice::Interpreter] {
            let settings = PolicySettings {
                engine,
                ..PolicySettings::default()
            };
            let policy = format!("package edgeward.authz\n{decision}");
            let set =
                PolicySet::build(sources(&[("a.rego", &policy)]).unwrap(), &settings).unwrap();
            assert_eq!(
                set.interpreted().is_none(),
                engine == EngineChoice::Auto,
                "{decision}"
            );
            let verdict =
                on_deep_stack(move || set.worker().unwrap().evaluate(from_json(json!({})), NOW))
                    .unwrap();
            assert!(!verdict.is_ok_and(|verdict| verdict.allow), "{decision}");
        }
    }
}

#[test]
fn an_answer_is_read_as_the_contract_says() {
    let verdict = decide(
        r#"decision := {"allow": true, "reasons": {"b-2", "a"}, "ttl": 5,
            "obligations": {"request_headers": {"x-a": "1"}}, "valid_until": "1970-01-01T00:01:00Z"}"#,
        json!({}),
    )
    .unwrap();
    assert!(verdict.allow);
    assert_eq!(verdict.reasons, ["a", "b-2"]);
    assert_eq!(verdict.ttl, Some(5));
    assert_eq!(verdict.valid_until.unwrap().0, 60);
    assert_eq!(verdict.obligations.request_headers["x-a"], "1");
    assert!(decide("decision := true", json!({})).unwrap().allow);
    assert!(
        !decide("default decision := false", json!({}))
            .unwrap()
            .allow
    );
}

#[test]
fn an_answer_of_another_shape_denies_under_its_own_code() {
    assert_eq!(code("decision := true if input.x"), "policy-undefined");
    for answer in [
        "\"true\"",
        "1",
        "[true]",
        "null",
        "{}",
        "set()",
        "{true}",
        "{\"allow\": \"true\"}",
        "{\"allow\": 1}",
        "{\"allow\": null}",
        "{\"allow\": true, \"extra\": 1}",
        "{\"allow\": true, \"reasons\": \"x\"}",
        "{\"allow\": true, \"reasons\": [1]}",
        "{\"allow\": true, \"reasons\": [\"Not A Code\"]}",
        "{\"allow\": true, \"reasons\": null}",
        "{\"allow\": true, \"obligations\": []}",
        "{\"allow\": true, \"obligations\": {\"mfa\": true}}",
        "{\"allow\": true, \"obligations\": {\"request_headers\": {\"host\": \"x\"}}}",
        "{\"allow\": true, \"ttl\": -1}",
        "{\"allow\": true, \"ttl\": \"5\"}",
        "{\"allow\": true, \"ttl\": null}",
        "{\"allow\": true, \"valid_until\": \"soon\"}",
    ] {
        assert_eq!(
            code(&format!("decision := {answer}")),
            "policy-result-invalid",
            "{answer}"
        );
    }
}

#[test]
fn an_evaluation_error_denies() {
    for decision in [
        "decision := true\ndecision := false",
        "decision := to_number(\"x\") == 1",
        // A panic of the engine.
        "decision := object.subset([1], [])",
        "decision := numbers.range(1, 100000000)[0] == 1",
        "decision := numbers.range_step(1, 9, 0)[0] == 1",
        "decision := numbers.range(1, 9223372036854775807)[0] == 1",
    ] {
        assert_eq!(code(decision), "policy-error", "{decision}");
    }
}

#[test]
fn a_runaway_policy_is_denied_in_bounded_time_and_the_next_question_is_answered() {
    let set = build(
        "decision := count([1 | some a in xs; some b in xs; some c in xs; a + b + c < 0]) == 1 if input.run\n\
         decision := true if not input.run\nxs := numbers.range(1, 10000)",
    )
    .unwrap();
    let (first, took, second) = on_deep_stack(move || {
        let mut worker = set.worker().unwrap();
        let started = Instant::now();
        let first = worker.evaluate(from_json(json!({"run": true})), NOW);
        let took = started.elapsed();
        (first, took, worker.evaluate(from_json(json!({})), NOW))
    })
    .unwrap();
    assert_eq!(first, Err(Failure::Timeout));
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(second.unwrap().allow);
}

/// A function that calls the next inside `loops` loops, so many times over.
fn nested_loops(functions: usize, loops: usize) -> String {
    let body: Vec<String> = (0..loops).map(|n| format!("some v{n} in [1]; ")).collect();
    let body = body.concat();
    let links: Vec<String> = (1..functions)
        .map(|n| format!("f{n}(x) := y if {{ {body} y := f{}(x) }}\n", n + 1))
        .collect();
    let links = links.concat();
    format!("decision := f1(1) == 1\n{links}f{functions}(x) := x\n")
}

#[test]
fn the_deepest_policy_that_passes_the_gate_fits_the_stack() {
    let settings = PolicySettings {
        evaluation_timeout: Duration::from_mins(1),
        ..PolicySettings::default()
    };
    for (functions, loops, terms) in [(40, 90, 1), (300, 3, 1), (2, 1, 3900)] {
        let sum = format!("{}1", "1 + ".repeat(terms));
        let sum = sum.replace("1 + 1 + 1 + 1 + ", "1 + 1 + 1 + 1 +\n");
        let policy = nested_loops(functions, loops);
        let policy = format!("package edgeward.authz\n{policy}\nsum := {sum}\n");
        let policy = policy.replace("f1(1) == 1", "sum + f1(1) > 1");
        let set = PolicySet::build(sources(&[("a.rego", &policy)]).unwrap(), &settings).unwrap();
        let verdict =
            on_deep_stack(move || set.worker().unwrap().evaluate(from_json(json!({})), NOW))
                .unwrap();
        assert!(verdict.unwrap().allow, "{functions} {loops} {terms}");
    }
}

#[test]
fn an_expression_too_long_for_any_stack_is_refused_and_not_evaluated() {
    let policy = format!("decision := x if {{ x := 1{}}}", " +\n1".repeat(19_000));
    let message = build(&policy).unwrap_err().to_string();
    assert!(message.contains("steps inside each other"), "{message}");
}

#[test]
fn the_list_of_capabilities_has_no_function_the_gate_refuses() {
    let names = capability::callable();
    assert!(names.contains(&"time.now_ns") && names.contains(&"print"));
    for refused in [
        "http.send",
        "opa.runtime",
        "rego.parse_module",
        "net.lookup_ip_addr",
    ] {
        assert!(!names.contains(&refused), "{refused}");
    }
}

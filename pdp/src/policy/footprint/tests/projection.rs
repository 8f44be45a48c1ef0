//! The promise: what is decided on the projection of a question is what is decided on the whole of it.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use edgeward_core::time::UnixSeconds;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::generated::{DATA, policy, question};
use crate::policy::set::PolicySet;
use crate::policy::tests::sources;
use crate::policy::{PolicySettings, from_json, on_deep_stack};

/// What is said to each question and to its projection, and how many questions the projection changed.
fn both_ways(set: PolicySet, questions: Vec<Value>) -> (Vec<String>, Vec<String>, usize) {
    let set = Arc::new(set);
    on_deep_stack(move || {
        let mut worker = set.worker().unwrap();
        let mut say =
            |input: Value| format!("{:?}", worker.evaluate(from_json(input), UnixSeconds(1)));
        let (mut whole, mut projected, mut narrowed) = (Vec::new(), Vec::new(), 0);
        for question in questions {
            let part = set.footprint().input.project(question.clone());
            narrowed += usize::from(part != question);
            whole.push(say(question));
            projected.push(say(part));
        }
        (whole, projected, narrowed)
    })
    .unwrap()
}

#[test]
fn a_projected_question_gets_the_answer_of_the_whole_one() {
    let settings = PolicySettings {
        evaluation_timeout: Duration::from_secs(10),
        ..PolicySettings::default()
    };
    let (loaded, narrowed) = (Cell::new(0), Cell::new(0));
    let cases = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let wanted = cases.cases as usize;
    let outcome = TestRunner::new(cases).run(
        &(policy(), prop::collection::vec(question(), 12)),
        |((policy, library), questions)| {
            let files = [
                ("a.rego", &*policy),
                ("lib.rego", &*library),
                ("d.json", DATA),
            ];
            let Ok(set) = PolicySet::build(sources(&files).unwrap(), &settings) else {
                return Ok(());
            };
            let told = set.footprint().input.paths();
            let (whole, projected, fewer) = both_ways(set, questions);
            loaded.set(loaded.get() + 1);
            narrowed.set(narrowed.get() + fewer);
            prop_assert_eq!(whole, projected, "{:?}\n{}", told, policy);
            Ok(())
        },
    );
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // A test that cannot fail proves nothing.
    assert!(
        loaded.get() * 2 > wanted,
        "only {} policies load",
        loaded.get()
    );
    assert!(
        narrowed.get() > wanted,
        "only {} questions differ",
        narrowed.get()
    );
}

/// Where the engine looks at more than a rule asks for: chance seldom gets there.
#[test]
fn what_only_the_engine_looks_at_is_in_the_projection() {
    let same_but_for_y = json!({"a": {"x": 1, "y": 1}, "b": {"x": 1, "y": 2}});
    for (decision, question) in [
        // Two values of a rule: an error, whatever of them is asked for.
        (
            "p := input.a if true\np := input.b if true\ndecision if p.x == 1",
            &same_but_for_y,
        ),
        (
            "f(_) := input.a if true\nf(_) := input.b if true\ndecision if f(1).x == 1",
            &same_but_for_y,
        ),
        (
            "f(k) := input.a if k == 1 else := input.b\np := v if { some k in [1, 2]; v := f(k) }\ndecision if p.x == 1",
            &same_but_for_y,
        ),
        // A rule that nobody asks for, in a package that is imported whole.
        ("import data.lib\ndecision if lib.r.x == 1", &same_but_for_y),
        // Whether something is there.
        ("decision if input.a", &json!({"a": {"x": 1}})),
        (
            "decision if { x := input.a.x }",
            &json!({"a": {"x": {"y": 1}}}),
        ),
        ("decision if not input.a", &json!({"a": {"x": 1}})),
    ] {
        let policy = format!("package edgeward.authz\n{decision}\n");
        let library = "package lib\nr := input.a\nboth := input.a\nboth := input.b\n";
        let files = sources(&[("a.rego", &policy), ("lib.rego", library)]).unwrap();
        let set = PolicySet::build(files, &PolicySettings::default()).unwrap();
        let (whole, projected, _) = both_ways(set, vec![question.clone(), json!({})]);
        assert_eq!(whole, projected, "{decision}");
        assert_ne!(whole[0], whole[1], "{decision}");
    }
}

#[test]
fn the_shipped_policies_decide_on_the_projection_as_on_the_whole() {
    let set = PolicySet::load(&PolicySettings::default()).unwrap();
    let subjects = [
        json!({"type": "anonymous", "id": "anonymous"}),
        json!({"type": "workload", "id": "spiffe://demo.edgeward.dev/ns/shop/sa/frontend", "extra": 1}),
        json!({"type": "workload", "id": "https://token.actions.githubusercontent.com|x",
            "properties": {"issuer": "https://token.actions.githubusercontent.com", "trust_domain": "x",
                "claims": {"repository": "edgeward/edgeward", "ref": "refs/heads/main", "jti": "1"}}}),
        json!({"type": 7}),
    ];
    let resources = [
        json!({"type": "http", "id": "shop", "properties": {"host": "shop", "path": "/orders",
            "segments": ["orders"], "headers": {"x-request-id": ["1"]}, "query": {}}}),
        json!({"properties": {"host": "shop", "segments": []}}),
        json!("none"),
    ];
    let mut questions = vec![json!({}), json!(null)];
    for subject in &subjects {
        for resource in &resources {
            for action in ["GET", "POST"] {
                questions.push(json!({"subject": subject, "resource": resource,
                    "action": {"name": action}, "context": {"time": 1}}));
            }
        }
    }
    let (whole, projected, narrowed) = both_ways(set, questions);
    assert!(
        whole.iter().any(|verdict| verdict.contains("allow: true")),
        "{whole:?}"
    );
    assert_eq!(whole, projected);
    assert!(narrowed > 20, "{narrowed}");
}

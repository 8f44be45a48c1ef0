//! The same policy and the same questions, answered by the compiled policy, by our own engines, and by OPA.

use std::process::Command;

use super::*;
use crate::policy::EngineChoice;

const FILES: [(&str, &str); 2] = [("policy.rego", POLICY), ("data.json", DATA)];

fn answers(set: PolicySet) -> Vec<Result<crate::policy::Verdict, Failure>> {
    with_worker(set, |worker| {
        let questions = questions().into_iter();
        let ask = |question| worker.evaluate(from_json(question), NOW);
        questions.map(ask).collect()
    })
}

#[test]
fn a_compiled_policy_decides_as_both_engines_do() {
    let settings = settings("data.edgeward.authz.decision");
    let compiled = set_of(AUTHZ, &settings).unwrap();
    assert_eq!(compiled.engine(), "wasm");
    assert_eq!(compiled.interpreted(), None);
    let compiled = answers(compiled);
    let allowed = compiled
        .iter()
        .filter(|answer| answer.as_ref().is_ok_and(|verdict| verdict.allow));
    assert_eq!(allowed.count(), 4, "{compiled:?}");
    let bytecode = set_of_rego(&FILES, &settings);
    assert_eq!(
        bytecode.engine(),
        "bytecode",
        "{:?}",
        bytecode.interpreted()
    );
    assert_eq!(answers(bytecode), compiled);
    let interpreter = PolicySettings {
        engine: EngineChoice::Interpreter,
        ..settings
    };
    assert_eq!(answers(set_of_rego(&FILES, &interpreter)), compiled);
}

/// Values of every kind, by a policy's own operators and by built-ins on both sides of the module.
#[test]
fn values_cross_the_border_unchanged() {
    let at = "data.edgeward.authz.values";
    let inputs = || questions().into_iter().map(Some).chain([None]);
    let of = |set: PolicySet| {
        with_worker(set, move |worker| {
            let ask = |input| document(worker, at, input, BuiltinErrors::Fail);
            inputs().map(ask).collect::<Vec<_>>()
        })
    };
    let settings = settings("data.edgeward.authz.decision");
    let compiled = of(set_of(AUTHZ, &settings).unwrap());
    let interpreted = of(set_of_rego(&FILES, &settings));
    for (compiled, interpreted) in compiled.iter().zip(&interpreted) {
        // As it is written: of two numbers that are equal one may be a fraction to the engine.
        assert_eq!(format!("{compiled:?}"), format!("{interpreted:?}"));
    }
    assert!(compiled[0].as_ref().unwrap().is_some());
    assert_eq!(compiled.last(), Some(&Ok(None)));
}

#[test]
fn a_compiled_policy_says_what_opa_says() {
    let Some(opa) = opa() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let questions = questions();
    let all = "{\"all\": [v | some q in input; v := {\"d\": data.edgeward.authz.decision, \"v\": data.edgeward.authz.values} with input as q]}";
    let input = Json::from(questions.clone()).to_string();
    std::fs::write(folder.path().join("input.json"), input).unwrap();
    let ended = Command::new(opa)
        .args([
            "eval",
            "-d",
            "policy.rego",
            "-d",
            "data.json",
            "-i",
            "input.json",
            "--format",
            "raw",
            all,
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    let opa: Json = serde_json::from_slice(&ended.stdout).unwrap();
    let settings = settings("data.edgeward.authz.decision");
    let ours = with_worker(set_of(AUTHZ, &settings).unwrap(), move |worker| {
        let answers = questions.into_iter().map(|question| {
            let mut of = |at: &str| {
                let value = document(worker, at, Some(question.clone()), BuiltinErrors::Fail);
                serde_json::to_value(value.unwrap().unwrap()).unwrap()
            };
            json!({"d": of("data.edgeward.authz.decision"), "v": of("data.edgeward.authz.values")})
        });
        answers.collect::<Vec<_>>()
    });
    let opa = opa["all"].as_array().unwrap();
    assert_eq!(opa.len(), ours.len());
    for (opa, ours) in opa.iter().zip(&ours) {
        assert_eq!(opa, ours);
    }
}

//! `edgeward eval` and `edgeward test`.

use serde_json::Value;

use crate::program::{Place, repository};

const ALLOWED: &str = r#"{
    "subject": {"type": "workload", "id": "spiffe://demo.edgeward.dev/ns/shop/sa/frontend"},
    "action": {"name": "GET"},
    "resource": {"type": "http", "id": "shop", "properties": {"host": "shop", "segments": ["orders"]}}
}"#;

/// Asks the policy of package `a` in the folder `p` about what comes on standard input.
const EVAL_A: &[&str] = &[
    "eval",
    "--policies",
    "p",
    "--entrypoint",
    "data.a.allow",
    "--input",
    "-",
];

#[test]
fn a_decision_is_printed_and_is_the_exit_code() {
    let place = Place::with(&[("in.json", ALLOWED), ("nobody.json", "{}")]);
    let folder = repository("policies");
    for source in [&[][..], &["--policies", &folder]] {
        let said = place.run(&[&["eval", "--input", "in.json"], source].concat());
        let answer: Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(
            (said.code, &answer["decision"]),
            (0, &Value::Bool(true)),
            "{answer}"
        );
        let said = place.run(&[&["eval", "--input", "nobody.json"], source].concat());
        let answer: Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(
            (said.code, &answer["decision"]),
            (1, &Value::Bool(false)),
            "{answer}"
        );
        assert_eq!(answer["reasons"][0], "identity-required");
    }
}

#[test]
fn an_undefined_decision_is_a_deny_with_its_code() {
    let place = Place::with(&[("p/a.rego", "package a\n\nallow if input.x\n")]);
    let said = place.run_with(EVAL_A, b"{}");
    assert_eq!(said.code, 1, "{}", said.err);
    let answer: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(answer["reasons"][0], "policy-undefined");
    let said = place.run_with(EVAL_A, br#"{"x": true}"#);
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn an_input_that_is_not_strict_json_is_refused_by_name() {
    let place = Place::empty();
    for input in ["", "{", r#"{"a":1,"a":2}"#, "\u{fffd}"] {
        let said = place.run_with(&["eval", "--input", "-"], input.as_bytes());
        assert_eq!(said.code, 2, "{input}");
        assert!(
            said.err.starts_with("error: standard input: "),
            "{input}: {}",
            said.err
        );
    }
    let said = place.run(&["eval", "--input", "absent.json"]);
    assert_eq!(said.code, 2);
    assert!(said.err.starts_with("error: absent.json: "), "{}", said.err);
    let said = place.run(&["eval", "--entrypoint", "1 == 1", "--input", "-"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("`--entrypoint 1 == 1` is not a rule"),
        "{}",
        said.err
    );
}

#[test]
fn policy_tests_are_run_and_reported() {
    let place = Place::with(&[
        ("p/a.rego", "package a\n\ndefault allow := false\n"),
        (
            "p/a_test.rego",
            "package a_test\n\nimport data.a\n\ntest_denies if not a.allow\n\ntest_allows if a.allow\n",
        ),
    ]);
    let arguments = ["test", "--policies", "p", "--entrypoint", "data.a.allow"];
    let said = place.run(&arguments);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.out.contains("pass  data.a_test.test_denies\n"),
        "{}",
        said.out
    );
    assert!(
        said.out
            .contains("FAIL  data.a_test.test_allows (a_test.rego): "),
        "{}",
        said.out
    );
    assert!(said.out.ends_with("1 passed, 1 failed\n"), "{}", said.out);

    let said = place.run(&[&arguments[..], &["--output", "json"]].concat());
    let results: Vec<Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(results.len(), 2);
    assert!(results.iter().any(|result| result["result"] == "fail"));

    let said = place.run(&["test"]);
    assert_eq!(
        said.code, 0,
        "the embedded example passes its own tests: {}",
        said.out
    );
}

#[test]
fn a_policy_that_is_no_policy_is_exit_code_2() {
    let place = Place::with(&[("p/a.rego", "package a\n\nallow if {\n")]);
    for arguments in [
        &["test", "--policies", "p", "--entrypoint", "data.a.allow"],
        EVAL_A,
        &["test", "--policies", "absent"],
    ] {
        let said = place.run_with(arguments, b"{}");
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{arguments:?}");
        assert!(said.err.starts_with("error: "), "{}", said.err);
    }
}

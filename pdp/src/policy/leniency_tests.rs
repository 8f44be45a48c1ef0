//! Functions of several definitions of which one fails, with what OPA answers (1.4.2's server, which takes a failed
//! built-in for undefined; where none fails, 1.20 says the same).

use std::sync::Arc;
use std::time::Duration;

use edgeward_core::time::UnixSeconds;
use serde_json::{Value as Json, json};

use crate::policy::tests::sources;
use crate::policy::{
    BuiltinErrors, EngineChoice, NoDocument, PolicySet, PolicySettings, Reference, from_json,
    on_deep_stack,
};

const RULE: &str = "data.edgeward.authz.decision";

fn set(policy: &str) -> Arc<PolicySet> {
    let text = format!("package edgeward.authz\n\n{policy}\n");
    let settings = PolicySettings {
        evaluation_timeout: Duration::from_secs(5),
        engine: EngineChoice::Interpreter,
        ..PolicySettings::default()
    };
    Arc::new(PolicySet::build(sources(&[("a.rego", &text)]).unwrap(), &settings).unwrap())
}

/// What the Data API answers: null where nothing is defined; as words where there is an error.
fn answers(policy: &str, inputs: &[Json], errors: BuiltinErrors) -> Vec<Json> {
    let (set, inputs) = (set(policy), inputs.to_vec());
    on_deep_stack(move || {
        let mut worker = set.worker().unwrap();
        let mut ask = |input: Json| {
            let at = Reference::at(RULE);
            match worker.document(&at, &from_json(input), errors, UnixSeconds(0)) {
                Ok(value) => serde_json::to_value(value).unwrap(),
                Err(NoDocument::Conflict(_)) => json!("conflict"),
                Err(error) => json!(format!("error: {error}")),
            }
        };
        inputs.into_iter().map(&mut ask).collect()
    })
    .unwrap()
}

type Case = (&'static str, &'static [(&'static str, &'static str)]);

const CASES: &[Case] = &[
    (
        "g(x, y) if {\n\tnot y[y][0]\n\tinput.a.c\n}\n\ng(_, y) if {v | some v in y} in input.a\n\n\
         decision := [b | b := g(1, null)]",
        &[
            (r#"{"a": {"c": 1}}"#, "[true]"),
            (r#"{"a": {"c": false}}"#, "[]"),
            (r#"{"a": [[]]}"#, "[]"),
            ("{}", "[]"),
        ],
    ),
    (
        "g(x, y) if {\n\tnot y[y][0]\n\tinput.a.c\n}\n\ng(_, y) if {v | some v in y} == input.b\n\n\
         decision contains v if {\n\tsome v in [1, 2]\n\tnot g(v, null)\n}",
        &[
            (r#"{"a": {"c": 1}}"#, "[]"),
            (r#"{"a": {"c": false}}"#, "[1, 2]"),
        ],
    ),
    (
        "f(x) := x + 1\n\nf(x) := x if is_string(x)\n\n\
         decision := [f(input.a), {v | some v in [f(input.b)]}]",
        &[
            (r#"{"a": 1, "b": "x"}"#, r#"[2, ["x"]]"#),
            (r#"{"a": 1, "b": null}"#, "[2, []]"),
            (r#"{"a": [1], "b": 1}"#, "null"),
        ],
    ),
    (
        "f(x) := {v | some v in x}\n\nf(x) := x if is_number(x)\n\n\
         decision := {v | some v in [f(input.a), f(input.b)]}",
        &[
            (r#"{"a": [1], "b": [2]}"#, "[[1], [2]]"),
            (r#"{"a": 3, "b": [1]}"#, r#""conflict""#),
        ],
    ),
    (
        "f(x) := 10 / x\n\nf(x) := x % 2.5 if x > 1\n\ndecision := [v | some x in input.a; v := f(x)]",
        &[
            (r#"{"a": [0, 1, 5, "a"]}"#, "[10, 2]"),
            (r#"{"a": [2]}"#, "[5]"),
        ],
    ),
    (
        "f(x) := x - input.b\n\nf(x) := x | input.b if is_string(x)\n\n\
         decision := [v | some x in input.a; v := f(x)]",
        &[
            (r#"{"a": [1, 2], "b": 1}"#, "[0, 1]"),
            (r#"{"a": ["a"], "b": 1}"#, "[]"),
            (r#"{"a": [1], "b": "x"}"#, "[]"),
        ],
    ),
    (
        "f(x) := x % input.b\n\nf(x) := 7 if x == \"a\"\n\n\
         decision := [v | some x in input.a; v := f(x)]",
        &[
            (r#"{"a": [7, 8.5, "a"], "b": 3}"#, "[1, 7]"),
            (r#"{"a": [7, "a"], "b": 0}"#, "[7]"),
            (r#"{"a": [7, "a"], "b": 1.5}"#, "[7]"),
        ],
    ),
    (
        "f(x) := count(x)\n\nf(x) := regex.match(x, \"a\") if is_string(x)\n\n\
         decision := [v | some x in input.a; v := f(x)]",
        &[
            (r#"{"a": [[1], 3]}"#, "[1]"),
            (r#"{"a": ["["]}"#, "[1]"),
            (r#"{"a": ["a"]}"#, r#""conflict""#),
        ],
    ),
    (
        "f(x) if not startswith(x, \"a\")\n\nf(x) if x == [1]\n\n\
         decision := [x | some x in input.a; f(x)]",
        &[(r#"{"a": ["a", "b", 1, [1]]}"#, r#"["b", 1, [1]]"#)],
    ),
    (
        "f(x) := (x + 1) * (2 - (x)) / x -1\n\nf(x) := \"none\" if x == 0\n\n\
         decision := [v | some x in input.a; v := f(x)]",
        &[(r#"{"a": [0, 1, 2, "x"]}"#, r#"["none", 1, -1]"#)],
    ),
    (
        "f(x) := x[count(x) - 1]\n\nf(x) := x if is_number(x)\n\n\
         decision := [v | some x in input.a; v := f(x)]",
        &[(r#"{"a": [[1, 2], 3, "x"]}"#, "[2, 3]")],
    ),
    (
        "f(x) := [(v + 1) | some v in x]\n\nf(x) := {v: (2 / v) | some v in [x, 1]} if is_number(x)\n\n\
         decision := [v | some x in input.a; v := f(x)]",
        &[
            (r#"{"a": [[1, "a", 2], ["b"], "c"]}"#, "[[2, 3], [], []]"),
            (r#"{"a": [[1, 2, "a"]]}"#, "[[2, 3]]"),
        ],
    ),
];

#[test]
fn a_definition_that_fails_leaves_the_others_as_in_opa() {
    for (policy, asked) in CASES {
        let json = |text: &str| -> Json { serde_json::from_str(text).unwrap() };
        let inputs: Vec<Json> = asked.iter().map(|(input, _)| json(input)).collect();
        let wanted: Vec<Json> = asked.iter().map(|(_, wanted)| json(wanted)).collect();
        let said = answers(policy, &inputs, BuiltinErrors::Undefined);
        assert_eq!(said, wanted, "{policy}");
    }
}

#[test]
fn where_a_failed_builtin_is_an_error_it_stays_one_in_whatever_definition() {
    let policy = "f(x) := 10 / x\n\nf(x) := 1 if startswith(x, \"a\")\n\nf(x) := count(x) if x == 3\n\n\
                  f(x) := {v | some v in x} if x == null\n\ndecision := f(input.x)";
    for (x, why) in [
        (json!(0), "a.rego:3: divide by zero"),
        (json!("a"), "expects numeric argument"),
        (json!(3), "a.rego:5: `startswith` expects string argument"),
        (json!(null), "expects"),
    ] {
        let said = answers(policy, &[json!({ "x": x })], BuiltinErrors::Fail);
        let said = said[0].as_str().unwrap_or_default().to_owned();
        let is_error = said.starts_with("error: ") && said.contains(why);
        assert!(is_error, "{x}: {said}");
    }
}

#[test]
fn what_passes_a_bound_is_an_error_in_whatever_definition() {
    let policy = "f(x) := numbers.range(1, x)\n\nf(_) := regex.match(input.pattern, \"a\")\n\n\
                  decision := f(input.x)";
    for question in [
        json!({"x": 1_000_000, "pattern": "a"}),
        json!({"x": 1, "pattern": "((a{1000}){1000}){1000}"}),
    ] {
        let said = answers(policy, &[question], BuiltinErrors::Undefined);
        let said = said[0].as_str().unwrap_or_default().to_owned();
        assert!(said.starts_with("error: "), "{said}");
    }
}

#[test]
fn a_query_takes_a_definition_that_fails_as_in_opa() {
    let set = set(
        "f(x) := x - 1\n\nf(x) := x if is_string(x)\n\nf(x) := {v | some v in x} if x == 7\n\ndecision := 1",
    );
    let said = on_deep_stack(move || {
        let mut queries = set.queries().unwrap();
        let queries = [
            "x := data.edgeward.authz.f(\"a\")",
            "x := [y | some y in [1, \"b\"]; y + 1 > 0]; y := 1 / (count(x) - 1)",
            "x := data.edgeward.authz.f(5) % 2",
        ]
        .map(|text| queries.ask(text, &from_json(json!({})), UnixSeconds(0)));
        queries.map(|answered| serde_json::to_value(answered.unwrap().solutions).unwrap())
    })
    .unwrap();
    assert_eq!(said, [json!([{"x": "a"}]), json!([]), json!([{"x": 0}])]);
}

//! What documents are indexed by; each answer is OPA 1.20's.

use serde_json::{Value, json};

use crate::policy::tests::sources;
use crate::policy::{EngineChoice, LoadError, PolicySet, PolicySettings, from_json, on_deep_stack};
use edgeward_core::time::UnixSeconds;

const DATA: &str = r#"{"d": {"l": ["x", "y", "z"], "o": {"1": "one", "1.5": 1, "a": "A"},
    "n": [{"l": ["a", "b"], "o": {"1": 1}}]}}"#;

/// What the rule `r` of that text answers for each of `inputs`, in both engines.
fn answers(text: &str, inputs: &[Value]) -> Result<Vec<Option<Value>>, LoadError> {
    let text = format!("package t\nimport data.d as dd\n{text}\n");
    let files = [
        ("t.rego", text.as_str()),
        (
            "lib.rego",
            "package lib.one\nnames contains \"1\"\nlist := [\"p\", \"q\"]\n",
        ),
        ("d.json", DATA),
    ];
    let ask = |engine| -> Result<Vec<Option<Value>>, LoadError> {
        let settings = PolicySettings {
            entry_point: "data.t.r".to_owned(),
            engine,
            ..PolicySettings::default()
        };
        let set = PolicySet::build(sources(&files).unwrap(), &settings)?;
        let inputs = inputs.to_vec();
        let answers = on_deep_stack(move || {
            let mut worker = set.worker().unwrap();
            let mut ask = |input: Value| worker.value(from_json(input), UnixSeconds(0)).unwrap();
            inputs
                .into_iter()
                .map(|input| ask(input).map(|value| json!(value)))
                .collect::<Vec<_>>()
        });
        Ok(answers.unwrap())
    };
    let bytecode = ask(EngineChoice::Auto)?;
    assert_eq!(bytecode, ask(EngineChoice::Interpreter)?, "{text}");
    Ok(bytecode)
}

fn keys(keys: &[Value]) -> Vec<Value> {
    keys.iter().map(|key| json!({"k": key})).collect()
}

#[test]
fn a_text_is_a_place_in_an_array_of_data_and_a_number_a_name() {
    let found = |value: &str| Some(json!(value));
    let asked = [
        (json!("1"), found("y"), found("one")),
        (json!("01"), found("y"), None),
        (json!("+1"), found("y"), None),
        (json!("-0"), found("x"), None),
        (json!("1."), found("y"), None),
        (json!("1.0"), found("y"), None),
        (json!("1.5"), None, Some(json!(1))),
        (json!("-1"), None, None),
        (json!("3"), None, None),
        (json!("1e0"), None, None),
        (json!("0x1"), None, None),
        (json!("1_0"), None, None),
        (json!(" 1"), None, None),
        (json!("1 "), None, None),
        (json!("9999999999999999999999"), None, None),
        (json!(""), None, None),
        (json!("a"), None, found("A")),
        (json!(1), found("y"), found("one")),
        (json!(1.5), None, Some(json!(1))),
        (json!(10), None, None),
        (json!(true), None, None),
        (json!(null), None, None),
        (json!([1]), None, None),
    ];
    let inputs = keys(&asked.clone().map(|(key, ..)| key));
    let in_list: Vec<_> = asked.iter().map(|(_, found, _)| found.clone()).collect();
    let in_object: Vec<_> = asked.iter().map(|(.., found)| found.clone()).collect();
    for (text, expected) in [
        ("r := data.d.l[input.k]", &in_list),
        ("r := dd.l[input.k]", &in_list),
        ("r := x if { k := input.k; x := data.d.l[k] }", &in_list),
        ("f(k) := data.d.l[k]\nr := f(input.k)", &in_list),
        ("r := data.d.o[input.k]", &in_object),
        ("r := dd.o[input.k]", &in_object),
        (
            "r := x if { some k in [input.k]; x := dd.o[k] }",
            &in_object,
        ),
    ] {
        assert_eq!(&answers(text, &inputs).unwrap(), expected, "{text}");
    }
}

#[test]
fn deep_inside_of_a_document_it_is_the_same() {
    let input = [json!({"n": "0", "k": "1"})];
    for (text, expected) in [
        ("r := data.d.n[input.n].l[input.k]", json!("b")),
        ("r := data.d.n[\"0\"].o[1]", json!(1)),
        ("r := dd.n[0].o[1]", json!(1)),
        ("r := $\"{data.d.l[input.k]}\"", json!("y")),
        ("r := [x | x := data.d.n[input.n].l[input.k]]", json!(["b"])),
        ("r if not data.d.l[input.absent]", Value::Null),
        ("r if not data.d.absent[input.k]", json!(true)),
        ("r if not data.d.l[input.k]", Value::Null),
        ("r if not data.d.l[input.k] == \"z\"", json!(true)),
        (
            "r if { i = input.k; not data.d.l[i] == \"y\" }",
            Value::Null,
        ),
        ("r if { some i; i = input.k; not data.d.l[i] }", Value::Null),
        (
            "r if not data.d.l[[x | x := input.k][0]] == \"y\"",
            Value::Null,
        ),
        (
            "r if not count([1 | data.d.l[i] == \"y\"; i > 0]) == 2",
            json!(true),
        ),
    ] {
        let expected = (!expected.is_null()).then_some(expected);
        assert_eq!(answers(text, &input).unwrap(), [expected], "{text}");
    }
}

#[test]
fn a_loop_over_a_document_stays_one() {
    let input = [json!({"xs": ["x", "z"]})];
    for (text, expected) in [
        ("r := [i | data.d.l[i] == \"y\"]", json!([1])),
        ("r := [k | some k; data.d.o[k]]", json!(["1", "1.5", "a"])),
        (
            "r := [i | some i; data.d.l[i] == input.xs[_]]",
            json!([0, 2]),
        ),
        ("r := [v | v := data.d.n[_].l[_]]", json!(["a", "b"])),
    ] {
        assert_eq!(answers(text, &input).unwrap(), [Some(expected)], "{text}");
    }
}

#[test]
fn the_value_of_a_name_or_a_rule_is_indexed_by_just_what_is_there() {
    let inputs = keys(&[json!("1"), json!(1)]);
    for (text, expected) in [
        ("r := l[input.k] if l := data.d.l", [None, Some(json!("y"))]),
        ("r := data.lib.one.list[input.k]", [None, Some(json!("q"))]),
        ("r := data.lib.one.names[input.k]", [Some(json!("1")), None]),
    ] {
        assert_eq!(answers(text, &inputs).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_may_be_a_rule_or_a_document_is_refused_where_that_matters() {
    let input = [json!({"lib": "one"})];
    for text in [
        "r := data.lib[input.lib].names[input.k]",
        "r if data[input.a].one.names[input.k].x",
        "r := $\"{data.lib.one.list[input.k]}\"",
        "q if data.d.l[\"1\"] == \"B\"\nr if q with data.d.l as [\"A\", \"B\"]",
        "q if data.d.l[input.k] == \"B\"\nr if q with data.d as {\"l\": [\"A\", \"B\"]}",
        "q if data.d.l[input.k] == \"B\"\nr if q with data as {}",
    ] {
        let refused = answers(text, &input).unwrap_err().to_string();
        assert!(
            refused.contains("t.rego:3: something computed"),
            "{refused}"
        );
    }
    for text in [
        "r := data.lib[input.lib].names",
        "r := data.lib[input.lib].names[\"1\"]",
        "r := count([n | data.lib[input.lib].names[n]])",
        "r := x if { found := data.lib[input.lib].names; x := found[input.k] }",
    ] {
        answers(text, &input).unwrap();
    }
}

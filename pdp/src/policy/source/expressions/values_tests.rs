//! Values that the engine would give otherwise than OPA: `in` with a side that is not there, names that
//! `every` binds in equations. Each answer is OPA 1.20's.

use serde_json::{Value, json};

use crate::policy::tests::sources;
use crate::policy::{EngineChoice, LoadError, PolicySet, PolicySettings, from_json, on_deep_stack};
use edgeward_core::time::UnixSeconds;

/// What the rule `r` of that text answers, in both engines.
fn answer(text: &str) -> Result<Option<Value>, LoadError> {
    let text = format!("package t\n{text}\n");
    let ask = |engine| -> Result<Option<Value>, LoadError> {
        let settings = PolicySettings {
            entry_point: "data.t.r".to_owned(),
            engine,
            ..PolicySettings::default()
        };
        let set = PolicySet::build(sources(&[("t.rego", text.as_str())]).unwrap(), &settings)?;
        let answer = on_deep_stack(move || {
            let mut worker = set.worker().unwrap();
            let input = json!({
                "xs": [1, 1], "ys": [1, 2, 3], "o": {"a": 1, "b": 2}, "user": "u", "n": 5,
                "ps": [[1, 1], [1, 2]],
            });
            let value = worker.value(from_json(input), UnixSeconds(0)).unwrap();
            value.map(|value| json!(value))
        });
        Ok(answer.unwrap())
    };
    let bytecode = ask(EngineChoice::Auto)?;
    assert_eq!(bytecode, ask(EngineChoice::Interpreter)?, "{text}");
    Ok(bytecode)
}

#[test]
fn what_every_binds_has_its_value_in_equations() {
    for body in [
        "y := 5; every k in [1, 1] { k = y }",
        "every k in input.xs { k = input.user }",
        "every k in input.xs { input.user = k }",
        "every k in input.xs { k = 2 }",
        "every k in input.xs {\n# {\nk = 2\n}",
        "every k in input.xs{k = 2}",
        "every k, v in input.o { v = 7; k }",
        "every k, v in input.o { k = \"z\"; v }",
        "every _, v in input.o { v = 7 }",
        "every p in input.ps { p = [1, 7] }",
        "every p in input.ps { [1, 7] = p }",
        "every p in input.ps { p = [1, x]; x > 5 }",
        "every p in input.ps { [p, 1] = [[9], 1] }",
        "every x in input.xs { count([1 | x = 2]) > 0 }",
        "every x in input.xs { count({1 | [x] = [2]}) > 0 }",
        "every x in input.xs { every y in input.ys { x = y } }",
        "every x in input.xs { some y in [7]; x = y }",
        "every x in input.xs { some y; input.ys[y] = x; y > 1 }",
        "every x in [9] { input.ys[_] = x }",
        "every x in [9] { input.ys[i] = x; i >= 0 }",
        "every k in input.xs { not k = 1 }",
        "x = 2; every k in input.xs { x = k }",
        "every k in [{\"a\": 1}] { {\"a\": 2} = k }",
    ] {
        assert_eq!(
            answer(&format!("r if {{ {body} }}")).unwrap(),
            None,
            "{body}"
        );
    }
    for body in [
        "every k in input.xs { k = 1 }",
        "every k in input.xs { y = k; y == 1 }",
        "every p in input.ps { p = [1, x]; x > 0 }",
        "every x in input.xs { some y in input.ys; x = y }",
        "every x in input.xs { input.ys[_] = x }",
        "every k in input.xs { not k = 2 }",
        "x = 1; every k in input.xs { x = k }",
    ] {
        let answer = answer(&format!("r if {{ {body} }}")).unwrap();
        assert_eq!(answer, Some(json!(true)), "{body}");
    }
}

#[test]
fn in_as_a_value_is_undefined_where_a_side_of_it_is() {
    for (text, expected) in [
        ("r := b if { b := 1 in input.nope }", Value::Null),
        ("r := 1 in input.nope", Value::Null),
        ("r if { b := input.nope in [1]; b == false }", Value::Null),
        ("r := [x | x := 1 in input.nope]", json!([])),
        ("r := [1 in input.nope]", Value::Null),
        ("r := {\"a\": 1 in input.nope}", Value::Null),
        ("r if (1 in input.nope) == false", Value::Null),
        ("r := b if { b := \"a\", 1 in input.nope }", Value::Null),
        ("f(x) := x\nr := f(1 in input.nope)", Value::Null),
        ("r := b if { b := 1 in \"abc\" }", json!(false)),
        ("r := 1 in set()", json!(false)),
        ("r := 1 in {}", json!(false)),
        ("r := set() in {set()}", json!(true)),
        ("r := \"a\" in [\"a\"]", json!(true)),
        ("r := 1 in input.xs", json!(true)),
        ("r := 1 in input.o", json!(true)),
        ("r := b if { b := \"a\", 1 in input.o }", json!(true)),
        ("r := b if { b := 0, 1 in input.xs }", json!(true)),
        ("r := b if { b := 0, 0 in {0} }", json!(true)),
        ("r if 0, 0 in {0}", json!(true)),
        ("r if 0, 1 in {0, 1}", Value::Null),
        ("r := 2 in {\"a\": 1, \"b\": 2}", json!(true)),
        (
            "r := {\"a\": 1, \"b\": 2} in [{\"a\": 1, \"b\": input.n}, input.o]",
            json!(true),
        ),
        (
            "r := [1 in {\"a\": input.n, \"b\": input.nope}]",
            Value::Null,
        ),
        ("r := (1 in input.xs) in [1 in input.ys]", json!(true)),
        ("r if not 1 in input.nope", Value::Null),
        (
            "r := [1, 1 in input.ys,\n2 in input.ys]",
            json!([1, true, true]),
        ),
    ] {
        let expected = (!expected.is_null()).then_some(expected);
        assert_eq!(answer(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn a_name_in_two_patterns_is_refused() {
    for text in [
        "f(a, a) := a\nr := f(1, 2)",
        "f([a], {\"b\": a}) := a\nr := 1",
        "r := [y | some y, y in input.ys]",
    ] {
        let refused = answer(text).unwrap_err().to_string();
        assert!(refused.contains("is there twice"), "{refused}");
    }
    assert_eq!(
        answer("f(_, _) := 1\nr := f(1, 2)").unwrap(),
        Some(json!(1))
    );
}

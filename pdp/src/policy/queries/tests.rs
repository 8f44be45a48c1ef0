//! Queries against a small set; `service/tests/opa` has OPA itself to compare with.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::policy::tests::sources;
use crate::policy::{PolicySettings, on_deep_stack};

const POLICY: &str = r#"package shop
import rego.v1
default allow := false
allow if { trace("in allow"); input.user in data.shop.staff }
f(x) := x + 1
perms[r] := x if { some r, x in {"a": 1, "b": 2} }
deep := 7 if { input.n }
"#;
const DATA: &str =
    r#"{"shop": {"staff": ["alice", "bob"]}, "list": [1, 2, 3, false], "dup": [1, 1]}"#;

fn asked(all: &'static [&'static str], input: Json) -> Vec<Result<Json, NoAnswer>> {
    let settings = PolicySettings {
        entry_point: "data.shop.allow".to_owned(),
        evaluation_timeout: Duration::from_secs(5),
        ..PolicySettings::default()
    };
    let files = [("shop.rego", POLICY), ("data.json", DATA)];
    let set = Arc::new(PolicySet::build(sources(&files).unwrap(), &settings).unwrap());
    on_deep_stack(move || {
        let mut queries = set.queries().unwrap();
        let input = crate::policy::from_json(input);
        let mut ask = |text: &str| {
            let answered = queries.ask(text, &input, UnixSeconds(1_800_000_000))?;
            Ok(serde_json::to_value(answered.solutions).unwrap())
        };
        all.iter().map(|text| ask(text)).collect()
    })
    .unwrap()
}

#[test]
fn a_query_tells_what_its_variables_stand_for_once_for_each_way_it_holds() {
    let table = [
        ("x := 1", json!([{"x": 1}])),
        ("x := 1; y := x + 1", json!([{"x": 1, "y": 2}])),
        ("x := 1\ny := x + 1 # c", json!([{"x": 1, "y": 2}])),
        ("1 = 2", json!([])),
        ("data.nope", json!([])),
        ("data.shop.staff[i]", json!([{"i": 0}, {"i": 1}])),
        ("data.shop.staff[_]", json!([{}, {}])),
        ("data.list[_]", json!([{}, {}, {}])),
        (
            "x = data.list[_]",
            json!([{"x": 1}, {"x": 2}, {"x": 3}, {"x": false}]),
        ),
        ("data.dup[_] = z", json!([{"z": 1}, {"z": 1}])),
        (
            "some i, x in data.shop.staff; i > 0",
            json!([{"i": 1, "x": "bob"}]),
        ),
        ("x := [y | y = 1]", json!([{"x": [1]}])),
        ("[x, y] = [1, [2]]", json!([{"x": 1, "y": [2]}])),
        ("{\"a\": x} = {\"a\": 1}", json!([{"x": 1}])),
        ("data.shop.perms[k]", json!([{"k": "a"}, {"k": "b"}])),
        ("x = data.shop.f(1)", json!([{"x": 2}])),
        ("strings.count(\"aa\", \"a\", x)", json!([{"x": 2}])),
        (
            "walk({\"a\":1}, [p, v])",
            json!([{"p": [], "v": {"a": 1}}, {"p": ["a"], "v": 1}]),
        ),
        ("every x in [1] { x > 0 }", json!([{}])),
        (
            "x := data.shop.allow with input.user as \"alice\"",
            json!([{"x": true}]),
        ),
        ("x := $\"a{1}\"", json!([{"x": "a1"}])),
        ("data[\"shop\"].staff[x]", json!([{"x": 0}, {"x": 1}])),
        (
            "x := data.shop",
            json!([{"x": {"allow": false, "perms": {"a": 1, "b": 2}, "staff": ["alice", "bob"]}}]),
        ),
        ("x := trace(\"t\")", json!([{"x": true}])),
        ("_ = 1", json!([{}])),
        ("not data.shop.allow", json!([{}])),
    ];
    let texts: Vec<&'static str> = table.iter().map(|(text, _)| *text).collect();
    let answers = asked(Vec::leak(texts), json!({}));
    for ((text, expected), answer) in table.iter().zip(answers) {
        assert_eq!(answer, Ok(expected.clone()), "{text}");
    }
}

#[test]
fn one_bare_expression_holds_whatever_its_value_is() {
    for answer in asked(
        &[
            "false",
            "1 == 2",
            "data.shop.allow",
            "1 in [2]",
            "contains(\"a\", \"z\")",
            "data.shop.allow with input.user as \"x\"",
            "# it says\n false",
        ],
        json!({}),
    ) {
        assert_eq!(answer, Ok(json!([{}])));
    }
    for answer in asked(
        &["false; true", "data.shop.deep", "data.list[3] = true"],
        json!({}),
    ) {
        assert_eq!(answer, Ok(json!([])));
    }
}

#[test]
fn what_is_no_query_is_refused_with_its_place_and_evaluates_nothing() {
    let table: &[(&'static str, &str, u32)] = &[
        ("x = [", "rego_parse_error", 1),
        ("x := 1;\ny := }", "rego_parse_error", 2),
        ("1 ]\nallow := true\nz := [1 | true", "rego_parse_error", 1),
        ("1 ] == [1 | true", "rego_parse_error", 1),
        ("1 ] if x := [1 | true", "rego_parse_error", 1),
        ("import data.shop", "rego_parse_error", 1),
        ("x", "rego_unsafe_var_error", 1),
        ("true\nx > 1", "rego_unsafe_var_error", 2),
        ("false; x > 1", "rego_unsafe_var_error", 1),
        ("not x", "rego_unsafe_var_error", 1),
        ("x = y", "rego_compile_error", 1),
        ("z := x; x := z", "rego_compile_error", 1),
        ("data", "rego_compile_error", 1),
        ("x = 1; y = data", "rego_compile_error", 1),
        ("# data\nx := [k | data[k]]", "rego_compile_error", 2),
        ("k := \"shop\"\ndata[k].staff", "rego_compile_error", 2),
        ("x := data[data.shop.staff[0]]", "rego_compile_error", 1),
        ("foo(1)", "rego_type_error", 1),
        ("data.shop.nofun(1)", "rego_type_error", 1),
        ("true; true\nhttp.send({})", "rego_type_error", 2),
        ("[[[[[[[[[[[[[1]]]]]]]]]]]]]", "rego_compile_error", 1),
    ];
    let texts: Vec<&'static str> = table.iter().map(|(text, _, _)| *text).collect();
    for ((text, code, row), answer) in table.iter().zip(asked(Vec::leak(texts), json!({}))) {
        let Err(NoAnswer::Parse(fault) | NoAnswer::Compile(fault)) = answer else {
            panic!("{text}: {answer:?}");
        };
        assert_eq!((fault.code, fault.row), (*code, *row), "{text}: {fault:?}");
    }
    assert_eq!(
        asked(&["", " \n", "# c"], json!({})),
        vec![Err(NoAnswer::Empty); 3]
    );
    let long = Box::leak(format!("x := \"{}\"", "a".repeat(MAX_QUERY_BYTES)).into_boxed_str());
    let refused = asked(Vec::leak(vec![&*long]), json!({}));
    assert!(
        matches!(&*refused, [Err(NoAnswer::Parse(_))]),
        "{refused:?}"
    );
}

#[test]
fn a_query_cannot_do_in_memory_or_stack_what_a_policy_cannot() {
    let doubled: Vec<String> = (1..200)
        .map(|n| format!("x{n} := concat(\"\", [x{}, x{}])", n - 1, n - 1))
        .collect();
    let doubled = format!("x0 := \"aaaaaaaa\"\n{}", doubled.join("\n"));
    let sum = format!("x := {}", vec!["1"; 5000].join("+"));
    let nested = format!("x := {}1{}", "(".repeat(5000), ")".repeat(5000));
    let not = format!("{}true", "not ".repeat(2000));
    let texts = [doubled, sum, nested, not].map(|text| &*Box::leak(text.into_boxed_str()));
    for answer in asked(Vec::leak(texts.to_vec()), json!({})) {
        assert!(answer.is_err(), "{answer:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn whatever_a_caller_writes_is_answered_or_refused(
        texts in proptest::collection::vec(
            proptest::collection::vec(
                prop_oneof![
                    Just("x".to_owned()), Just(":= ".to_owned()), Just(" = ".to_owned()), Just("; ".to_owned()),
                    Just("\n".to_owned()), Just("data.shop".to_owned()), Just("[x]".to_owned()), Just("[".to_owned()),
                    Just("]".to_owned()), Just("{".to_owned()), Just("}".to_owned()), Just("(".to_owned()),
                    Just(")".to_owned()), Just(" | ".to_owned()), Just("some x in ".to_owned()), Just("not ".to_owned()),
                    Just("every x in ".to_owned()), Just("data.list".to_owned()), Just("1".to_owned()),
                    Just("\"".to_owned()), Just("#".to_owned()), Just(" with input as ".to_owned()),
                    Just(" if ".to_owned()), Just("package a".to_owned()), Just(" default ".to_owned()),
                    Just("walk(".to_owned()), Just(",".to_owned()), Just("input".to_owned()), Just("_".to_owned()),
                    "\\PC{0,3}",
                ],
                0..12,
            ),
            30,
        )
    ) {
        let texts: Vec<&'static str> = texts
            .iter()
            .map(|parts| &*Box::leak(parts.concat().into_boxed_str()))
            .collect();
        let count = texts.len();
        let answers = asked(Vec::leak(texts.clone()), json!({"x": 1}));
        prop_assert_eq!(answers.len(), count);
        for (text, answer) in texts.iter().zip(&answers) {
            let is_list = !matches!(answer, Ok(answer) if !answer.is_array());
            prop_assert!(is_list, "{}: {:?}", text, answer);
            // The engine's panic would be a hole of the gate.
            let panicked = matches!(answer, Err(why) if why.to_string().contains("panicked"));
            prop_assert!(!panicked, "{}: {:?}", text, answer);
        }
    }
}

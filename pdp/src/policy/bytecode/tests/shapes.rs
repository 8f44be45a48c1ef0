//! Shape by shape: what is let through and must answer as the interpreter does, and what must not be.

use serde_json::{Value, json};

use super::{None, Pair, Said};
use crate::policy::{from_json, on_deep_stack};

const ENTRY_POINT: &str = "data.edgeward.authz.decision";
const DATA: &str =
    r#"{"d": {"a": {"b": 1}, "list": ["x", "y"], "none": [], "1": "one"}, "s": "text"}"#;

fn pair(policy: &str) -> Result<Pair, None> {
    let policy = format!("package edgeward.authz\n{policy}\n");
    let library = "package lib\nr := input.a\nkeys contains \"1\"\nf(x) := x\ns contains 1\n";
    let files = [
        ("a.rego", &*policy),
        ("lib.rego", library),
        ("d.json", DATA),
    ];
    Pair::of(&files, Option::None, ENTRY_POINT)
}

fn questions() -> Vec<Value> {
    vec![
        json!({}),
        json!({"a": 1}),
        json!({"a": "x", "b": ["x", "y"], "c": {"x": true, "y": false}}),
        json!({"a": false, "b": {"a": 1, "b": "x"}, "c": null}),
        json!({"a": {"a": {"a": 1}}, "b": [], "c": [1, [2], {"a": 3}]}),
        json!({"a": [["x"], [1, 2], []], "b": "x", "c": {}}),
        json!({"a": "b", "b": ["y", "x"], "c": {"x": 1}}),
        json!({"a": 1, "b": ["x"], "c": {"x": 1}}),
    ]
}

/// Written as it is, each of these has another answer in bytecode for some of the questions.
#[test]
fn what_the_compiler_gets_wrong_is_right_once_lowered() {
    let wrong = [
        // Undefined, bound.
        "decision if { x := input.absent }",
        "decision := {\"allow\": true} if { x := input.a.a.a }",
        "decision := [x | some e in input.c; x := e.absent]",
        "decision := count([x | some entry in [{}, {\"absent\": 1}]; x := entry.absent])",
        "decision := [input.absent | true]",
        "decision := {input.a.a | true}",
        "f(_) := true\ndecision if f(input.absent)",
        "f(_, y) := y\ndecision := f(input.a.b, 1)",
        // A document first read where nothing runs.
        "decision if { every e in data.d.none { e == input.a }; not input.a }",
        "decision if { count([1 | some e in data.d.none; e == input.a]) == 0; not input.b.a }",
        "decision if { every e in input.b { e == data.d.list }; not data.d.a.b }",
        "decision := [x | some x in input.b] if { not input.c.x }",
        // A condition that fails in a comprehension.
        "decision if { x := [1 | input.c.x]; y := [2 | input.c.y]; count(x) == count(y); input.a }",
        "decision if { some x in input.b; [x | x == \"y\"] == [] }",
        "decision if { every x in input.b { {1 | x == \"x\"} == {1} } }",
        "decision if not [1 | input.a] == []",
        "decision if not count([x | some x in input.b; x != \"x\"]) == 1",
        "decision := [x | y := [1 | input.a == 1]; x := count(y)]",
        "decision := [{z | some z in y; z != \"x\"} | some y in input.a]",
        // Loops over what is none.
        "deny contains 1 if { some e in input.a }\ndecision if count(deny) == 0",
        "decision if { every e in input.a { e } }",
        "decision if { every e in input.absent { e } }",
        "decision if not input.a in input.b",
        "decision := input.a in input.absent",
        // Failures.
        "deny contains 1 if startswith(input.a, \"x\")\ndecision if count(deny) == 0",
        "decision if not upper(input.a) == \"X\"",
        "decision if { numbers.range(1, count(input.b)) != []; r := numbers.range(1, input.a); not r[1] }",
        "p if input.c.x\np if startswith(input.a, \"x\")\ndecision if p",
        "f(x) if x == \"x\"\nf(x) if startswith(x, \"x\")\ndecision if f(input.a)",
        // Numbers and names in data.
        "decision := data.d[input.a]",
        "decision := data.d.a[input.a]",
        "decision := data.d.list[input.a]",
        "n := count(data.d.list) - 1\ndecision if { i := count(input.b) - 1; not data.lib.keys[i] }",
        "decision if { i := count(input.b); not data.d[i] }",
        // A name that the compiler takes for a loop.
        "decision if { every i, e in data.d.list { e == input.b[i] } }",
        "decision if { every i, e in data.d.list { e in {\"z\", input.b[i]} } }",
    ];
    let all = on_deep_stack(move || {
        let mut asked = 0;
        for policy in wrong {
            let mut pair = pair(policy).unwrap_or_else(|why| {
                // Where it cannot be let through, that is as good.
                panic!("{policy}: {why:?}")
            });
            for question in questions() {
                let said = pair.ask(&from_json(question.clone()));
                assert!(
                    !matches!(said, Said::Different(_)),
                    "{policy}: {said:?} for {question}"
                );
                asked += usize::from(matches!(said, Said::Same(_)));
            }
        }
        asked
    });
    assert!(all.unwrap() > 80);
}

/// Constructs that chance does not make.
#[test]
fn plain_constructs_answer_in_bytecode_as_in_the_interpreter() {
    let policies = [
        "f(\"x\", y) := y\ndecision := f(input.a, 1)",
        "f(1) if input.b\nf(\"x\") := true\ndecision if f(input.a)",
        "f(x, _) := x\ndecision := [f(input.a, input.b), 1]",
        "decision := 1 if input.c.x else := 2 if input.a == 1 else := input.a",
        "decision := false if input.c.x else := null if input.b else := \"\"",
        "decision := `a\"\\b` if input.a == \"x\" else := \"\\u00e9\\n\\\"}\" if input.b",
        "decision := [1.0, 1e3, 0.1, null, true, {\"a b\": {}}, {1, \"x\"}] if input.a == 1.0",
        "import data.lib.r as other\nimport input.c as of\ndecision := [other, of.x]",
        "decision := data.lib.f(input.a)",
        "import data.lib\ndecision := lib.f(input.a)",
        "default p := {\"a\": [1, {\"b\"}]}\np := 1 if input.c.x\ndecision := p.a",
        "default p := false\ndecision := p",
        "decision := input[\"c\"][\"x\"]",
        "p contains \"x\" if input.a\ndecision := p.x",
        "decision := p[input.a]\np contains x if some x in input.b",
        "decision := {k | some k, _ in input.c}",
        "decision contains x if { some _, x in input.b }\ndecision contains input.a",
        "decision if { not input.a; not input.c.x; input.c }",
        "decision if 1 < input.a\ndecision if input.a >= \"x\"",
        "decision := count(input.b) * 2 + count(data.d.list) - 1",
        "decision if count(input.b) > count(data.d.list) - 1",
        "decision := object.get(input, [\"c\", \"x\"], data.d.list)",
        "decision := sprintf(\"%v-%d\", [input.a, count(input.b)])",
        "decision := regex.match(\"^x\", input.a)",
        "decision if net.cidr_contains(\"10.0.0.0/8\", \"10.1.2.3\")",
        "decision := time.clock(time.parse_rfc3339_ns(\"2026-01-02T03:04:05Z\"))",
        "decision := numbers.range_step(0, count(input.b), 2)",
        "decision if { every _ in input.b { input.a } }",
        "decision if { every k, v in input.c { k == \"x\"; v == true } }",
    ];
    let same = on_deep_stack(move || {
        let mut same = 0;
        for policy in policies {
            let mut pair = pair(policy).unwrap_or_else(|why| panic!("{policy}: {why:?}"));
            for question in questions() {
                let said = pair.ask(&from_json(question.clone()));
                assert!(
                    !matches!(said, Said::Different(_)),
                    "{policy}: {said:?} for {question}"
                );
                same += usize::from(matches!(said, Said::Same(_)));
            }
        }
        same
    });
    assert!(same.unwrap() > 150);
}

/// The policy, and what the obstacle is called; nothing where the interpreter does not take it either.
const NOT_LET_THROUGH: &[(&str, &str)] = &[
    (
        "decision := 1 if input.a\ndecision := 2 if input.b",
        "several definitions",
    ),
    (
        "decision := input.a if input.c\ndecision := 1",
        "several definitions",
    ),
    (
        "f(x) := x if x\nf(x) := 1 if not x\ndecision := f(1)",
        "several definitions",
    ),
    (
        "default f(_) := 1\nf(x) := 2 if x\ndecision := f(1)",
        "a function with a default",
    ),
    (
        "default decision := [x | x := 1]\ndecision := 1 if input.a",
        "default",
    ),
    (
        "decision := x if some x in input.b",
        "a value from a body with a loop",
    ),
    (
        "decision := 1 if { some x in input.b; x } else := 2",
        "`else` after a body with a loop",
    ),
    (
        "decision := input.a if true else := 2",
        "`else` after a value",
    ),
    (
        "decision if { every i, e in input.b { not e == input.c[i] } }",
        "`:=` of a name to a name",
    ),
    ("decision if input.b[_] == 1", "may be a loop"),
    (
        "decision if { some i; input.b[i] == 1 }",
        "`some` without `in`",
    ),
    (
        "decision if { some [a, b] in input.b; a == b }",
        "a pattern in `some … in`",
    ),
    (
        "decision if { [a, b] := input.b; a == b }",
        "a pattern before `:=`",
    ),
    ("decision if { x := 1; x = input.a }", "`=`"),
    (
        "decision if { x := input.a; y := x; y == 1 }",
        "a name to a name",
    ),
    (
        "decision if { x := input.a; y := [x]; y == 1 }",
        "a name to a name",
    ),
    (
        "f([a, b]) := a if b\ndecision := f([1, 2])",
        "a pattern as a parameter",
    ),
    ("decision if { input.a } with input.a as 1", ""),
    ("decision if input.a == 1 with input.a as 1", "`with`"),
    ("decision if input.a + 1 == 2", "arithmetic"),
    ("decision if 1 / 2 == 1", "a division"),
    (
        "decision if 1, input.a in input.b",
        "a call of `internal.member_3`",
    ),
    (
        "decision := {x: 1 | some x in input.b}",
        "an object comprehension",
    ),
    ("decision := {input.a: 1}", "a computed key"),
    ("decision := {\"a\": 1, \"a\": 2}", "one key twice"),
    // Refused at the gate.
    ("decision contains x.a if some x in input.b", ""),
    ("decision contains input.c[x] if some x in input.b", ""),
    (
        "decision := [input.c[x] | some x in input.b]",
        "an index by a name in a head",
    ),
    ("decision := {1} | {2}", "`|` or `&`"),
    (
        "decision[k] := 1 if some k in input.b",
        "a reference as its name",
    ),
    ("a.b := 1\ndecision := a.b", "a name of several parts"),
    ("decision if print(1)", "a call of `print`"),
    ("decision := time.now_ns()", "a call of `time.now_ns`"),
    ("decision := uuid.parse(\"x\")", "a call of `uuid.parse`"),
    ("decision if { walk(input, [_, _]) }", ""),
    ("decision := data.lib", "more than one rule or document"),
    (
        "import data.lib\ndecision := lib.r",
        "an import of its package",
    ),
    ("import data.lib\ndecision if { some lib in input.b }", ""),
    (
        "a := 1\ndecision if { some x in input.b; every a in x { a } }",
        "hides another",
    ),
    ("decision if { x == 1; x := 1 }", ""),
    ("decision := f(1, x)\nf(y) := y", ""),
];

#[test]
fn what_is_not_known_to_be_right_is_for_the_interpreter() {
    for (policy, construct) in NOT_LET_THROUGH {
        let why = pair(policy)
            .err()
            .unwrap_or_else(|| panic!("{policy} is let through"));
        match why {
            None::Obstacle(obstacle) => {
                let text = obstacle.to_string();
                assert!(text.contains(construct), "{policy}: {text}");
            }
            None::Refused(_) => assert_eq!(*construct, "", "{policy}: {why:?}"),
        }
    }
}

#[test]
fn a_rule_where_data_says_otherwise_is_for_the_interpreter() {
    let files = [("a.rego", "package s\ndecision := 1\n"), ("d.json", DATA)];
    let why = Pair::of(&files, Option::None, "data.s.decision").err();
    assert!(why.is_some(), "`data.s` is a text");
}

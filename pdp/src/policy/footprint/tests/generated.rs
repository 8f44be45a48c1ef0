//! Policies and questions by chance: terms, statements and rules over few names, so that they meet.
//!
//! Not all of what comes out is a policy that loads; enough of it is.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// What the generated policies find in `data.d`.
pub(super) const DATA: &str = r#"{"d": {"a": {"b": 1, "c": "a"}, "b": ["a", 1], "c": "b"}}"#;

const MEMBERS: &[&str] = &["a", "b", "c"];

/// Which rules a term may use: those that come before the one it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// In `f` and `g`.
    Function,
    /// In `q`, which may call them.
    Rule,
    /// In the rules made of parts, which may read `q`.
    Parts,
    /// In what decides, which may read these.
    Decision,
}

/// A question: an object of objects, mostly, with a member that no policy names.
pub(super) fn question() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (0..2).prop_map(Value::from),
        select(MEMBERS).prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 32, 4, |inner| {
        prop_oneof![
            5 => object(inner.clone()),
            1 => prop::collection::vec(inner, 0..3).prop_map(Value::from),
        ]
    });
    let member = prop_oneof![6 => object(value.clone()), 1 => value];
    (member.clone(), member.clone(), member).prop_map(|(a, b, c)| json!({"a": a, "b": b, "c": c}))
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let name = select(vec!["a", "b", "c", "unnamed"]).prop_map(str::to_owned);
    prop::collection::btree_map(name, value, 0..5)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn step() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => select(MEMBERS).prop_map(|name| format!(".{name}")),
        2 => select(MEMBERS).prop_map(|name| format!("[\"{name}\"]")),
        1 => select(vec!["[_]", "[v]", "[w]", "[0]", "[input.c]", "[`a`]"]).prop_map(str::to_owned),
    ]
}

fn reference(level: Level) -> impl Strategy<Value = String> {
    let mut starts = vec!["input.a.b", "input.b.c", "v", "v", "w", "w", "data.d"];
    if level >= Level::Rule {
        starts.extend([
            "alias",
            "data.lib.r",
            "lib.r",
            "f(v)",
            "g(input, v)",
            "f(input)",
            "f(input.a)",
        ]);
    }
    if level >= Level::Parts {
        starts.push("q");
    }
    if level >= Level::Decision {
        starts.extend(["part", "by", "deep", "deep.a", "data.lib"]);
    }
    (select(starts), prop::collection::vec(step(), 0..4))
        .prop_map(|(start, steps)| format!("{start}{}", steps.concat()))
}

fn term(level: Level) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        8 => reference(level),
        1 => select(vec!["1", "\"a\"", "{}", "[]", "null"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            4 => inner.clone(),
            1 => pair.clone().prop_map(|(of, or)| format!("object.get({of}, \"a\", {or})")),
            1 => pair.clone().prop_map(|(of, or)| format!("object.get({of}, [\"b\", \"a\"], {or})")),
            1 => pair.clone().prop_map(|(of, key)| format!("object.get({of}, {key}, 0)")),
            1 => inner.clone().prop_map(|of| format!("count({of})")),
            1 => pair.clone().prop_map(|(a, b)| format!("{{\"a\": {a}, \"b\": {b}}}.a")),
            1 => pair.prop_map(|(a, b)| format!("[{a}, {b}]")),
            1 => inner.clone().prop_map(|of| format!("[y{0} | some y{0} in {of}]", of.len())),
            1 => inner.clone().prop_map(|of| format!("[1 | y{0} := {of}; y{0}.a]", of.len())),
            1 => inner.prop_map(|of| format!("{{k{0}: y{0} | some k{0}, y{0} in {of}}}", of.len())),
        ]
    })
}

fn statement(level: Level) -> impl Strategy<Value = String> {
    let one = move || term(level);
    let two = move || (term(level), term(level));
    prop_oneof![
        4 => one(),
        2 => one().prop_map(|term| format!("not {term}")),
        3 => two().prop_map(|(a, b)| format!("{a} == {b}")),
        1 => two().prop_map(|(a, b)| format!("{a} != {b}")),
        1 => two().prop_map(|(a, b)| format!("{a} = {b}")),
        1 => two().prop_map(|(a, b)| format!("{a} in {b}")),
        1 => two().prop_map(|(a, b)| format!("every x{0} in {a} {{ x{0} == {b} }}", a.len())),
        1 => one().prop_map(|of| format!("some z{0} in {of}; z{0}.a", of.len())),
        1 => one().prop_map(|of| format!("z{0} := {of}; z{0}.a.b", of.len())),
        1 => one().prop_map(|of| format!("walk({of}, [p{0}, _]); count(p{0}) > 1", of.len())),
    ]
}

/// `v` and `w` are named, then something is asked of them.
fn body(level: Level, start: &'static [&'static str]) -> impl Strategy<Value = String> {
    let named = (select(start), select(MEMBERS));
    let statements = prop::collection::vec(statement(level), 1..3);
    (named, statements).prop_map(|((start, name), statements)| {
        format!("v := {start}; w := v.{name}; {}", statements.join("; "))
    })
}

/// The texts of `package edgeward.authz` and of `package lib`.
pub(super) fn policy() -> impl Strategy<Value = (String, String)> {
    const OWN: &[&str] = &["x", "x.a"];
    const ANY: &[&str] = &["input.a", "input.b", "input.c.a", "data.d"];
    let functions = (
        body(Level::Function, OWN),
        term(Level::Function),
        body(Level::Function, OWN),
    );
    let rules = (
        body(Level::Rule, ANY),
        term(Level::Rule),
        body(Level::Rule, ANY),
        term(Level::Rule),
    );
    let parts = (
        body(Level::Parts, ANY),
        body(Level::Parts, ANY),
        term(Level::Parts),
    );
    let decision = prop::collection::vec((body(Level::Decision, ANY), term(Level::Decision)), 3);
    (
        functions,
        rules,
        parts,
        decision,
        any::<[bool; 8]>(),
        select(vec!["input.a", "input.b.c", "input.c.a"]),
    )
        .prop_map(|(functions, rules, parts, decision, optional, lib)| {
            let mut lines = vec![
                "import input.b as alias".to_owned(),
                "import data.lib".to_owned(),
            ];
            lines.extend(function_lines(functions, optional));
            lines.extend(rule_lines(rules, optional));
            lines.extend(part_lines(parts, optional));
            lines.extend(decision.iter().map(|(body, term)| {
                // Bound in the body: the gate refuses most of what takes something apart in a head.
                format!("answer contains {{\"o\": w, \"t\": t}} if {{ {body}; t := {term} }}")
            }));
            lines.extend(
                decision
                    .iter()
                    .map(|(body, _)| format!("answer contains 1 if {{ {body} }}")),
            );
            lines.push(
                "decision := {\"allow\": count(answer) > 1, \"reasons\": [json.marshal(answer)]}"
                    .to_owned(),
            );
            let library = format!("package lib\nr := {lib}\ns := input.c if input.a\n");
            (
                format!("package edgeward.authz\n{}\n", lines.join("\n")),
                library,
            )
        })
}

fn function_lines(parts: (String, String, String), optional: [bool; 8]) -> Vec<String> {
    let (body, value, other) = parts;
    let mut lines = vec![format!("g(x, y) := x.b if {{ {other} }}")];
    lines.push(if optional[0] {
        "f(x) := x.a".to_owned()
    } else {
        format!("f(x) := w if {{ {body} }} else := {value} if {{ v := x; w := v.c; v != w }}")
    });
    if optional[1] {
        lines.push("default g(_, _) := {\"a\": 1}".to_owned());
    }
    if optional[2] {
        lines.push("f(x) := {\"b\": 1} if x.c".to_owned());
    }
    lines
}

fn rule_lines(parts: (String, String, String, String), optional: [bool; 8]) -> Vec<String> {
    let (body, value, other, another) = parts;
    let mut lines = vec![format!("q := {value} if {{ {body} }}")];
    if optional[3] {
        lines.push("default q := [n | n := input.c]".to_owned());
    }
    if optional[4] {
        lines.push(format!("q := {another} if {{ {other} }} else := input.a"));
    }
    lines
}

fn part_lines(parts: (String, String, String), optional: [bool; 8]) -> Vec<String> {
    let (body, other, value) = parts;
    let mut lines = vec![
        format!("part contains w if {{ {body} }}"),
        format!("by[k] := y if {{ some k in [\"a\", \"b\"]; {other}; y := v[k] }}"),
        "deep.a.b := input.b".to_owned(),
    ];
    if optional[5] {
        lines.push("deep.c := input.c".to_owned());
    }
    if optional[6] {
        lines.push(format!(
            "part contains 1 if {{ v := 1; w := input.c; {value} }}"
        ));
    }
    if optional[5] && optional[6] && optional[7] {
        lines.push("part contains 2 if { q == 1 with input.a as input.b }".to_owned());
    }
    lines
}

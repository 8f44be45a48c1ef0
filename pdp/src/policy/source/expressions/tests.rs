//! That `not` holds where it does in OPA; each answer is OPA 1.20's.

use std::sync::Arc;

use serde_json::json;

use crate::policy::tests::sources;
use crate::policy::{EngineChoice, LoadError, PolicySet, PolicySettings, from_json, on_deep_stack};
use edgeward_core::time::UnixSeconds;

const RULES: &str = r#"
package t
import data.lib.named
f(x) := x
blocked(user) if user == "x"
q := [1]
xs := {"a": false, "b": true}
l := ["a", "zz"]
"#;

/// Whether the rule `r` of that body is true where there is no input but `{"c": {}}`, in each engine.
fn holds(body: &str) -> Result<bool, LoadError> {
    let text = format!("{RULES}\nr if {body}\n\nafter := 1\n");
    let library = "package lib
named := input.named
one := {\"a\": true}
two := {\"a\": 1, \"b\": 2}
ones := [two, {\"a\": 7}]
deep := {\"p\": {\"a\": true}, \"q\": [0, {\"r\": 1}]}
";
    let files = [("t.rego", text.as_str()), ("lib.rego", library)];
    let ask = |engine| {
        let settings = PolicySettings {
            entry_point: "data.t.r".to_owned(),
            engine,
            ..PolicySettings::default()
        };
        let set = Arc::new(PolicySet::build(sources(&files).unwrap(), &settings)?);
        on_deep_stack(move || {
            let mut worker = set.worker().unwrap();
            let input = from_json(json!({"c": {}}));
            worker.value(input, UnixSeconds(0)).unwrap().is_some()
        })
    };
    let both = (ask(EngineChoice::Auto)?, ask(EngineChoice::Interpreter)?);
    assert_eq!(both.0, both.1, "{body}");
    Ok(both.0)
}

#[test]
fn what_is_absent_inside_of_a_negated_expression_does_not_make_it_true() {
    for body in [
        "not blocked(input.user)",
        "not lower(input.user) == \"x\"",
        "not input.user in [\"x\"]",
        "not \"x\" in input.users",
        "not startswith(input.user, \"x\")",
        "not [input.user] == [\"x\"]",
        "not xs[input.user]",
        "not input.user != \"x\"",
        "not input.n > 1",
        "not input.n + 1 == 2",
        "not count(input.x)",
        "not [input.x]",
        "not f([input.x])",
        "not {\"a\": input.x}",
        "not [input.x][0]",
        "not q in [q, named]",
        "not f(named)",
        "{ u := input.user; not blocked(u) }",
        "{ not f(input.x) with input.y as 1\n\ttrue }",
        "{ [1 | not f(input.x)] == [1] }",
        "{ every i in [\"zz\", \"b\"] { not xs[i] } }",
    ] {
        assert!(!holds(body).unwrap(), "{body}");
    }
}

#[test]
fn what_is_absent_as_a_whole_does() {
    for body in [
        "not input.user",
        "not input.user == \"x\"",
        "not input.user.name",
        "not \"x\" == input.user",
        "not named",
        "not [1 | input.x][0]",
        "not blocked(\"y\")",
        "not \"x\" in [\"y\"]",
        "not (\"x\" in [\"y\"])",
        "not \"x\" in {input.c, \"y\"}",
        "not f(input.x) with input.x as false",
        "not f(input.x) with input as {\"x\": false}",
        "{ not f(input.x) with input as {\"x\": \"x\"}; true } else := true",
        "{ every i in [\"zz\", \"yy\"] { not xs[i] } }",
        "{ every i in [\"a\", \"zz\"] { not xs[i] == true } }",
        "{ every k, v in l { not input[k]; l[k] == v } }",
        "{ count([1 | some x in l; not f(x) == 1]) == 2 }",
    ] {
        assert!(holds(body).unwrap(), "{body}");
    }
}

#[test]
fn a_wildcard_inside_of_not_is_refused_with_its_line() {
    for body in ["{\n\tnot f(input.xs[_])\n}", "{\n\tnot input.xs[_] == 1\n}"] {
        let refusal = holds(body).expect_err(body).to_string();
        assert!(refusal.starts_with("t.rego:11: `_` must not"), "{refusal}");
    }
    assert!(holds("not [1 | input.xs[_]][0]").unwrap());
}

#[test]
fn an_object_as_a_pattern_is_just_that_object() {
    for body in [
        "{\n\t{\"a\": x} = data.lib.one; x\n}",
        "{\n\tdata.lib.one = {\"a\": _}\n}",
        "{\n\tsome x; {\"a\": x} = data.lib.one\n}",
        "{ {\"q\": [x, _], \"p\": y} = data.lib.deep; x == 0; y.a }",
        "{ {\"a\": x} = data.lib.ones[_]; x == 7 }",
        "{ {\"a\": x} = wrapped(7); x == 7 }\n\nwrapped(v) := {\"a\": v}",
        "g({\"a\": true})\n\ng({\"a\": x}) if x",
        "g({\"a\": 1, \"c\": [2]}, 3) == 6\n\ng({\"c\": [y], \"a\": x}, z) := x + y + z if {\n\ttrue\n}",
        "g({\"a\": 1}) == 2\n\ng({\"a\": x}) := 1 if { x == 2 } else := 2 if { not x == 2 }",
    ] {
        assert!(holds(body).unwrap(), "{body}");
    }
    for body in [
        "{ {\"b\": x} = data.lib.two; x }",
        "{ {\"a\": x, \"b\": y} = data.lib.one; x; y }",
        "{ {\"a\": x} = data.lib.deep; x }",
        "{ {\"a\": x} = l; x }",
        "{ {\"a\": x} = input.c; x }",
        "{ {\"a\": x} = input.nothing; x }",
        "{ {\"q\": [x], \"p\": _} = data.lib.deep; x == 0 }",
        "g({\"a\": true, \"b\": 1})\n\ng({\"a\": x}) if x",
        "g(5)\n\ng({\"a\": x}) if x",
    ] {
        assert!(!holds(body).unwrap(), "{body}");
    }
}

#[test]
fn an_object_as_a_pattern_that_can_be_given_no_guard_is_refused_with_its_line() {
    for body in [
        "{\n\t{\"a\": x} := input; x\n}",
        "{\n\tsome {\"a\": x} in [input]; x\n}",
        "{\n\t[{\"a\": x}] = [input]; x\n}",
        "{\n\t{\"p\": {\"a\": x}, \"q\": _} = data.lib.deep; x\n}",
        "{\n\t{input.k: x} = data.lib.one; x\n}",
        "{\n\t{\"a\": x} = data.lib.one with input.o as {\"a\": 1}; x\n}",
        "{\n\t{\"a\": x, \"a\": y} = data.lib.one; x; y\n}",
        "{\n\t{\"a\": {\"b\": x}} = {\"a\": input}; x\n}",
    ] {
        let refusal = holds(body).expect_err(body).to_string();
        assert!(
            refusal.starts_with("t.rego:11: an object as a"),
            "{refusal}"
        );
    }
    for parameter in ["[{\"a\": x}]", "{\"a\": x}", "{\"a\": named}"] {
        let body = format!("true\n\ng({parameter}) := 1");
        let refusal = holds(&body).expect_err("a parameter").to_string();
        assert!(
            refusal.starts_with("t.rego:12: an object as a"),
            "{refusal}"
        );
    }
    let hides = holds("true\n\ng({\"a\": named}) if named").expect_err("a rule's name");
    assert!(hides.to_string().contains("an object as a"), "{hides}");
    for body in [
        "{ x := 1; {\"a\": x} = {\"a\": 1} }",
        "{ x := input.c; input = {\"c\": x} }",
        "{ {\"a\": x, \"b\": 2} = {\"a\": 1, \"b\": 2}; x }",
        "{ x := 1; o = {\"a\": x}; o.a == 1 }",
    ] {
        assert!(holds(body).unwrap(), "{body}");
    }
}

#[test]
fn what_is_replaced_for_a_loop_is_so_while_its_collection_is_evaluated() {
    for body in [
        "{ some x in [input.c] with input.c as 5\n\tx == 5; input.c == {} }",
        "{ some x in [input.c]\n\t\twith input.c as 5\n\t\twith input.k as {6}\n\tx == 5; input.c == {}; not input.k }",
        "{ some i, x in {input.k: (input.k)} with input.k as 5\n\tx == 5; i == 5; not input.k }",
        "{ some x in (l) with data.t.l as [1]; x == 1; count(l) == 2 }",
        "{ some x in f([3]) with f as [4]; x == 4; f(1) == 1 }",
        "{ [1 | some x in [input.c] with input.c as 5; input.c == x] == [] }",
        "{ some x in [[1], [2]][_] with input.c as 5; x == 2; input.c == {} }",
        "some x in [input.k] with input.k as 5",
        "{ every z in l { some x in [input.k] with input.k as z; x == z; not input.k } }",
    ] {
        assert!(holds(body).unwrap(), "{body}");
    }
    assert!(!holds("some x in input.k with input.k as []").unwrap());
    assert!(!holds("{ some x in input.k with input.c as [1]; x }").unwrap());
}

#[test]
fn depth_takes_no_stack() {
    let sum = vec![["1"; 10].join(" + "); 19_000].join(" +\n");
    let refusal = holds(&format!("{{ not {sum} == 1 }}")).expect_err("deep");
    assert!(!refusal.to_string().contains("panicked"), "{refusal}");
}

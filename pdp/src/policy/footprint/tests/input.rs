//! Policies, and what the analysis says they read.

use crate::policy::PolicySettings;
use crate::policy::set::PolicySet;
use crate::policy::tests::{build, sources};

/// The parts of `input` read whole, and those of which only the presence is (`part?`).
fn reads(decision: &str) -> Vec<String> {
    build(decision)
        .unwrap_or_else(|error| panic!("{decision}: {error}"))
        .footprint()
        .input_parts()
        .into_iter()
        .map(|part| part.to_string())
        .collect()
}

#[track_caller]
fn reads_only(table: &[(&str, &[&str])]) {
    for (decision, expected) in table {
        assert_eq!(reads(decision), *expected, "{decision}");
    }
}

#[test]
fn a_literal_path_is_read_and_nothing_beside_it() {
    reads_only(&[
        ("decision := true", &[]),
        ("decision := input.a.b", &["input.a.b"]),
        ("decision if input.a.b == 1", &["input.a.b"]),
        (r#"decision if input.a["x-y"] == 1"#, &[r#"input.a["x-y"]"#]),
        ("decision if input.a[0].b == 1", &["input.a"]),
        ("decision if { x := input.a; x.b == 1 }", &["input.a.b"]),
        (
            "decision if { x := input.a; y := x.b; y.c == input.d }",
            &["input.a.b.c", "input.d"],
        ),
        (
            r#"decision if object.get(input, ["a", "b"], 0) == 1"#,
            &["input.a.b"],
        ),
        (
            r#"decision if object.get(input.a, "b", {}).c == 1"#,
            &["input.a.b.c"],
        ),
        ("decision if startswith(input.a, \"/\")", &["input.a"]),
        ("decision if { not input.a.b == 1 }", &["input.a.b"]),
    ]);
}

#[test]
fn whether_something_is_there_is_read_too() {
    reads_only(&[
        ("decision if input.a", &["input.a?"]),
        ("decision if not input.a.b", &["input.a.b?"]),
        ("decision if { x := input.a }", &["input.a?"]),
        ("f(x) := 1\ndecision if f(input.a) == 1", &["input.a?"]),
        (
            "decision if { x := input.a; count([1 | x.b]) == 1 }",
            &["input.a.b?"],
        ),
    ]);
}

#[test]
fn what_is_chosen_looped_over_or_handed_on_is_read_whole() {
    reads_only(&[
        (
            "decision if { some k; input.headers[k] == 1 }",
            &["input.headers"],
        ),
        (
            "decision if input.headers[input.name] == 1",
            &["input.headers", "input.name"],
        ),
        ("decision if { some x in input.a; x.b == 1 }", &["input.a"]),
        ("decision if 1 in input.a", &["input.a"]),
        ("decision if input.a in {1, 2}", &["input.a"]),
        (
            "decision if { every k, v in input.a { v == input.b[k] } }",
            &["input.a", "input.b"],
        ),
        (
            "decision if count([x | x := input.a[_].b; x > input.c]) == 1",
            &["input.a", "input.c"],
        ),
        (
            "decision if count({k: v | some k, v in input.a.b}) == 1",
            &["input.a.b"],
        ),
        (
            "decision if { x := {\"k\": input.a}; x.k.b == 1 }",
            &["input.a"],
        ),
        ("decision if { [x, _] = input.a; x == 1 }", &["input.a"]),
        (
            "decision if object.get(input.a, input.b, 0) == 1",
            &["input.a", "input.b"],
        ),
        ("decision := input", &["input"]),
        ("decision if { walk(input, [p, v]); p[0] == v }", &["input"]),
        (
            "decision if { walk(input.a, [_, v]); v == 1 }",
            &["input.a"],
        ),
        ("decision if { x := input; y := x[_]; y == 1 }", &["input"]),
    ]);
}

#[test]
fn values_flow_through_rules_and_functions() {
    reads_only(&[
        ("req := input.a\ndecision if req.b == 1", &["input.a.b"]),
        ("f(x) if x.b == 1\ndecision if f(input.a)", &["input.a.b"]),
        (
            "f(x) := x.b\ng(x) := f(x.a)\ndecision if g(input).c == 1",
            &["input.a.b.c"],
        ),
        (
            "f(x) := x.b\ndecision if { f(input.a) == 1; f(input.c) == 1 }",
            &["input.a.b", "input.c.b"],
        ),
        ("f([k]) := k\ndecision if f(input.a) == 1", &["input.a"]),
        (
            "f(x, 1) := x.b\ndecision if f(input.a, input.c) == 1",
            &["input.a", "input.c"],
        ),
        (
            "f(x) := x.b\ndecision if { f(input.a, y); y == 1 }",
            &["input.a.b"],
        ),
        (
            "suspended contains x if some x in input.a\ndecision if \"s\" in suspended",
            &["input.a"],
        ),
        (
            "by[k] := v if some k, v in input.a\ndecision if by.x == 1",
            &["input.a"],
        ),
        (
            "p.q := input.a\np.r := input.b\ndecision if p.q.c == 1",
            &["input.a.c"],
        ),
        (
            "p.q := input.a\np.r := input.b\ndecision if p[\"q\"] == 1",
            &["input.a"],
        ),
        (
            "p.q := input.a\np.r := input.b\ndecision if p[input.c] == 1",
            &["input.a", "input.b", "input.c"],
        ),
        (
            "unreached if input.z\ndecision if input.a == 1",
            &["input.a"],
        ),
    ]);
}

#[test]
fn all_definitions_else_and_default_count() {
    reads_only(&[
        (
            "default decision := false\ndecision if input.a == 1\ndecision if input.b == 2",
            &["input.a", "input.b"],
        ),
        (
            "decision := 1 if input.a == 1 else := 2 if input.b == 1 else := input.c",
            &["input.a", "input.b", "input.c"],
        ),
        (
            "default p := [x | x := input.a]\np := [1] if input.b\ndecision if p[0].c == 1",
            &["input.a", "input.b?"],
        ),
        // The engine compares the values of two bodies, members that nobody asks for included.
        (
            "p := input.a if input.c\np := input.b if input.d\ndecision if p.x == 1",
            &["input.a", "input.b", "input.c?", "input.d?"],
        ),
        (
            "default f(_) := 1\nf(x) := x.a if x.b\ndecision if f(input) == 1",
            &["input.a", "input.b?"],
        ),
    ]);
}

#[test]
fn imports_are_followed() {
    reads_only(&[
        ("import input.a as b\ndecision if b.c == 1", &["input.a.c"]),
        ("import input.a\ndecision if a.c == 1", &["input.a.c"]),
        ("import input as q\ndecision if q.c == 1", &["input.c"]),
    ]);
    let other = (
        "b.rego",
        "package lib\nx := input.x\ny if input.y\nf(v) := v.z\n",
    );
    for (decision, expected) in [
        // The engine evaluates all of an imported package.
        (
            "import data.lib\ndecision if lib.x == 1",
            &["input.x", "input.y?"][..],
        ),
        ("import data.lib.x\ndecision if x.w == 1", &["input.x.w"]),
        (
            "import data.lib.x as q\ndecision if q.w == 1",
            &["input.x.w"],
        ),
        (
            "import data.lib\ndecision if lib.f(input.a) == 1",
            &["input.a.z"],
        ),
        ("decision if data.lib.f(input.a) == 1", &["input.a.z"]),
        ("decision if data.lib.x == 1", &["input.x"]),
        (
            "decision if data.lib[input.a] == 1",
            &["input.a", "input.x", "input.y?"],
        ),
        (
            "decision if { x := data.lib; x.x == 1 }",
            &["input.x", "input.y?"],
        ),
    ] {
        let policy = format!("package edgeward.authz\n{decision}");
        let files = sources(&[("a.rego", &policy), other]).unwrap();
        let set = PolicySet::build(files, &PolicySettings::default()).unwrap();
        let parts = set.footprint().input_parts();
        let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
        assert_eq!(parts, expected, "{decision}");
    }
}

#[test]
fn names_that_grow_in_a_circle_are_followed_to_an_end() {
    let circle = "decision if {\n count([1 | x := input.a; y := x.b; y]) == 1\n count([1 | y := input.a; x := y.c; x]) == 1 }";
    assert!(!reads(circle).is_empty());
}

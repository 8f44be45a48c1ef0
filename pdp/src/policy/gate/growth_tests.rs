//! Values that double.

use crate::policy::tests::build;
use crate::policy::{LoadError, Refusal};

/// `x0` to `x{n}`, each made of the one before by `step`.
fn chain(n: usize, first: &str, step: &str) -> Vec<String> {
    let made = (1..=n).map(|k| format!("x{k} := {}", step.replace('X', &format!("x{}", k - 1))));
    std::iter::once(format!("x0 := {first}"))
        .chain(made)
        .collect()
}

fn grows(policy: &str) -> bool {
    let built = build(policy);
    match built {
        Ok(_) => false,
        Err(LoadError::Refused(Refusal::Grows { .. })) => true,
        Err(other) => panic!("{policy}: {other}"),
    }
}

#[test]
fn a_value_that_doubles_in_each_step_is_refused_wherever_the_steps_stand() {
    let statements = |n, first: &str, step: &str| {
        let mut all = chain(n, first, step);
        let one = all.join("\n  ");
        all.reverse();
        let other = all.join("\n  ");
        [one, other].map(|body| {
            format!("default decision := false\ndecision if {{\n  {body}\n  x{n} != 1\n}}")
        })
    };
    for (first, step) in [
        ("1", "[X, X]"),
        ("input.a", "{\"a\": X, \"b\": X}"),
        ("input.a", "array.concat(X, X)"),
        ("input.a", "[[X, 1], [y | y := X]]"),
        ("3", "X * X"),
        ("1", "twice(X)"),
        ("[1]", "[z | some z in [X, X]]"),
    ] {
        for body in statements(40, first, step) {
            let policy = format!("import rego.v1\ntwice(x) := [x, x]\n{body}");
            assert!(grows(&policy), "{policy}");
        }
        for body in statements(6, first, step).into_iter().take(1) {
            let policy = format!("import rego.v1\ntwice(x) := [x, x]\n{body}");
            assert!(!grows(&policy), "{policy}");
        }
    }
    let rules = chain(40, "input", "[X, X]").join("\n");
    assert!(grows(&format!(
        "import rego.v1\ndefault decision := false\ndecision if x40\n{rules}"
    )));
    let partial: Vec<String> = (1..40)
        .flat_map(|n| ["a", "b"].map(|k| format!("p{n}.{k} := data.edgeward.authz.p{}", n - 1)))
        .collect();
    let partial = partial.join("\n");
    assert!(grows(&format!(
        "import rego.v1\ndefault decision := false\np0.a := 1\ndecision if p39.a\n{partial}"
    )));
}

#[test]
fn what_is_long_but_does_not_double_passes() {
    let statements: Vec<String> = (1..300)
        .map(|n| format!("x{n} := [x{}, 1]", n - 1))
        .collect();
    let body = statements.join("\n  ");
    assert!(!grows(&format!(
        "import rego.v1\ndefault decision := false\ndecision if {{\n x0 := 1\n {body}\n}}"
    )));
    let rules: Vec<String> = (0..500)
        .map(|n| format!("why contains sprintf(\"%v %v\", [input.a, {n}]) if input.n == {n}"))
        .collect();
    let rules = rules.join("\n");
    assert!(!grows(&format!(
        "import rego.v1\ndefault decision := false\ndecision if count(why) > 0\n{rules}"
    )));
    let shadowed = "import rego.v1\ndefault decision := false\ndecision if {\n x := [y | some y in [[z, z] | some z in input.l]]\n z := [x, x]\n count(z) > 0\n}";
    assert!(!grows(shadowed));
}

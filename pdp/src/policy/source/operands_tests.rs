//! What is written around operands.

use super::*;

fn guarded_body(body: &str) -> Option<String> {
    let mut engine = Engine::new();
    let head = "package p\nimport rego.v1\nf(x, y) := 1 if {\n";
    let text = format!("{head}{body}\n}}\n");
    engine.add_policy("p.rego".to_owned(), text).unwrap();
    let text = guarded(engine.get_modules().first().unwrap())?;
    // It must be read again.
    engine = Engine::new();
    engine
        .add_policy("p.rego".to_owned(), text.clone())
        .unwrap();
    let body = text.strip_prefix(head).unwrap().strip_suffix("\n}\n");
    Some(body.unwrap().to_owned())
}

#[test]
fn operands_that_may_not_be_what_they_must_be_are_looked_at() {
    for (body, wanted) in [
        ("x + 1 > y", "@(x, \"number\") + 1 > y"),
        (
            "x -1 == (y - x)",
            "@(x, \"number or set\") -1 == (@(y, \"number or set\") - @(x, \"number or set\"))",
        ),
        (
            "(x + y) * 2 == x.a[\"b\"]*count( y )",
            "(@(x, \"number\") + @(y, \"number\")) * 2 == @(x.a[\"b\"], \"number\")*@(count( y ), \"number\")",
        ),
        (
            "x / (y + 1) == 1 / 0",
            "@(x, \"number\") / (@(@(y, \"number\") + 1, \"divisor\")) == 1 / @(0, \"divisor\")",
        ),
        (
            "x % 2 == x # one\n % y",
            "@(x, \"whole number\") % 2 == @(x, \"whole number\") # one\n % @(y, \"whole divisor\")",
        ),
        ("1 % 2.5 == 0", "1 % @(2.5, \"whole divisor\") == 0"),
        (
            "count(x | y[_] & {1}) == 1",
            "count(@(x, \"set\") | @(y[_], \"set\") & {1}) == 1",
        ),
        (
            "some a, b in x[y + 1]\na == b",
            "some a, b in @(x[@(y, \"number\") + 1], \"collection\")\na == b",
        ),
        (
            "every a in x { [c | some c in a; c * 2 == 1] == y with input.z as x / 2 }",
            "every a in x { [c | some c in @(a, \"collection\"); @(c, \"number\") * 2 == 1] == y with input.z as @(x, \"number\") / 2 }",
        ),
    ] {
        let wanted = wanted.replace('@', OPERAND);
        assert_eq!(guarded_body(body), Some(wanted), "{body}");
    }
}

#[test]
fn what_needs_no_look_or_would_nest_too_deep_stays() {
    let deep = format!("{}x + 1{} == 1", "(".repeat(11), ")".repeat(11));
    for body in [
        "x == y",
        "some a in [1, 2]\na == x",
        "1 + 2 * 3 - 4 / 5 == 6 % 7",
        "{x | x in y} == {1} | {2}",
        deep.as_str(),
    ] {
        assert_eq!(guarded_body(body), None, "{body}");
    }
}

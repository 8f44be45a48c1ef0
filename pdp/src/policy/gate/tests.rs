//! What the gate refuses, and that it lets the rest pass.

use regorus::Engine;

use super::*;

fn gate(modules: &[&str]) -> Result<Passed, String> {
    let mut engine = Engine::new();
    for (number, text) in modules.iter().enumerate() {
        engine
            .add_policy(format!("{number}.rego"), (*text).to_owned())
            .unwrap();
    }
    pass(engine.get_modules(), "data.p.allow", &[]).map_err(|refusal| refusal.to_string())
}

fn refused(body: &str) -> String {
    gate(&[&format!("package p\n{body}")])
        .map(drop)
        .expect_err(body)
}

#[test]
fn a_function_the_engine_lacks_or_stubs_is_refused_by_name_with_line_and_fix() {
    for (body, function) in [
        ("allow if http.send({}).status_code == 200", "http.send"),
        ("allow if not http.send({})", "http.send"),
        (
            "allow if crypto.x509.parse_and_verify_certificates(input.t)[0]",
            "crypto.x509.parse_and_verify_certificates",
        ),
        ("allow if io.jwt.nothing(input.t) == 1", "io.jwt.nothing"),
        ("allow if opa.runtime().env.X == \"x\"", "opa.runtime"),
        (
            "allow if net.lookup_ip_addr(input.n)[_] == \"x\"",
            "net.lookup_ip_addr",
        ),
        (
            "allow if { x := [y | y := rego.parse_module(\"a\", \"b\")]; x }",
            "rego.parse_module",
        ),
        (
            "allow if { every x in [1] { graphql.nothing(x, x) } }",
            "graphql.nothing",
        ),
        ("f(x) := http.send(x)\nallow if true", "http.send"),
        ("allow := x if { x := {\"a\": http.send({})} }", "http.send"),
        ("allow if nonesuch(1)", "nonesuch"),
        ("allow if { http := 1; http.send({}) }", "http.send"),
        (
            "allow if { lower(\"A\") == \"a\" with lower as http.send }",
            "http.send",
        ),
        (
            "default allow := false\nd[k] := v if { k := 1; v := http.send(k) }",
            "http.send",
        ),
    ] {
        let message = refused(body);
        assert!(
            message.contains(&format!("`{function}`")),
            "{body}: {message}"
        );
        assert!(
            message.starts_with("0.rego:") && message.matches(": ").count() >= 2,
            "{message}"
        );
    }
    assert_eq!(
        refused("\n\nallow if http.send({})"),
        "0.rego:4: calls `http.send`, which is always undefined in this engine: a policy does not \
         reach the network: publish what it would fetch as a data file"
    );
}

#[test]
fn recursion_is_refused_by_name() {
    for body in [
        "allow if allow",
        "allow if a\na if b\nb if allow",
        "f(x) := f(x - 1)\nallow if f(1)",
        "f(x) := g(x)\ng(x) := f(x)\nallow if f(1)",
        "f(x) := r if { x }\nr := f(1)\nallow if r",
        "allow if data.p.allow",
        "allow if data.p",
        "allow if data.p[input.x]",
        "allow if data[input.x]",
        "a contains x if { some x in b }\nb contains x if { some x in a }\nallow if a",
        "allow if { x := [y | y := allow]; x }",
        "allow if { f(1) with f as g }\nf(x) := x\ng(x) := f(x)",
        "allow if { h(1) with lower as g }\nh(x) := lower(x)\ng(x) := h(x)",
        "x.y := x.z\nx.z := x.y\nallow if x.y",
    ] {
        let message = refused(body);
        assert!(message.contains("depends on itself: "), "{body}: {message}");
    }
    assert_eq!(
        refused("allow if a\na if allow"),
        "0.rego:3: `data.p.a` depends on itself: data.p.a -> data.p.allow -> data.p.a: break the cycle"
    );
}

#[test]
fn recursion_across_modules_and_imports_is_refused() {
    let message = gate(&[
        "package p\nimport data.q as other\nallow if other.x(1)",
        "package q\nimport data.p\nx(_) if p.allow",
    ])
    .map(drop)
    .unwrap_err();
    assert!(message.contains("depends on itself"), "{message}");
}

#[test]
fn local_variables_are_not_taken_for_rules() {
    for body in [
        "allow if { a := 1; a == 1 }\na if { allow := true; allow }",
        "allow if { some a in [1]; a }\na if allow",
        "f(allow) := allow\nallow if f(1)",
        "allow if { every a in [1] { a } }\na if allow",
        "allow if { [a, b] := [1, 2]; a; b }\na if allow\nb if allow",
        "allow if { {\"k\": a} := {\"k\": 1}; a }\na if allow",
        "allow if [a | a := 1]\na if allow",
    ] {
        gate(&[&format!("package p\n{body}")]).unwrap();
    }
}

#[test]
fn what_would_need_more_stack_than_a_worker_has_is_refused() {
    crate::policy::on_deep_stack(deep_policies).unwrap();
}

fn deep_policies() {
    let chain = |length: usize| {
        let links: Vec<String> = (1..length)
            .map(|n| format!("r{n} if r{}\n", n + 1))
            .collect();
        let links = links.concat();
        format!("package p\nallow if r1\n{links}r{length} := true\n")
    };
    gate(&[&chain(400)]).unwrap();
    let long_body = |length: usize| {
        let body: Vec<String> = (0..length).map(|n| format!("some v{n} in [1]\n")).collect();
        format!("package p\nallow if {{\n{}}}", body.concat())
    };
    gate(&[&long_body(1000)]).unwrap();
    let sum = |terms: usize| {
        format!(
            "package p\nallow := x if {{ x := 1{}}}",
            " +\n1".repeat(terms)
        )
    };
    gate(&[&sum(1000)]).unwrap();
    for policy in [chain(1000), long_body(5000), sum(5000)] {
        let message = gate(&[&policy]).map(drop).unwrap_err();
        assert!(
            message.contains("steps inside each other, more than 4096"),
            "{message}"
        );
    }
}

#[test]
fn the_entry_point_must_be_a_rule() {
    let message = gate(&["package p\nx := 1"]).map(drop).unwrap_err();
    assert!(message.contains("no policy file declares the entry point `data.p.allow`"));
    let message = gate(&["package p\nallow(x) := x"]).map(drop).unwrap_err();
    assert!(message.contains("0.rego:2: the entry point `data.p.allow` is a function"));
}

#[test]
fn tests_are_found_with_their_files() {
    let passed = gate(&[
        "package p\nallow := true\ntest_a if allow",
        "package p_test\nimport data.p\ntest_b if p.allow\ntest_f(x) := x\nprints if print(1)",
    ])
    .unwrap();
    let tests: Vec<_> = passed
        .tests
        .iter()
        .map(|(name, file)| (name.as_str(), file.as_str()))
        .collect();
    assert_eq!(
        tests,
        [
            ("data.p.test_a", "0.rego"),
            ("data.p_test.test_b", "1.rego")
        ]
    );
    assert!(passed.prints);
}

#[test]
fn walk_as_a_value_and_calls_in_parameters_are_refused() {
    for (body, message) in [
        (
            "allow if walk(input)[_][1] == 1",
            "0.rego:2: the engine finds nothing by `walk`",
        ),
        (
            "allow if { x := [walk(input)]; x }",
            "0.rego:2: the engine finds nothing by `walk`",
        ),
        (
            "f(lower(\"A\")) := 1\nallow if f(\"a\")",
            "0.rego:2: a parameter of a function",
        ),
        (
            "f([{\"a\": lower(\"A\")}]) := 1\nallow if f(1)",
            "0.rego:2: a parameter of a function",
        ),
    ] {
        let refusal = refused(body);
        assert!(refusal.starts_with(message), "{refusal}");
    }
    gate(&["package p\nallow if { walk(input, [_, v]); v == 1 }\nf(x, [y]) := 1"]).unwrap();
}

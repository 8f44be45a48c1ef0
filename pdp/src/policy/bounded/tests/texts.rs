//! Texts and lists that grow.

use std::time::{Duration, Instant};

use edgeward_core::time::UnixSeconds;
use regorus::Value;
use serde_json::json;

use super::confined::confined;
use crate::policy::tests::sources;
use crate::policy::verdict::{Failure, Verdict};
use crate::policy::wasm::HostBuiltin;
use crate::policy::{
    BuiltinErrors, EngineChoice, PolicySet, PolicySettings, from_json, on_deep_stack,
};

/// Bodies that would make more than there is, or take longer than anyone has. `input.n` is a large number as
/// text, `input.a` a kilobyte, `input.bomb` JSON that is a number to the engine.
const HOSTILE: &[&str] = &[
    r#"sprintf("%900000000d", [1]) != """#,
    r#"sprintf(input.format, [1]) != """#,
    r#"sprintf("%.2000000000f", [1.5]) != """#,
    r#"sprintf("%0900000000x", [1]) != """#,
    r#"concat(input.a, numbers.range_text) != """#,
    r#"replace(input.a, "a", input.a) == replace(replace(replace(input.a, "a", input.a), "a", input.a), "a", input.a)"#,
    r#"strings.replace_n({"a": input.a, "b": input.a}, replace(input.a, "a", "bbbb")) != replace(replace(replace(input.a, "a", input.a), "a", input.a), "a", input.a)"#,
    r"to_number(input.n) > 0",
    r"json.unmarshal(input.bomb) > 0",
    r"units.parse(input.n) > 0",
    r"yaml.unmarshal(input.yaml) != 1",
    r"yaml.unmarshal(input.aliases) != 1",
    r"yaml.is_valid(input.yaml)",
    r"json.remove([1], [[input.bomb]]) != 1",
    r"count([x | some i in numbers.range(1, 100000); x := sprintf(input.wide, [i])]) > 0",
    r#"count(json.marshal_with_options({"a": [1, [2, [3]]], "b": numbers.range(1, 90000)}, {"pretty": true, "indent": input.a, "prefix": input.a})) > 0"#,
];

/// As many doublings of `x` by `step`, as statements.
fn doubled(first: &str, step: &str) -> String {
    let last = if step.contains("array") { 19 } else { 39 };
    let steps = (1..=last).map(|n| {
        let step = step.replace('X', &format!("x{}", n - 1));
        format!("x{n} := {step}")
    });
    let mut lines = vec![format!("x0 := {first}")];
    lines.extend(steps);
    lines.push(format!("x{last} != 0"));
    lines.join("; ")
}

fn bodies() -> Vec<String> {
    let mut bodies: Vec<String> = HOSTILE
        .iter()
        .map(|body| {
            body.replace(
                "numbers.range_text",
                "split(replace(input.a, \"a\", input.a), \"\")",
            )
        })
        .collect();
    for (first, step) in [
        ("input.a", r#"concat("", [X, X])"#),
        ("input.a", r#"concat(X, ["", "", ""])"#),
        ("input.a", r#"replace("aa", "a", X)"#),
        ("input.a", r#"sprintf("%s%s", [X, X])"#),
        ("input.a", r#"strings.replace_n({"a": X}, "aa")"#),
        ("numbers.range(1, 1000)", "array.concat(X, X)"),
        ("input.a", r"json.marshal([X, X])"),
        ("input.a", r"yaml.marshal([X, X])"),
        ("input.a", r#"urlquery.encode_object({"a": X, "b": X})"#),
        ("input.a", "urlquery.encode(concat(\"%\", [X, X]))"),
        ("input.a", "base64.encode(concat(\"\", [X, X]))"),
        ("input.a", "hex.encode(X)"),
        ("input.a", "$\"{X}{X}\""),
        ("input.a", "regex.replace(\"aa\", \"a\", X)"),
        ("3", "product([X, X, 7])"),
    ] {
        bodies.push(doubled(first, step));
    }
    bodies
}

fn hostile_input() -> serde_json::Value {
    let mut aliases = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..12 {
        let before = format!("*a{},", n - 1).repeat(9);
        aliases.extend([format!("a{n}: &a{n} [{before}x]\n")]);
    }
    json!({
        "a": "a".repeat(1024),
        "n": "1e2000000000",
        "format": "%-900000000d",
        "wide": "%10000000d",
        "bomb": "{\"\\u0024serde_json::private::Number\": \"1e2000000000\"}",
        "yaml": "\"\\x24serde_json::private::Num\\\n   ber\": \"1e2000000000\"",
        "aliases": aliases,
    })
}

fn asked(body: &str, engine: EngineChoice) -> (String, Result<Verdict, Failure>) {
    let policy = format!(
        "package edgeward.authz\nimport rego.v1\ndefault decision := false\ndecision if {{ {body} }}\n"
    );
    let sources = sources(&[("a.rego", &policy)]).unwrap();
    let settings = PolicySettings {
        engine,
        evaluation_timeout: Duration::from_secs(2),
        ..PolicySettings::default()
    };
    let set = PolicySet::build(sources, &settings).unwrap();
    let name = set.engine().to_owned();
    let mut worker = set.worker().unwrap();
    (
        name,
        worker.evaluate(from_json(hostile_input()), UnixSeconds(1_800_000_000)),
    )
}

#[test]
fn no_call_takes_what_memory_there_is_in_either_engine() {
    confined(
        "texts::no_call_takes_what_memory_there_is_in_either_engine",
        || {
            on_deep_stack(|| {
                let mut lowered = 0;
                for body in bodies() {
                    for choice in [EngineChoice::Auto, EngineChoice::Interpreter] {
                        println!("{body:.100}");
                        let started = Instant::now();
                        let (engine, answer) = asked(&body, choice);
                        println!("  {engine}: {answer:?} in {:?}", started.elapsed());
                        lowered += usize::from(engine == "bytecode");
                        assert!(started.elapsed() < Duration::from_secs(10));
                        assert!(
                            matches!(
                                answer,
                                Err(Failure::Memory | Failure::Timeout | Failure::Error(_))
                            ),
                            "{body}: {answer:?}"
                        );
                    }
                }
                assert!(lowered > 10, "{lowered}");
            })
            .unwrap();
        },
    );
}

#[test]
fn what_a_compiled_policy_asks_its_host_for_has_the_same_bounds() {
    confined(
        "texts::what_a_compiled_policy_asks_its_host_for_has_the_same_bounds",
        || {
            let text = |text: &str| Value::from(text);
            let long = Value::from("a".repeat(3 * 1024 * 1024));
            let mut twice: Value = Value::from(vec![1_u64.into(), 2_u64.into()]);
            for _ in 0..60 {
                twice = Value::from(vec![twice.clone(), twice]);
            }
            let one = Value::from(vec![Value::from(1_u64)]);
            for (name, arguments) in [
                ("sprintf", vec![text("%900000000d"), one.clone()]),
                (
                    "sprintf",
                    vec![text("%v"), Value::from(vec![twice.clone()])],
                ),
                ("json.marshal", vec![twice.clone()]),
                ("yaml.marshal", vec![twice.clone()]),
                ("walk", vec![twice.clone()]),
                (
                    "io.jwt.encode_sign",
                    vec![twice.clone(), twice.clone(), twice.clone()],
                ),
                (
                    "concat",
                    vec![long.clone(), Value::from(vec![long.clone(), long.clone()])],
                ),
                ("to_number", vec![text("1e2000000000")]),
                ("units.parse_bytes", vec![text("1e2000000000")]),
                ("trim", vec![long.clone(), long.clone()]),
                ("indexof", vec![long.clone(), long.clone()]),
            ] {
                println!("{name}");
                crate::policy::bounded::budget::begin();
                let builtin = HostBuiltin::of(name).unwrap();
                let answer = builtin.call(&arguments, 0, BuiltinErrors::Undefined);
                assert!(answer.is_err(), "{name}: {answer:?}");
            }
        },
    );
}

#[test]
fn what_is_usual_is_as_it_was() {
    on_deep_stack(|| {
        for body in [
            r#"sprintf("%5d|%-4s|%.2f|%v", [7, "a", 1.5, {"a": [1]}]) != """#,
            r#"json.marshal_with_options({"a": [1]}, {"pretty": true}) != """#,
            r#"strings.replace_n({"<": "&lt;", "&": "&amp;"}, "a<b&c") != """#,
            r#"json.unmarshal("{\"a\": 1e3, \"b\": \"\\u00e9\"}").a == 1000"#,
            r#"yaml.unmarshal("a: &x {b: 1}\nc: *x").c.b == 1"#,
            r#"to_number("1e3") == 1000; units.parse("10K") == 10000; units.parse_bytes("1KB") == 1000"#,
            r#"count(split(replace(input.a, "a", "a,"), ",")) == 1025"#,
            r"count(array.concat(numbers.range(1, 100000), numbers.range(1, 100000))) == 200000",
            r"1e300 > 1e-300; 1e+5 == 100000",
        ] {
            for choice in [EngineChoice::Auto, EngineChoice::Interpreter] {
                let (engine, answer) = asked(body, choice);
                assert!(answer.as_ref().is_ok_and(|v| v.allow), "{engine} {body}: {answer:?}");
            }
        }
    })
    .unwrap();
}

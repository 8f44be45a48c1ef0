//! Documents of one policy set, against each other; `service/tests/opa` has OPA itself to compare with.

use std::sync::Arc;

use edgeward_core::time::UnixSeconds;
use proptest::prelude::*;

use super::*;
use crate::policy::tests::sources;
use crate::policy::{PolicySet, PolicySettings, Worker, on_deep_stack};

const SHAPES: &str = r#"package a.b
import rego.v1
default allow := false
deny contains "m" if input
roles["x-y"] := 1
roles[k] := {"n": k} if { some k in ["q", "r"] }
n.m.o := [1, {"z": 2}]
n.m[k] := 6 if { some k in ["z"] }
"#;
const INNER: &str = "package a.b[\"in]\\\"ner\"]\nv := [data.a.b.allow]\n";
const DATA: &str = r#"{"a": {"b": {"base": [true, {"0": 1}]}, "c": "d"}, "": 1}"#;

fn set(files: &[(&str, &str)]) -> Arc<PolicySet> {
    let settings = PolicySettings {
        entry_point: "data.a.b.allow".to_owned(),
        evaluation_timeout: Duration::from_secs(5),
        ..PolicySettings::default()
    };
    Arc::new(PolicySet::build(sources(files).unwrap(), &settings).unwrap())
}

fn shapes() -> Arc<PolicySet> {
    set(&[("a.rego", SHAPES), ("b.rego", INNER), ("data.json", DATA)])
}

fn read(worker: &mut Worker, names: &[&str]) -> Result<Option<Value>, NoDocument> {
    let at = Reference::of(names.iter().map(|name| (*name).to_owned()));
    let input = Value::from(1);
    worker.document(&at, &input, BuiltinErrors::Undefined, UnixSeconds(0))
}

#[test]
fn a_part_of_a_document_is_the_document_of_the_part() {
    let set = shapes();
    on_deep_stack(move || {
        let mut worker = set.worker().unwrap();
        let mut seen = 0;
        let mut open = vec![Vec::new()];
        while let Some(names) = open.pop() {
            let parts: Vec<&str> = names.iter().map(String::as_str).collect();
            let whole = read(&mut worker, &parts).unwrap().unwrap();
            let below: Vec<String> = match &whole {
                Value::Object(members) => members
                    .iter()
                    .map(|(name, _)| name.as_string().unwrap().to_string())
                    .collect(),
                Value::Array(items) => (0..items.len()).map(|place| place.to_string()).collect(),
                _ => Vec::new(),
            };
            for name in below {
                let longer = [names.clone(), vec![name.clone()]].concat();
                let parts: Vec<&str> = longer.iter().map(String::as_str).collect();
                let part = read(&mut worker, &parts).unwrap();
                assert_eq!(part, reference::descend(&whole, &[name]), "{longer:?}");
                seen += 1;
                open.push(longer);
            }
        }
        assert!(seen > 20, "{seen}");
    })
    .unwrap();
}

#[test]
fn the_time_limit_is_one_for_all_rules_of_a_document() {
    let slow = "[1 | some i in numbers.range(1, 300); some j in numbers.range(1, 300); i == j]";
    let rules: Vec<String> = (0..200).map(|rule| format!("r{rule} := {slow}")).collect();
    let text = format!(
        "package a.b\nimport rego.v1\nallow := true\n{}\n",
        rules.join("\n")
    );
    let settings = PolicySettings {
        entry_point: "data.a.b.allow".to_owned(),
        evaluation_timeout: Duration::from_millis(200),
        ..PolicySettings::default()
    };
    let set = PolicySet::build(sources(&[("a.rego", &text)]).unwrap(), &settings).unwrap();
    on_deep_stack(move || {
        let mut worker = set.worker().unwrap();
        let started = Instant::now();
        assert_eq!(read(&mut worker, &["a"]), Err(NoDocument::Timeout));
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{:?}",
            started.elapsed()
        );
        assert_eq!(
            read(&mut worker, &["a", "b", "allow"]),
            Ok(Some(Value::from(true)))
        );
    })
    .unwrap();
}

#[test]
fn a_rule_that_the_engine_has_no_name_for_is_refused_and_not_left_out() {
    let text = "package a.b\nimport rego.v1\nallow := true\nx[k].y := 1 if { some k in [\"p\"] }\n";
    let set = set(&[("a.rego", text)]);
    on_deep_stack(move || {
        let mut worker = set.worker().unwrap();
        for names in [
            &[][..],
            &["a"],
            &["a", "b"],
            &["a", "b", "x"],
            &["a", "b", "x", "p", "y"],
        ] {
            let refused = read(&mut worker, names);
            assert_eq!(
                refused,
                Err(NoDocument::Head("data.a.b.x".to_owned())),
                "{names:?}"
            );
        }
        let allow = read(&mut worker, &["a", "b", "allow"]);
        assert_eq!(allow, Ok(Some(Value::from(true))));
    })
    .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whatever_a_caller_names_is_there_or_is_not_and_is_never_run(
        paths in proptest::collection::vec(
            proptest::collection::vec(
                prop_oneof![
                    Just("a".to_owned()), Just("b".to_owned()), Just("roles".to_owned()),
                    Just("allow".to_owned()), Just("allow\"] == false; data[\"a".to_owned()),
                    Just("0".to_owned()), Just("]".to_owned()), "[\"\\[\\]{}.;:=\\\\`\n _x1]{0,9}", "\\PC{0,6}",
                ],
                0..6,
            ),
            1..40,
        )
    ) {
        let set = shapes();
        let sound = on_deep_stack(move || {
            let mut worker = set.worker().unwrap();
            let all = read(&mut worker, &[]).unwrap().unwrap();
            paths.iter().all(|names| {
                let parts: Vec<&str> = names.iter().map(String::as_str).collect();
                read(&mut worker, &parts) == Ok(reference::descend(&all, names))
            })
        });
        prop_assert!(sound.unwrap());
    }
}

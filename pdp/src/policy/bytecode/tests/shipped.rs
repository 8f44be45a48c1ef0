//! The shipped policies: let through, and asked in bytecode what their own tests ask, and more.

use regorus::Value;
use serde_json::json;

use super::questions::{RULES, questions};
use super::{Pair, Said};
use crate::policy::set::PolicySet;
use crate::policy::{PolicySettings, embedded, from_json, on_deep_stack};

fn files(tests: bool) -> Vec<(String, String)> {
    let chosen = |name: &str| name.contains(".rego") && (tests || !name.ends_with("_test.rego"));
    embedded::files()
        .into_iter()
        .filter(|(name, _)| chosen(name))
        .map(|(name, text)| (name, String::from_utf8(text).unwrap()))
        .collect()
}

fn pair(tests: bool, data: Option<Value>, rule: &str) -> Pair {
    let files = files(tests);
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    Pair::of(&files, data, rule).unwrap_or_else(|why| panic!("{rule}: {why:?}"))
}

#[test]
fn the_shipped_policies_run_in_bytecode() {
    let set = PolicySet::load(&PolicySettings::default()).unwrap();
    assert_eq!(set.interpreted().map(ToString::to_string), None);
}

#[test]
fn what_the_shipped_tests_ask_is_answered_in_bytecode_as_in_the_interpreter() {
    let (same, doubts) = on_deep_stack(|| {
        let (mut same, mut doubts) = (0, 0);
        let nothing = from_json(json!({}));
        let mut accesses = vec![from_json(json!({}))];
        for package in ["authz_test", "client_test", "grant_test"] {
            let rule = format!("data.edgeward.{package}.access");
            accesses.push(
                pair(true, Some(nothing.clone()), &rule)
                    .interpret(nothing.clone())
                    .unwrap(),
            );
        }
        for access in accesses {
            let data = Value::from(std::collections::BTreeMap::from([(
                Value::from("access"),
                access,
            )]));
            for rule in RULES {
                let mut pair = pair(false, Some(data.clone()), rule);
                for question in questions() {
                    match pair.ask(&from_json(question.clone())) {
                        Said::Same(_) => same += 1,
                        Said::Doubt(_) => doubts += 1,
                        Said::Different(how) => panic!("{rule}: {how} for {question}"),
                    }
                }
            }
        }
        (same, doubts)
    })
    .unwrap();
    println!("{same} same, {doubts} in doubt");
    assert!(same > 20 * doubts, "{same} same, {doubts} in doubt");
}

/// The tables of the patterns' tests, row by row.
#[test]
fn the_tables_of_the_pattern_tests_hold_in_bytecode() {
    let wrapper = "package wrapper\nimport data.edgeward.pattern\n\
        path if pattern.covers_path(input[0], input[1])\nhost if pattern.covers_host(input[0], input[1])\n";
    let test = files(true)
        .into_iter()
        .find(|(name, _)| name.ends_with("pattern_test.rego"))
        .unwrap()
        .1;
    let asked = on_deep_stack(move || {
        let mut files = files(false);
        files.push(("wrapper.rego".to_owned(), wrapper.to_owned()));
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| (&**name, &**text))
            .collect();
        let (mut asked, mut rule) = (0, "");
        let mut path = Pair::of(&files, Option::None, "data.wrapper.path").unwrap();
        let mut host = Pair::of(&files, Option::None, "data.wrapper.host").unwrap();
        let mut rows: Vec<serde_json::Value> = Vec::new();
        for line in test.lines() {
            let line = line.trim().trim_end_matches(',');
            let inline = line
                .strip_prefix("every case in ")
                .and_then(|rest| rest.strip_suffix(" {"));
            if let Ok(row) = serde_json::from_str(line) {
                rows.push(row);
            } else if let Some(Ok(table)) = inline.map(serde_json::from_str) {
                rows = table;
            }
            let (holds, pair) = match line {
                "pattern.covers_path(case[0], case[1])" => (true, &mut path),
                "not pattern.covers_path(case[0], case[1])" => (false, &mut path),
                "pattern.covers_host(case[0], case[1])" => (true, &mut host),
                "not pattern.covers_host(case[0], case[1])" => (false, &mut host),
                other => {
                    if other.starts_with("test_") {
                        rows.clear();
                        rule = line;
                    }
                    continue;
                }
            };
            for row in rows.drain(..) {
                let expected = if holds {
                    Value::from(true)
                } else {
                    Value::Undefined
                };
                assert_eq!(
                    pair.ask(&from_json(row.clone())),
                    Said::Same(expected),
                    "{rule}: {row}"
                );
                asked += 1;
            }
        }
        asked
    })
    .unwrap();
    assert!(asked > 25, "{asked}");
}

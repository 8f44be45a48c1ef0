//! The published OPA suite: every case whose policy is let through.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{None, Pair, Said};
use crate::policy::{from_json, on_deep_stack};

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[derive(Debug, Default)]
struct Count {
    cases: usize,
    asked: usize,
    same: usize,
    as_expected: usize,
    doubts: usize,
    obstacles: BTreeMap<String, usize>,
    different: Vec<String>,
}

/// The rule a query of the form `data.path = x` asks for, or of which it asks a member.
fn rule_of(query: &str) -> Option<&str> {
    let (rule, _) = query.split_once(" = x")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    rule.chars().all(plain).then_some(rule)
}

fn try_case(case: &Value, count: &mut Count) {
    count.cases += 1;
    let Some(rule) = case["query"].as_str().and_then(rule_of) else {
        return;
    };
    let texts: Vec<&str> = case["modules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let names: Vec<String> = (0..texts.len())
        .map(|number| format!("m{number}.rego"))
        .collect();
    let files: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(texts).collect();
    let data = case
        .get("data")
        .cloned()
        .unwrap_or_else(|| serde_json::json!({}));
    let mut pair = match Pair::of(&files, Some(from_json(data)), rule) {
        Ok(pair) => pair,
        Err(None::Refused(_)) => return,
        Err(None::Obstacle(obstacle)) => {
            let text = obstacle.to_string();
            let what = text.split_once(": ").map_or(&*text, |(_, what)| what);
            *count.obstacles.entry(what.to_owned()).or_default() += 1;
            return;
        }
    };
    count.asked += 1;
    let input = case.get("input").cloned().unwrap_or(Value::Null);
    match pair.ask(&from_json(input)) {
        Said::Same(value) => {
            count.same += 1;
            let wanted = &case["want_result"][0]["x"];
            let value = serde_json::to_value(&value).unwrap_or_default();
            count.as_expected += usize::from(value == *wanted);
            if value != *wanted && !case["sort_bindings"].as_bool().unwrap_or_default() {
                println!("{}: both engines say {value}, OPA {wanted}", case["note"]);
            }
        }
        Said::Doubt(_) => count.doubts += 1,
        Said::Different(how) => count.different.push(format!("{}: {how}", case["note"])),
    }
}

#[test]
fn admitted_cases_of_the_published_suite_answer_in_bytecode_as_in_the_interpreter() {
    let Some(root) = std::env::var_os("EDGEWARD_CONFORMANCE") else {
        println!("skipped: EDGEWARD_CONFORMANCE names no folder");
        return;
    };
    let files = files_below(&Path::new(&root).join("opa-rego/v1"));
    let count = on_deep_stack(move || {
        let mut count = Count::default();
        for file in files {
            let suite: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            for case in suite["cases"].as_array().into_iter().flatten() {
                try_case(case, &mut count);
            }
        }
        count
    })
    .unwrap();
    println!("{count:#?}");
    assert!(count.different.is_empty(), "{:#?}", count.different);
    assert!(count.asked > 50, "{count:?}");
}

//! `docs/opa-api.md`: what it shows is what is answered.

use serde_json::Value;

use super::super::harness::{Pdp, exchange, settings};
use super::open;
use crate::config::Config;

const DOCUMENT: &str = include_str!("../../../../../docs/opa-api.md");

/// The fenced blocks, with their language.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let parts: Vec<&str> = DOCUMENT.split("```").collect();
    let fenced = parts.iter().skip(1).step_by(2);
    fenced
        .map(|block| block.split_once('\n').unwrap())
        .collect()
}

/// Whether `found` is as `shown`, in which a dash of dots stands for any text.
fn is_like(found: &Value, shown: &Value) -> bool {
    match (found, shown) {
        (Value::String(found), Value::String(shown)) => match shown.split_once('…') {
            Some((before, after)) => found.starts_with(before) && found.ends_with(after),
            None => found == shown,
        },
        (Value::Object(found), Value::Object(shown)) => {
            let is_there = |(name, value): (&String, &Value)| {
                found.get(name).is_some_and(|found| is_like(found, value))
            };
            found.len() == shown.len() && shown.iter().all(is_there)
        }
        _ => found == shown,
    }
}

#[test]
fn the_example_of_the_document_is_answered_as_it_says() {
    let blocks = blocks();
    let of = |language: &str| {
        let found = blocks.iter().find(|(found, _)| *found == language);
        found.unwrap().1
    };
    let config = Config::parse(of("yaml"), std::path::Path::new("")).unwrap();
    let mut settings = settings();
    settings.opa_api = config.opa_api;
    assert_eq!(settings.opa_api, Some(open()));
    let files = [("shop.rego", of("rego")), ("shop/data.json", of("json"))];
    let pdp = Pdp::with_entry_point(&files, settings, &config.policies.entrypoint);
    let mut asked = 0;
    for pair in blocks.windows(2) {
        let [("sh", call), ("json", shown)] = pair else {
            continue;
        };
        let call = call
            .trim()
            .strip_prefix("curl http://127.0.0.1:8181")
            .unwrap();
        let (path, body) = call.split_once(" -d '").unwrap();
        let body = body.strip_suffix('\'').unwrap();
        // As curl sends it.
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = exchange(pdp.connect(), "POST", path, &headers, body.as_bytes());
        let shown: Value = serde_json::from_str(shown).unwrap();
        assert!(is_like(&answer.json(), &shown), "{call}: {}", answer.body);
        asked += 1;
    }
    assert_eq!(asked, 5);
}

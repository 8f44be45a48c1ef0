//! JSONTestSuite through the one strict parser of `edgeward_core::json`.

use std::panic::catch_unwind;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward_core::json;
use serde_json::Value;

use crate::data::{Data, list, text};
use crate::table::Suite;

pub(crate) fn run(data: &Data) -> Vec<Suite> {
    let mut suite = Suite::new("json-parsing");
    let (mut accepted, mut refused) = (0, 0);
    for case in list(&data.json("jsontestsuite.json"), "/cases") {
        let (name, bytes) = (text(case, "/name"), bytes(case));
        let Ok(parsed) = catch_unwind(|| json::parse(&bytes)) else {
            suite.check(false, name, "the parser panicked");
            continue;
        };
        match text(case, "/expect") {
            "y" if name.starts_with("y_object_duplicated_key") => {
                let reason = "duplicate member names are refused by design";
                suite.refused_by_design(parsed.is_err(), name, parsed, reason);
            }
            "y" => suite.check(parsed.is_ok(), name, parsed),
            "n" => suite.check(parsed.is_err(), name, parsed),
            _ => {
                let count = if parsed.is_ok() {
                    &mut accepted
                } else {
                    &mut refused
                };
                *count += 1;
                suite.check(true, name, parsed);
            }
        }
    }
    suite.note(format!(
        "left open by the suite, and without a crash: {accepted} accepted, {refused} refused"
    ));
    vec![suite]
}

/// The case's bytes; two very deep ones are given as a repetition.
fn bytes(case: &Value) -> Vec<u8> {
    match case["repeat"].as_str() {
        Some(part) => {
            let times = case["times"]
                .as_u64()
                .and_then(|times| usize::try_from(times).ok());
            let suffix = case["suffix"].as_str().unwrap_or_default();
            let bytes = part.repeat(times.expect("a count")) + suffix;
            assert_eq!(case["size"], bytes.len(), "rebuilt as the suite says");
            bytes.into_bytes()
        }
        None => STANDARD.decode(text(case, "/b64")).expect("base64"),
    }
}

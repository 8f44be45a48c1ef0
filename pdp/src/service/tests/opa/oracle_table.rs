//! One call after the other of OPA's whole API, made of a real `opa run --server` and of the PDP: status, kind
//! and body are the same, but for the differences that `docs/opa-api.md` tells of, which are here too.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::harness::{Answer, Pdp, exchange};
use super::oracle::{Opa, by_value};
use super::oracle_calls::{CALLS, DIFFERENT, NOTED, QUERIES, REFUSED};
use super::{FILES, encoded, serving};

struct Both {
    opa: Opa,
    pdp: Pdp,
}

impl Both {
    fn ask(&self, method: &str, path: &str, body: &str) -> (Answer, Answer) {
        let body = body.as_bytes();
        let theirs = exchange(self.opa.connect(), method, path, &[], body);
        (
            theirs,
            exchange(self.pdp.connect(), method, path, &[], body),
        )
    }

    fn same(&self, method: &str, path: &str, body: &str) -> Result<(), String> {
        let (theirs, ours) = self.ask(method, path, body);
        let (theirs, ours) = (shown(&theirs), shown(&ours));
        if theirs == ours {
            return Ok(());
        }
        Err(format!(
            "{method} {path} {body}\n  OPA {theirs:?}\n  PDP {ours:?}"
        ))
    }
}

/// Status, kind and content, without what differs each time. In whose words an error is said, and where OPA
/// says nothing at all, is not compared.
fn shown(answer: &Answer) -> (u16, Value) {
    let json: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    if answer.status == 404 || answer.status == 405 {
        return (
            answer.status,
            json["code"].as_str().map_or(Value::Null, |code| {
                if code == "invalid_operation" {
                    Value::Null
                } else {
                    code.into()
                }
            }),
        );
    }
    let kind = answer.header("content-type").unwrap_or_default();
    let mut members: BTreeMap<String, Value> = BTreeMap::new();
    for (name, value) in json.as_object().into_iter().flatten() {
        match name.as_str() {
            "decision_id" | "message" | "metrics" => {}
            // OPA tells every fault, the engine the first.
            "errors" => {
                let row = &value[0]["location"]["row"];
                let row = Some(row).filter(|_| answer.status == 400);
                let first = json!([value[0]["code"], row]);
                members.insert("errors".to_owned(), first);
            }
            _ => {
                members.insert(name.clone(), by_value(value.clone()));
            }
        }
    }
    if !json.is_object() {
        members.insert("bare".to_owned(), by_value(json));
    }
    members.insert("kind".to_owned(), kind.into());
    (answer.status, json!(members))
}

#[test]
fn every_call_of_the_table_is_answered_as_opa_answers_it_or_as_the_documentation_says() {
    let Some(opa) = Opa::start(FILES, &[]) else {
        return;
    };
    let both = Both {
        opa,
        pdp: serving(),
    };
    let mut wrong = Vec::new();
    for query in QUERIES.iter().chain(REFUSED) {
        let target = format!("/v1/query?q={}", encoded(query));
        let body = json!({"query": query, "input": {"user": "x"}}).to_string();
        for outcome in [
            both.same("GET", &target, ""),
            both.same("POST", "/v1/query", &body),
        ] {
            wrong.extend(outcome.err().map(|why| format!("{query:?}: {why}")));
        }
    }
    for (method, path, body) in CALLS {
        wrong.extend(both.same(method, path, body).err());
    }
    for (method, path, body, status, own) in DIFFERENT {
        let (theirs, ours) = both.ask(method, path, body);
        if (theirs.status, ours.status) != (*status, *own) {
            wrong.push(format!(
                "{method} {path} {body}: {} {} {}",
                theirs.status, ours.status, ours.body
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What was noted: of OPA's explanation the notes alone, without the steps that lead to each.
fn notes(answer: &Answer) -> Vec<(Value, Value)> {
    let json: Value = serde_json::from_str(&answer.body).unwrap();
    let events = json["explanation"].as_array().unwrap().clone();
    let notes = events.into_iter().filter(|event| event["op"] == "note");
    notes
        .map(|event| {
            let others = [&event["type"], &event["node"], &event["locals"]];
            (event["message"].clone(), json!(others))
        })
        .collect()
}

#[test]
fn the_policies_note_what_opa_notes() {
    let Some(opa) = Opa::start(FILES, &[]) else {
        return;
    };
    let both = Both {
        opa,
        pdp: serving(),
    };
    for (method, path, body) in NOTED {
        let (theirs, ours) = both.ask(method, path, body);
        assert_eq!(
            (theirs.status, ours.status),
            (200, 200),
            "{path}: {}",
            ours.body
        );
        assert!(!notes(&ours).is_empty(), "{path}");
        assert_eq!(notes(&ours), notes(&theirs), "{method} {path} {body}");
    }
}

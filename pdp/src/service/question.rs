//! An `AuthZEN` evaluation request, read: bytes → `input`, or what is wrong with them.
//!
//! `input` is exactly `{subject, action, resource, context}` with the attributes the standard
//! knows; unknown ones are ignored, as it demands. `context.time` (RFC 3339, UTC, whole seconds) is
//! filled in where the caller does not say it.

use serde_json::{Map, Value};

use super::reply::Refusal;

/// The `input` that a policy is given for the body of an evaluation request, or what is wrong with
/// the body. `now` becomes `context.time` where the caller says none. For tests and tools: the
/// service reads bodies by the same code.
pub fn read_input(body: &[u8], now: &str) -> Result<Value, String> {
    match Question::read(body, || now.to_owned()) {
        Ok(question) => Ok(question.input),
        Err(refusal) => Err(refusal.message()),
    }
}

/// A question as the policy sees it, and what the log says of it.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) input: Value,
    pub(super) subject: String,
    pub(super) action: String,
    pub(super) resource: String,
}

impl Question {
    /// Reads `body`; `now` is for `context.time`.
    pub(super) fn read(body: &[u8], now: impl FnOnce() -> String) -> Result<Self, Refusal> {
        let mut members = edgeward_core::json::parse_object(body)
            .map_err(|error| Refusal::BadRequest(format!("body: {error}")))?;
        let (subject, ids) = entity(&mut members, "subject", &["type", "id"])?;
        let subject_id = ids.into_iter().last().unwrap_or_default();
        let (action, names) = entity(&mut members, "action", &["name"])?;
        let action_name = names.into_iter().last().unwrap_or_default();
        let (resource, ids) = entity(&mut members, "resource", &["type", "id"])?;
        let resource_id = ids.into_iter().last().unwrap_or_default();
        let mut context = match members.remove("context") {
            None => Map::new(),
            Some(Value::Object(context)) => context,
            Some(_) => return Err(bad("`context` must be an object")),
        };
        if !context.contains_key("time") {
            context.insert("time".to_owned(), Value::String(now()));
        }
        Ok(Self {
            input: Value::Object(Map::from_iter([
                ("subject".to_owned(), subject),
                ("action".to_owned(), action),
                ("resource".to_owned(), resource),
                ("context".to_owned(), Value::Object(context)),
            ])),
            subject: subject_id,
            action: action_name,
            resource: resource_id,
        })
    }
}

/// Takes one entity out: its required texts, in order, and `properties` where given.
fn entity(
    members: &mut Map<String, Value>,
    name: &str,
    required: &[&str],
) -> Result<(Value, Vec<String>), Refusal> {
    let mut given = match members.remove(name) {
        None => return Err(bad(format!("`{name}` is missing"))),
        Some(Value::Object(given)) => given,
        Some(_) => return Err(bad(format!("`{name}` must be an object"))),
    };
    let mut entity = Map::new();
    let mut texts = Vec::with_capacity(required.len());
    for attribute in required {
        match given.remove(*attribute) {
            Some(Value::String(text)) => {
                texts.push(text.clone());
                entity.insert((*attribute).to_owned(), Value::String(text));
            }
            None => return Err(bad(format!("`{name}.{attribute}` is missing"))),
            Some(_) => return Err(bad(format!("`{name}.{attribute}` must be a string"))),
        }
    }
    match given.remove("properties") {
        None => {}
        Some(Value::Object(properties)) => {
            entity.insert("properties".to_owned(), Value::Object(properties));
        }
        Some(_) => return Err(bad(format!("`{name}.properties` must be an object"))),
    }
    Ok((Value::Object(entity), texts))
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::BadRequest(message.into())
}

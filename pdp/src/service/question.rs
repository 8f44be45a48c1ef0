//! An `AuthZEN` evaluation request, read whole: bytes → `input`, or what is wrong with them.
//!
//! `input` is exactly `{subject, action, resource, context}` with the attributes the standard
//! knows; unknown ones are ignored, as it demands. `context.time` (RFC 3339, UTC, whole seconds) is
//! filled in where the caller does not say it.
//!
//! What this is not: on the way of every question. `question_key` reads no more than decides, and this
//! is what it is held to: it says what is wrong with a body, and gives the whole where it is asked for.

use edgeward_core::footprint::Footprint;
use edgeward_core::time::UnixSeconds;
use serde_json::{Map, Value};

use super::asked::Asked;
use super::reply::Refusal;
use super::supplied;

/// The `input` that a policy is given for the body of an evaluation request, or what is wrong with
/// the body. `now` becomes `context.time` where the caller says none. For tests and tools: the
/// service means the same.
pub fn read_input(body: &[u8], now: UnixSeconds) -> Result<Value, String> {
    read(body, now).map_err(|refusal| refusal.message())
}

/// Reads `body`, asked at `now`.
pub(super) fn read(body: &[u8], now: UnixSeconds) -> Result<Value, Refusal> {
    let mut input = said(body)?;
    let asked = Asked::of(&input);
    let supplied = supplied::members(&asked, now, &Footprint::Whole);
    supplied::put_into_input(&mut input, supplied);
    Ok(input)
}

/// What the caller says.
pub(super) fn said(body: &[u8]) -> Result<Value, Refusal> {
    let mut members = edgeward_core::json::parse_object(body)
        .map_err(|error| Refusal::BadRequest(format!("body: {error}")))?;
    let mut input = Map::new();
    for (name, required) in [
        ("subject", &["type", "id"][..]),
        ("action", &["name"]),
        ("resource", &["type", "id"]),
    ] {
        input.insert(name.to_owned(), entity(&mut members, name, required)?);
    }
    match members.remove("context") {
        None => {}
        Some(context @ Value::Object(_)) => {
            input.insert("context".to_owned(), context);
        }
        Some(_) => return Err(bad("`context` must be an object")),
    }
    Ok(Value::Object(input))
}

/// Takes one entity out: its required texts, and `properties` where given.
pub(super) fn entity(
    members: &mut Map<String, Value>,
    name: &str,
    required: &[&str],
) -> Result<Value, Refusal> {
    let mut given = match members.remove(name) {
        None => return Err(bad(format!("`{name}` is missing"))),
        Some(Value::Object(given)) => given,
        Some(_) => return Err(bad(format!("`{name}` must be an object"))),
    };
    let mut entity = Map::new();
    for attribute in required {
        match given.remove(*attribute) {
            Some(text @ Value::String(_)) => {
                entity.insert((*attribute).to_owned(), text);
            }
            None => return Err(bad(format!("`{name}.{attribute}` is missing"))),
            Some(_) => return Err(bad(format!("`{name}.{attribute}` must be a string"))),
        }
    }
    match given.remove("properties") {
        None => {}
        Some(properties @ Value::Object(_)) => {
            entity.insert("properties".to_owned(), properties);
        }
        Some(_) => return Err(bad(format!("`{name}.properties` must be an object"))),
    }
    Ok(Value::Object(entity))
}

pub(super) fn bad(message: impl Into<String>) -> Refusal {
    Refusal::BadRequest(message.into())
}

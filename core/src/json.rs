//! Strict JSON: the one way bytes from the wire become values.
//!
//! `serde_json` already refuses bad syntax, lone surrogates, non-finite numbers and nesting deeper
//! than 128. This adds what I-JSON (RFC 7493) demands and what attackers use: a member name twice
//! in one object, also when one of them is spelt with escapes, is an error and never "the last one
//! wins". Two readers that disagree about a duplicate are a bypass.
//!
//! What this is not: a schema check. Types are checked by whoever asked for the value.

mod picked;

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use thiserror::Error;

pub use picked::{Name, pick};

/// Why bytes are not acceptable JSON. The message names line and column, never the content.
#[derive(Debug, Error)]
pub enum JsonError {
    /// Not UTF-8.
    #[error("not UTF-8")]
    Utf8(#[from] std::str::Utf8Error),
    /// Not JSON, nested too deeply, or a duplicate member name.
    #[error("not acceptable JSON: {0}")]
    Syntax(#[from] serde_json::Error),
    /// JSON, but not an object at the top.
    #[error("JSON is not an object")]
    NotAnObject,
}

/// Parses `bytes` as one JSON value, refusing duplicate member names at every depth.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    Ok(serde_json::from_slice::<Strict>(bytes)?.0)
}

/// Parses `bytes` as one JSON object, refusing duplicate member names at every depth.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    match parse(bytes)? {
        Value::Object(members) => Ok(members),
        _ => Err(JsonError::NotAnObject),
    }
}

/// A `T` that stood in the JSON as an object. A derived struct would also be read from an array,
/// by position: `[true]` must not be an answer that allows.
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(ObjectVisitor(PhantomData))
            .map(Object)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

/// A [`Value`] that was read strictly.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictSeed;

impl<'de> DeserializeSeed<'de> for StrictSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(StrictVisitor)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(StrictSeed)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(StrictSeed)?;
            if members.insert(name, value).is_some() {
                return Err(duplicate());
            }
        }
        Ok(Value::Object(members))
    }
}

fn duplicate<E: serde::de::Error>() -> E {
    E::custom("duplicate member name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_member_name_is_refused_at_any_depth_and_in_any_spelling() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"b":1,"b":2}}"#,
            r#"[{"c":[{"d":1,"d":1}]}]"#,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_one_whole_value_is_refused() {
        let deep = "[".repeat(4000);
        for text in [
            "",
            " ",
            "{}{}",
            "{},",
            "nul",
            "1e999",
            "\"\\ud800\"",
            "{\"a\":1}x",
            &deep,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(b"\"\xff\"").is_err());
        assert!(matches!(parse_object(b"[]"), Err(JsonError::NotAnObject)));
    }
}

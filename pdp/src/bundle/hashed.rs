//! What a file's digest in a bundle's signature is over, as OPA has it: of structured files the value,
//! as compact JSON with members in order of their names; of others the bytes.
//!
//! Numbers of JSON stay as they are written. Of YAML they are what Go writes for them, which is how
//! `opa sign` came to its digest. What this is not: a judge of signatures.

use std::collections::BTreeMap;

use edgeward_core::json::{self, JsonError};
use serde::Deserialize as _;
use serde_json::Value as Json;
use serde_json::value::RawValue;
use thiserror::Error;

/// Why there is no digest of a file.
#[derive(Debug, Error)]
pub enum HashError {
    /// It is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It is not JSON all the way down.
    #[error(transparent)]
    Raw(#[from] serde_json::Error),
    /// It is not YAML.
    #[error("{0}")]
    Yaml(String),
}

/// What the digest of `file` is over.
pub(super) fn hashed(file: &str, bytes: &[u8]) -> Result<Vec<u8>, HashError> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let mut out = Vec::new();
    match name {
        "data.json" | ".manifest" => {
            // Strictly first: of a member given twice there is no telling which is meant.
            json::parse(bytes)?;
            write_raw(serde_json::from_slice(bytes)?, &mut out)?;
        }
        "data.yaml" | "data.yml" => {
            let value: Json = serde_saphyr::from_slice(bytes)
                .map_err(|error| HashError::Yaml(first_line(&error.to_string())))?;
            write_value(&value, &mut out)?;
        }
        _ => out.extend_from_slice(bytes),
    }
    Ok(out)
}

fn write_raw(raw: &RawValue, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let text = raw.get();
    let mut reader = serde_json::Deserializer::from_str(text);
    match text.as_bytes().first() {
        Some(b'{') => {
            let members = BTreeMap::<String, &RawValue>::deserialize(&mut reader)?;
            write_object(members, out, write_raw)
        }
        Some(b'[') => {
            let items = Vec::<&RawValue>::deserialize(&mut reader)?;
            write_each((b'[', b']'), items, out, write_raw)
        }
        Some(b'"') => {
            write_text(&String::deserialize(&mut reader)?, out);
            Ok(())
        }
        _ => {
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
}

fn write_value(value: &Json, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    match value {
        // In the map's own order, which is by name.
        Json::Object(members) => return write_object(members, out, write_value),
        Json::Array(items) => return write_each((b'[', b']'), items, out, write_value),
        Json::String(text) => write_text(text, out),
        Json::Number(number) => {
            let text = match number.as_f64() {
                Some(float) if !number.is_i64() && !number.is_u64() => as_go_writes(float),
                _ => number.to_string(),
            };
            out.extend_from_slice(text.as_bytes());
        }
        Json::Null | Json::Bool(_) => out.extend_from_slice(value.to_string().as_bytes()),
    }
    Ok(())
}

fn write_object<N: AsRef<str>, V>(
    members: impl IntoIterator<Item = (N, V)>,
    out: &mut Vec<u8>,
    write: impl Fn(V, &mut Vec<u8>) -> Result<(), serde_json::Error>,
) -> Result<(), serde_json::Error> {
    write_each((b'{', b'}'), members, out, |(name, value), out| {
        write_text(name.as_ref(), out);
        out.push(b':');
        write(value, out)
    })
}

fn write_each<T>(
    (open, close): (u8, u8),
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>) -> Result<(), serde_json::Error>,
) -> Result<(), serde_json::Error> {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out)?;
    }
    out.push(close);
    Ok(())
}

/// As Go's `encoding/json` without escapes for HTML: as serde, but for two separators.
fn write_text(text: &str, out: &mut Vec<u8>) {
    let quoted = Json::from(text).to_string();
    let quoted = quoted
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    out.extend_from_slice(quoted.as_bytes());
}

/// A float as Go's `encoding/json` writes it: shortest digits, an exponent only below 1e-6 and from 1e21.
fn as_go_writes(float: f64) -> String {
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                format!("{digits}e+{exponent}")
            }
            _ => text,
        };
    }
    format!("{float}")
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or("does not parse").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str, text: &str) -> String {
        String::from_utf8(hashed(file, text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn structured_files_are_hashed_by_their_value_and_others_by_their_bytes() {
        let json = " {\"b\": [1.0, 1e3, -0, 12345678901234567890123], \"a\": {\"z\":null,\"y\":\"<\\u000b\\u2028é\"} } ";
        let same = "{\"a\":{\"y\":\"<\\u000b\\u2028é\",\"z\":null},\"b\":[1.0,1e3,-0,12345678901234567890123]}";
        assert_eq!(of("x/data.json", json), same);
        assert_eq!(of(".manifest", "{ }"), "{}");
        assert_eq!(of("x/other.json", " { }"), " { }");
        assert_eq!(of("a.rego", "package a\n"), "package a\n");
        let yaml = "b: [1.0, 1.5e-7, 3e30, 7, true]\na: \"\\t\"\n";
        assert_eq!(
            of("data.yaml", yaml),
            "{\"a\":\"\\t\",\"b\":[1,1.5e-7,3e+30,7,true]}"
        );
        assert!(hashed("data.json", b"{\"a\":1,\"a\":2}").is_err());
        assert!(hashed("data.yml", b"a: [").is_err());
    }
}

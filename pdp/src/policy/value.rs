//! JSON, and the key of a question, into the engine's value, member by member.
//!
//! Not by `serde`: the engine's own deserialiser reads an object whose first member is called
//! `$serde_json::private::Number` as a number, and an attacker may choose member names.

use std::collections::BTreeMap;

use edgeward_core::cache_key::{Item, Items, KeyError};
use regorus::Value;
use serde_json::Value as Json;

/// The engine's value for `json`. Depth is bounded by whoever parsed it.
pub fn from_json(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(value), _, _) => Value::from(value),
            (None, Some(value), _) => Value::from(value),
            (None, None, value) => Value::from(value.unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text),
        Json::Array(items) => Value::from(items.into_iter().map(from_json).collect::<Vec<_>>()),
        Json::Object(members) => Value::from(
            members
                .into_iter()
                .map(|(name, value)| (Value::from(name), from_json(value)))
                .collect::<BTreeMap<_, _>>(),
        ),
    }
}

/// The engine's value for what `key` encodes: what decides is then a function of the key. Depth is
/// bounded by whoever wrote it.
pub fn from_key(key: &[u8]) -> Result<Value, KeyError> {
    let mut items = Items::of(key);
    let first = items.read()?;
    let value = decode(first, &mut items)?;
    if items.rest().is_empty() {
        Ok(value)
    } else {
        Err(KeyError)
    }
}

fn decode(first: Item<'_>, items: &mut Items<'_>) -> Result<Value, KeyError> {
    Ok(match first {
        Item::Null => Value::Null,
        Item::Flag(flag) => Value::Bool(flag),
        Item::Number(text) => number(text)?,
        Item::Text(text) => Value::from(text),
        Item::List => {
            let mut list = Vec::new();
            loop {
                match items.read()? {
                    Item::End => break Value::from(list),
                    item => list.push(decode(item, items)?),
                }
            }
        }
        Item::Object => {
            let mut members = BTreeMap::new();
            loop {
                let name = match items.read()? {
                    Item::End => break Value::from(members),
                    Item::Text(name) => Value::from(name),
                    _ => return Err(KeyError),
                };
                let item = items.read()?;
                members.insert(name, decode(item, items)?);
            }
        }
        Item::End => return Err(KeyError),
    })
}

/// As [`from_json`] has it. Not by `serde_json`, which reads the last digit of a fraction in haste.
fn number(text: &str) -> Result<Value, KeyError> {
    if let Ok(value) = text.parse::<u64>() {
        return Ok(Value::from(value));
    }
    if let Ok(value) = text.parse::<i64>() {
        return Ok(Value::from(value));
    }
    text.parse::<f64>().map(Value::from).map_err(|_| KeyError)
}

#[cfg(test)]
mod tests {
    use edgeward_core::cache_key::write_value;
    use serde_json::json;

    use super::*;

    fn by_key(json: &Json) -> Value {
        let mut key = Vec::new();
        write_value(&mut key, json);
        from_key(&key).unwrap()
    }

    #[test]
    fn a_key_is_read_as_the_json_it_was_written_from() {
        let numbers = [
            "0",
            "-0",
            "-0.0",
            "1",
            "1.0",
            "-1",
            "1e16",
            "0.1",
            "1e-7",
            "5e-324",
            "1.7976931348623157e308",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "123456789.123456789",
        ];
        for text in numbers {
            let json: Json = serde_json::from_str(text).unwrap();
            assert_eq!(
                format!("{:?}", by_key(&json)),
                format!("{:?}", from_json(json)),
                "{text}"
            );
        }
        let whole = json!({"b": [null, true, false, {}, []], "a": {"": "é", "$serde_json::private::Number": "1"}});
        assert_eq!(by_key(&whole), from_json(whole));
        assert_eq!(from_key(b""), Err(KeyError));
    }

    #[test]
    fn every_json_value_arrives_unchanged() {
        let whole =
            json!({"a": [null, true, -1, 1.5, 18_446_744_073_709_551_615_u64, "x"], "": {}});
        let value = from_json(whole.clone());
        assert_eq!(serde_json::to_value(&value).unwrap(), whole);
    }

    #[test]
    fn a_member_name_the_engines_deserialiser_treats_specially_stays_an_object() {
        let value = from_json(json!({"$serde_json::private::Number": "1"}));
        assert!(value.as_object().is_ok());
    }
}

//! JSON into the engine's value, member by member.
//!
//! Not by `serde`: the engine's own deserialiser reads an object whose first member is called
//! `$serde_json::private::Number` as a number, and an attacker may choose member names.

use std::collections::BTreeMap;

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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

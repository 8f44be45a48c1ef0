//! `json.verify_schema`: whether a JSON schema is one, in the words of OPA.
//!
//! Answered is what is certain: a schema of known keywords that is right, or one with a single fault whose words are
//! known. Errors here, where OPA has an answer: references, drafts but the seventh, other faults, and several
//! that differ, of which OPA tells one by chance. A whole number that came as `1.0` in an object is `1`. `json.match_schema` stays refused (`capability`).

use std::collections::BTreeSet;

use regorus::Value;
use serde::de::IgnoredAny;
use serde_json::{Map, Value as Json};

use super::arguments::Arguments;
use super::{Builtin, Failed, answer, bodies, function};

/// What is here.
pub(super) const ALL: &[Builtin] = &[("json.verify_schema", 1, verify)];

const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];
/// Keywords that say nothing of what is valid.
const REMARKS: [&str; 5] = [
    "$comment",
    "contentEncoding",
    "contentMediaType",
    "default",
    "examples",
];
/// Pairs of which the first must not be above the second.
const RANGES: [(&str, &str); 3] = [
    ("minLength", "maxLength"),
    ("minProperties", "maxProperties"),
    ("minItems", "maxItems"),
];
const SEVENTH_DRAFT: &str = "http://json-schema.org/draft-07/schema";

fn verify(a: &Arguments<'_>) -> Result<Value, Failed> {
    let schema = match a.any(0) {
        Value::String(text) if serde_json::from_str::<IgnoredAny>(text).is_err() => {
            return Ok(fault("invalid JSON string"));
        }
        Value::String(text) => serde_json::from_str(text).map_err(|_| uncertain())?,
        object @ Value::Object(_) => {
            let text = bodies::json(object).map_err(|_| uncertain())?;
            serde_json::from_slice(&text).map_err(|_| uncertain())?
        }
        Value::Array(_) => return Ok(fault("schema is invalid")),
        Value::Set(_) => return Err(uncertain()),
        _ => return Ok(fault("wrong type, expected string or object")),
    };
    match &schema {
        Json::Object(_) => {}
        Json::Array(_) | Json::Number(_) => return Ok(fault("schema is invalid")),
        _ => return Err(uncertain()),
    }
    let mut faults = BTreeSet::new();
    check(&schema, true, &mut faults)?;
    let mut faults = faults.into_iter();
    match (faults.next(), faults.next()) {
        (None, _) => Ok(Value::from(vec![Value::from(true), Value::Null])),
        (Some(only), None) => Ok(fault(&only)),
        _ => Err(uncertain()),
    }
}

fn fault(why: &str) -> Value {
    let why = Value::from(format!("jsonschema: {why}"));
    Value::from(vec![Value::from(false), why])
}

fn uncertain() -> Failed {
    Failed::refused("a schema of which Edgeward does not know what OPA says")
}

/// Gathers faults. Values are as deep as whoever parsed them allows.
fn check(schema: &Json, root: bool, faults: &mut BTreeSet<String>) -> Result<(), Failed> {
    let members = match schema {
        Json::Object(members) => members,
        Json::Bool(_) => return Ok(()),
        _ => return Err(uncertain()),
    };
    for (keyword, value) in members {
        if !keyword_is_certain(keyword, value, root, faults)? {
            return Err(uncertain());
        }
    }
    let number = |name| members.get(name).and_then(Json::as_u64);
    let crossed = |(low, high)| {
        number(low)
            .zip(number(high))
            .is_some_and(|(low, high)| low > high)
    };
    if RANGES.into_iter().any(crossed) {
        return Err(uncertain());
    }
    Ok(())
}

/// Gathers the faults of one keyword, and says whether it is known what OPA makes of it.
fn keyword_is_certain(
    keyword: &str,
    value: &Json,
    root: bool,
    faults: &mut BTreeSet<String>,
) -> Result<bool, Failed> {
    let draft = || {
        value
            .as_str()
            .is_some_and(|url| url.strip_suffix('#').unwrap_or(url) == SEVENTH_DRAFT)
    };
    Ok(match keyword {
        "type" => types(value, faults)?,
        "minimum" | "maximum" if !value.is_number() => {
            faults.insert(format!("{keyword} must be of a Number"));
            true
        }
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value.is_number(),
        "multipleOf" => value.as_u64().is_some_and(|number| number > 0),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
            length(keyword, value, faults)
        }
        "title" | "description" | "format" => value.is_string(),
        "uniqueItems" => value.is_boolean(),
        "pattern" => value.as_str().is_some_and(is_expression),
        "required" => required(value, faults),
        "enum" => distinct(value, |one| {
            one.is_string() || one.is_boolean() || one.is_null() || one.is_i64()
        }),
        "const" => !value.is_object() && !value.is_array() && !value.is_f64(),
        "items" if value.is_array() => each(value.as_array(), faults)?,
        "additionalProperties"
        | "additionalItems"
        | "items"
        | "propertyNames"
        | "contains"
        | "not"
        | "if"
        | "then"
        | "else" => {
            check(value, false, faults)?;
            true
        }
        "allOf" | "anyOf" | "oneOf" => each(value.as_array(), faults)?,
        "properties" | "definitions" => each(value.as_object().map(Map::values), faults)?,
        "patternProperties" => {
            let schemas = value.as_object();
            let names = schemas.is_some_and(|all| all.keys().all(|name| is_expression(name)));
            names && each(schemas.map(Map::values), faults)?
        }
        "$schema" => root && draft(),
        other => REMARKS.contains(&other) && !has_references(value),
    })
}

/// Checks schemas that are there.
fn each<'j>(
    schemas: Option<impl IntoIterator<Item = &'j Json>>,
    faults: &mut BTreeSet<String>,
) -> Result<bool, Failed> {
    let Some(schemas) = schemas else {
        return Ok(false);
    };
    for schema in schemas {
        check(schema, false, faults)?;
    }
    Ok(true)
}

fn types(value: &Json, faults: &mut BTreeSet<String>) -> Result<bool, Failed> {
    let names: Vec<&Json> = match value {
        Json::Array(names) => names.iter().collect(),
        one => vec![one],
    };
    let mut seen = BTreeSet::new();
    for name in names {
        let Some(name) = name.as_str() else {
            faults
                .insert("Invalid type. Expected: type, given: string/Array Of Strings".to_owned());
            continue;
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" -_".contains(&byte);
        if !seen.insert(name) || !name.bytes().all(plain) {
            return Err(uncertain());
        }
        if !TYPES.contains(&name) {
            faults.insert(format!(
                "has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values are:[array boolean integer number null object string]"
            ));
        }
    }
    Ok(true)
}

/// A count: whole, and not below 0.
fn length(keyword: &str, value: &Json, faults: &mut BTreeSet<String>) -> bool {
    if value.as_i64().is_some_and(|count| count < 0) {
        faults.insert(format!("{keyword} must be greater than or equal to 0"));
        return true;
    }
    value
        .as_u64()
        .is_some_and(|count| count <= u64::from(u32::MAX >> 1))
}

fn required(value: &Json, faults: &mut BTreeSet<String>) -> bool {
    if !value.is_array() {
        faults.insert("required must be of an array".to_owned());
        return true;
    }
    distinct(value, Json::is_string)
}

/// Whether it is a list of different things, each of which is `certain`.
fn distinct(value: &Json, certain: impl Fn(&Json) -> bool) -> bool {
    let mut seen = BTreeSet::new();
    let mut items = value.as_array().into_iter().flatten();
    value.is_array() && items.all(|item| certain(item) && seen.insert(item.to_string()))
}

fn is_expression(text: &str) -> bool {
    let valid =
        function("regex.is_valid").and_then(|is_valid| answer(is_valid, &[Value::from(text)]));
    valid == Some(Value::from(true))
}

/// Whether there may be what OPA looks for in the whole of a schema.
fn has_references(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.iter().any(has_references),
        Json::Object(members) => members.iter().any(|(name, value)| {
            matches!(&**name, "$ref" | "$id" | "id" | "$schema") || has_references(value)
        }),
        _ => false,
    }
}

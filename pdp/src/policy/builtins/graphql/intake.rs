//! Objects that policies hand in for a document, as `graphql.parse_query` and `graphql.parse_schema` write
//! them, and documents as objects.
//!
//! gqlparser reads objects in Go's way: names in any case, missing parts as empty, what does not fit a
//! selection left out. What is not as it writes them itself is an error here, for a policy must not call
//! valid what it did not see.

use std::collections::BTreeMap;

use regorus::Value as Rego;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};

use super::document::{Selection, Type, Value, kind};
use super::schema_document::FieldDefinition;
use super::{Failed, MAX_DEPTH, lexer};

const STRANGE: Failed = Failed::Bound(
    "an AST is read only as `graphql.parse_query` and `graphql.parse_schema` write it",
);

/// Values that one object may have, at any depth.
const MAX_VALUES: usize = 200_000;

/// Names of what is read.
const NAMES: [&str; 41] = [
    "AfterDescriptionComment",
    "Alias",
    "Arguments",
    "BeforeDescriptionComment",
    "BuiltIn",
    "Children",
    "Comment",
    "DefaultValue",
    "Definitions",
    "Description",
    "Directives",
    "Elem",
    "EndOfDefinitionComment",
    "EnumValues",
    "ExpectedTypeHasDefault",
    "Extensions",
    "Fields",
    "Fragments",
    "Interfaces",
    "IsRepeatable",
    "Kind",
    "List",
    "Location",
    "Locations",
    "Name",
    "NamedType",
    "NonNull",
    "Operation",
    "OperationTypes",
    "Operations",
    "Raw",
    "Schema",
    "SchemaExtension",
    "SelectionSet",
    "Type",
    "TypeCondition",
    "Types",
    "Used",
    "Value",
    "Variable",
    "VariableDefinitions",
];
/// Of fragments, as a list; anything else of this name is for gqlparser alone.
const OF_FRAGMENTS: &str = "VariableDefinition";
/// What is one object, or a name, and no list.
const SINGLE: [&str; 8] = [
    "AfterDescriptionComment",
    "BeforeDescriptionComment",
    "Comment",
    "DefaultValue",
    "Elem",
    "EndOfDefinitionComment",
    "Type",
    "Value",
];
/// What gqlparser keeps to itself.
const INSIDE: [&str; 5] = [
    "Definition",
    "ExpectedType",
    "ObjectDefinition",
    "ParentDefinition",
    "Position",
];

/// What begins the error of a part that gqlparser leaves out, or does not look at.
const LEFT_OUT: &str = "left out: ";

/// The document that an object is.
pub(super) fn document<T: DeserializeOwned>(object: &Rego) -> Result<T, Failed> {
    let json = plain(object, 6 * MAX_DEPTH, &mut 0)?;
    serde_json::from_value(json).map_err(|error| {
        let why = error.to_string();
        if why.starts_with("invalid type") {
            Failed::refused(format!("json: cannot read the AST: {why}"))
        } else {
            STRANGE
        }
    })
}

/// JSON without what is null, which reads as if it were not there.
fn plain(value: &Rego, depth: usize, count: &mut usize) -> Result<Json, Failed> {
    *count += 1;
    if depth == 0 || *count > MAX_VALUES {
        return Err(Failed::Bound(
            "an AST may have 200000 values, 384 inside each other",
        ));
    }
    Ok(match value {
        Rego::Bool(flag) => Json::Bool(*flag),
        Rego::String(text) => Json::String(text.to_string()),
        Rego::Number(_) => serde_json::to_value(value).map_err(|_| STRANGE)?,
        // `serde` would read a list as the members of an object.
        Rego::Array(list) => {
            if list.iter().any(|item| matches!(item, Rego::Array(_))) {
                return Err(STRANGE);
            }
            let items = list.iter().map(|item| plain(item, depth - 1, count));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        Rego::Object(object) => {
            let mut members = Map::new();
            let is_fragment = object
                .iter()
                .any(|(name, _)| *name == "TypeCondition".into());
            for (name, value) in object.iter() {
                let Rego::String(name) = name else {
                    return Err(STRANGE);
                };
                if *value != Rego::Null && is_read(name, value, is_fragment)? {
                    members.insert(name.to_string(), plain(value, depth - 1, count)?);
                }
            }
            Json::Object(members)
        }
        Rego::Null | Rego::Set(_) | Rego::Undefined => return Err(STRANGE),
    })
}

/// Whether anybody reads this member; strange is what gqlparser reads, and we do not.
fn is_read(name: &str, value: &Rego, is_fragment: bool) -> Result<bool, Failed> {
    let is_list = matches!(value, Rego::Array(_));
    if is_list && SINGLE.contains(&name) {
        return Err(STRANGE);
    }
    if NAMES.contains(&name) || is_fragment && is_list && name == OF_FRAGMENTS {
        return Ok(true);
    }
    let mut all = NAMES.iter().chain(&INSIDE).chain([&OF_FRAGMENTS]);
    if all.any(|known| known.to_lowercase() == name.to_lowercase()) {
        return Err(STRANGE);
    }
    Ok(false)
}

/// The object that a document is, without what is empty.
pub(super) fn object<T: Serialize>(document: &T) -> Result<Rego, Failed> {
    let json =
        serde_json::to_value(document).map_err(|error| Failed::refused(error.to_string()))?;
    Ok(pruned(json).unwrap_or_else(Rego::new_object))
}

fn pruned(json: Json) -> Option<Rego> {
    match json {
        Json::Null => None,
        Json::Array(items) => {
            let items: Vec<Rego> = items.into_iter().filter_map(pruned).collect();
            (!items.is_empty()).then(|| Rego::from(items))
        }
        Json::Object(members) => {
            let members = members.into_iter();
            let members =
                members.filter_map(|(name, value)| Some((Rego::from(name), pruned(value)?)));
            let members: BTreeMap<Rego, Rego> = members.collect();
            (!members.is_empty()).then(|| Rego::from(members))
        }
        plain => Some(crate::policy::value::from_json(plain)),
    }
}

pub(super) fn operation<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    match name.as_str() {
        "" | "query" | "mutation" | "subscription" => Ok(name),
        _ => Err(D::Error::custom("no operation")),
    }
}

pub(super) fn selections<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Selection>, D::Error> {
    Vec::deserialize(from).map_err(|error| D::Error::custom(format!("{LEFT_OUT}{error}")))
}

pub(super) fn some_type<'de, D: Deserializer<'de>>(from: D) -> Result<Type, D::Error> {
    let some = Type::deserialize(from)?;
    if some.name().is_empty() {
        return Err(D::Error::custom("a type without a name"));
    }
    Ok(some)
}

/// Arguments; gqlparser reads no arguments of them.
pub(super) fn arguments<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<FieldDefinition>, D::Error> {
    let arguments: Result<Vec<FieldDefinition>, _> = Vec::deserialize(from);
    let mut arguments =
        arguments.map_err(|error| D::Error::custom(format!("{LEFT_OUT}{error}")))?;
    for argument in &mut arguments {
        argument.arguments.clear();
    }
    Ok(arguments)
}

pub(super) fn default_value<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    let value = value(from)?;
    if has_variable(&value) {
        return Err(D::Error::custom("a default that is a variable"));
    }
    Ok(Some(value))
}

fn has_variable(value: &Value) -> bool {
    value.kind == kind::VARIABLE
        || value
            .children
            .iter()
            .any(|child| has_variable(&child.value))
}

pub(super) fn value<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
    let value = Value::deserialize(from)?;
    let is_sound = match value.kind {
        kind::INT | kind::FLOAT => lexer::is_number(&value.raw, value.kind == kind::FLOAT),
        kind::BOOLEAN => matches!(value.raw.as_str(), "true" | "false"),
        other => other <= kind::OBJECT,
    };
    if !is_sound {
        return Err(D::Error::custom("a value of another kind"));
    }
    Ok(value)
}

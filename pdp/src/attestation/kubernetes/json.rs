//! Members of the API server's objects, of one type each.

use serde_json::{Map, Value};

use super::ReviewRefusal;

/// An object as the API server has it.
pub(super) type Object = Map<String, Value>;

/// The object `name`.
pub(super) fn object<'o>(of: &'o Object, name: &'static str) -> Result<&'o Object, ReviewRefusal> {
    let found = of.get(name).and_then(Value::as_object);
    found.ok_or(ReviewRefusal::Answer(name))
}

/// The text `name`; none where it is absent or empty, which the API server does not tell apart.
pub(super) fn text<'o>(
    of: &'o Object,
    name: &'static str,
) -> Result<Option<&'o str>, ReviewRefusal> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ReviewRefusal::Answer(name)),
    }
}

/// The list `name` of objects, empty where it is absent.
pub(super) fn objects<'o>(
    of: &'o Object,
    name: &'static str,
) -> Result<Vec<&'o Object>, ReviewRefusal> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            let objects = items.iter().map(Value::as_object);
            let objects: Option<Vec<_>> = objects.collect();
            objects.ok_or(ReviewRefusal::Answer(name))
        }
        Some(_) => Err(ReviewRefusal::Answer(name)),
    }
}

/// The labels of an object's metadata.
pub(super) fn labels(metadata: &Object) -> Result<Vec<(&str, &str)>, ReviewRefusal> {
    let wrong = ReviewRefusal::Answer("labels");
    match metadata.get("labels") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(labels)) => {
            let texts = labels.iter();
            let texts = texts.map(|(name, value)| Some((name.as_str(), value.as_str()?)));
            texts.collect::<Option<Vec<_>>>().ok_or(wrong)
        }
        Some(_) => Err(wrong),
    }
}

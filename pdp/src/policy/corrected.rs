//! Built-ins of the engine that answer otherwise than OPA's, put right.
//!
//! What this is not: built-ins that the engine lacks, or bounds (`bounded`); what cannot be put right is
//! refused by name (`capability`).

use regorus::{Engine, Value};

use super::set::LoadError;

/// Puts the corrected built-ins before the engine's own, which fail on what is no text; to OPA that is
/// not valid.
pub(super) fn install(engine: &mut Engine) -> Result<(), LoadError> {
    let mut add = |name: &str, is_valid: fn(&str) -> bool| {
        let function = move |args: Vec<Value>| {
            let text = args.first().and_then(|value| value.as_string().ok());
            Ok(Value::from(text.is_some_and(|text| is_valid(text))))
        };
        engine
            .add_extension(name.to_owned(), 1, Box::new(function))
            .map_err(|error| LoadError::engine(&error))
    };
    add("json.is_valid", |text| {
        serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
    })?;
    add("yaml.is_valid", |text| Value::from_yaml_str(text).is_ok())
}

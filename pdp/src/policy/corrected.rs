//! Built-ins of the engine that answer otherwise than OPA's, put right.
//!
//! What this is not: built-ins that the engine lacks, or bounds (`bounded`); what cannot be put right is
//! refused by name (`capability`).

use regorus::{Engine, Value};

use super::bounded::check_yaml;
use super::builtins::Failed;
use super::set::LoadError;

/// A corrected built-in of one argument.
pub(super) type Function = fn(&Value) -> Result<bool, Failed>;

/// Puts the corrected built-ins before the engine's own, which fail on what is no text; to OPA that is
/// not valid.
pub(super) fn install(engine: &mut Engine) -> Result<(), LoadError> {
    for (name, function) in ALL {
        let call = move |args: Vec<Value>| Ok(Value::from(answer(function, &args)?));
        engine
            .add_extension(name.to_owned(), 1, Box::new(call))
            .map_err(|error| LoadError::engine(&error))?;
    }
    Ok(())
}

/// What `function` says of its one argument.
pub(super) fn answer(function: Function, arguments: &[Value]) -> Result<bool, Failed> {
    arguments.first().map_or(Ok(false), function)
}

/// The corrected built-in `name`.
pub(super) fn function(name: &str) -> Option<Function> {
    let found = ALL.iter().find(|(own, _)| *own == name);
    found.map(|(_, function)| *function)
}

const ALL: [(&str, Function); 2] = [
    ("json.is_valid", |value| {
        let text = value.as_string();
        let is_json = |text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        Ok(text.is_ok_and(|text| is_json(text)))
    }),
    ("yaml.is_valid", |value| {
        check_yaml(std::slice::from_ref(value))?;
        let text = value.as_string();
        Ok(text.is_ok_and(|text| Value::from_yaml_str(text).is_ok()))
    }),
];

//! What a built-in was called with, read by type, with OPA's words where the type is wrong.

use std::collections::BTreeMap;

use regorus::Value;

use super::Failed;

/// The arguments of one call. Operands are counted from 0 here, from 1 in messages.
pub(in crate::policy) struct Arguments<'a>(pub(super) &'a [Value]);

impl<'a> Arguments<'a> {
    /// Each of them.
    pub(in crate::policy) fn all(&self) -> &'a [Value] {
        self.0
    }

    /// The operand, whatever it is.
    pub(super) fn any(&self, operand: usize) -> &'a Value {
        self.0.get(operand).unwrap_or(&Value::Undefined)
    }

    /// The operand, which must be a string.
    pub(super) fn text(&self, operand: usize) -> Result<&'a str, Failed> {
        match self.any(operand) {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong(operand, "string")),
        }
    }

    /// The operand, which must be an array.
    pub(super) fn list(&self, operand: usize) -> Result<Vec<&'a Value>, Failed> {
        match self.any(operand) {
            Value::Array(list) => Ok(list.iter().collect()),
            _ => Err(self.wrong(operand, "array")),
        }
    }

    /// The operand, which must be an object.
    pub(super) fn object(&self, operand: usize) -> Result<BTreeMap<&'a Value, &'a Value>, Failed> {
        match self.any(operand) {
            Value::Object(object) => Ok(object.iter().collect()),
            _ => Err(self.wrong(operand, "object")),
        }
    }

    /// That the operand is not what is wanted.
    pub(super) fn wrong(&self, operand: usize, wanted: &'static str) -> Failed {
        Failed::Operand {
            operand: operand + 1,
            wanted,
            got: type_name(self.any(operand)),
        }
    }
}

/// OPA's name of a value's type.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Set(_) => "set",
        Value::Object(_) => "object",
        Value::Undefined => "undefined",
    }
}

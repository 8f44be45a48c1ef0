//! A value as Go's `encoding/json` writes it, byte for byte, where that can be known: of sets and of
//! fractions it cannot, for the engine orders and keeps those in its own way.

use std::fmt::Write as _;

use regorus::Value;

use super::Failed;

/// Values inside each other.
const MAX_DEPTH: usize = 128;

/// The JSON of `value`.
pub(super) fn json(value: &Value) -> Result<Vec<u8>, Failed> {
    let mut out = String::new();
    write(value, MAX_DEPTH, &mut out)?;
    Ok(out.into_bytes())
}

fn write(value: &Value, depth: usize, out: &mut String) -> Result<(), Failed> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Failed::Bound("a body may nest 128 values deep"));
    };
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) if number.is_integer() => out.push_str(&number.format_decimal()),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            let mut before = '[';
            for item in items.iter() {
                out.push(before);
                write(item, depth, out)?;
                before = ',';
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Object(members) => {
            let mut before = '{';
            for (name, value) in members.iter() {
                let Value::String(name) = name else {
                    return Err(Failed::refused("a name in a body must be a string"));
                };
                out.push(before);
                write_text(name, out);
                out.push(':');
                write(value, depth, out)?;
                before = ',';
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
        }
        Value::Number(_) | Value::Set(_) | Value::Undefined => {
            return Err(Failed::refused(
                "a body must have no sets and no fractions: give its text as raw_body",
            ));
        }
    }
    Ok(())
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Text takes what is written.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

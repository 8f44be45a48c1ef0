//! What `sprintf` and `json.marshal_with_options` would write.

use regorus::Value;

use super::costs::text_of;
use super::{Failed, size};

/// The format, what is asked for by widths and precisions, and the arguments, each of which is written once.
pub(super) fn formatted(arguments: &[Value]) -> Result<(), Failed> {
    let [Value::String(format), Value::Array(values)] = arguments else {
        return Ok(());
    };
    let mut bytes = format.len().saturating_add(widths(format));
    // A number may be written in twos, a fraction with all its digits.
    for value in values.iter() {
        bytes = bytes.saturating_add(match value {
            Value::Number(_) => size::digits(value).saturating_mul(4).saturating_add(512),
            // A character may be told by ten.
            Value::String(text) => text.len().saturating_mul(2),
            other => size::of(std::slice::from_ref(other))?.bytes,
        });
    }
    text_of(bytes)
}

/// All runs of digits behind a `%`, added up: what they mean does not matter to the bound.
fn widths(format: &str) -> usize {
    let verbs = format.split('%').skip(1);
    let numbers = verbs.flat_map(|verb| {
        let end = verb.find(|c: char| !c.is_numeric() && !"+-# .*[]".contains(c));
        let head = end.map_or(verb, |end| verb.get(..end).unwrap_or_default());
        head.split(|c: char| !c.is_ascii_digit())
    });
    let widths = numbers
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().unwrap_or(usize::MAX));
    widths.fold(0, usize::saturating_add)
}

/// Each value on a line of its own, behind the prefix and as many indents as it is deep.
pub(super) fn indented(arguments: &[Value]) -> Result<(), Failed> {
    let size = size::of(arguments)?;
    let option = |name: &str| match arguments.get(1) {
        Some(Value::Object(options)) => match options.get(&Value::from(name)) {
            Some(Value::String(text)) => text.len(),
            _ => 0,
        },
        _ => 0,
    };
    let indent = option("indent").max(2).saturating_mul(size.depth + 1);
    let line = option("prefix").saturating_add(indent);
    let lines = size.values.saturating_mul(2).saturating_add(2);
    text_of(size.bytes.saturating_add(line.saturating_mul(lines)))
}

//! `array.flatten`, `strings.split_n`, and `strings.count`, in which the engine panics of an empty text.

use regorus::Value;

use super::arguments::Arguments;
use super::{Builtin, Failed, Function};

/// What is here.
pub(super) const ALL: &[Builtin] = &[
    ("array.flatten", 1, flatten),
    ("strings.count", 2, count),
    ("strings.split_n", 3, split_n),
];

/// `array.flatten`, which looks at its elements only.
pub(super) const FLATTEN: Function = flatten;

/// The elements, and in the place of those that are arrays theirs: one level.
fn flatten(a: &Arguments<'_>) -> Result<Value, Failed> {
    let mut flat = Vec::new();
    for element in a.list(0)? {
        match element {
            Value::Array(inner) => flat.extend(inner.iter().cloned()),
            other => flat.push(other.clone()),
        }
    }
    Ok(Value::from(flat))
}

/// The first so many parts of a text; of a negative number, the last so many.
fn split_n(a: &Arguments<'_>) -> Result<Value, Failed> {
    let (text, separator) = (a.text(0)?, a.text(1)?);
    let wanted = match a.any(2) {
        Value::Number(number) => number.as_i64().ok_or(Failed::Operand {
            operand: 3,
            wanted: "integer number",
            got: "floating-point number",
        })?,
        _ => return Err(a.wrong(2, "number")),
    };
    let parts: Vec<&str> = if separator.is_empty() {
        text.char_indices()
            .filter_map(|(at, c)| text.get(at..at + c.len_utf8()))
            .collect()
    } else {
        text.split(separator).collect()
    };
    let count = usize::try_from(wanted.unsigned_abs()).unwrap_or(usize::MAX);
    let skipped = if wanted < 0 {
        parts.len().saturating_sub(count)
    } else {
        0
    };
    let chosen = parts.into_iter().skip(skipped).take(count);
    Ok(Value::from(chosen.map(Value::from).collect::<Vec<_>>()))
}

/// How often one text is in another, without overlaps; an empty one is before, between and behind all
/// characters.
fn count(a: &Arguments<'_>) -> Result<Value, Failed> {
    Ok(Value::from(a.text(0)?.matches(a.text(1)?).count()))
}

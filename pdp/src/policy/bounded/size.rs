//! How large values are when all that they share is written out: counted, and not further than it may be.
//!
//! A value of sixty lists that hold the one before twice takes a kilobyte, and to write it down takes longer
//! than anyone lives.

use regorus::Value;

use super::Failed;
use super::budget::{self, MAX_TEXT, TOO_LONG};

/// Values that one call may look at, and that an answer may have.
const MAX_VALUES: usize = 1_000_000;
/// Values inside each other, more than any input or data file may have (128).
const MAX_DEPTH: usize = 1024;
/// What a number takes that is not long.
const NUMBER: usize = 24;

/// What values come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Each time that one is there.
    pub(super) values: usize,
    /// Of their texts and numbers, and one for each value.
    pub(super) bytes: usize,
    /// Values inside each other.
    pub(super) depth: usize,
}

/// Whether `value` may be taken for an answer: one that can be written down.
pub(in crate::policy) fn check(value: &Value) -> Result<(), Failed> {
    check_all(std::slice::from_ref(value))
}

/// Whether all `values` may be looked at.
pub(in crate::policy) fn check_all(values: &[Value]) -> Result<(), Failed> {
    of(values).map(|_| ()).map_err(budget::noted)
}

/// The size of all `values` together, if they may be looked at.
pub(super) fn of(values: &[Value]) -> Result<Size, Failed> {
    let mut size = Size::default();
    for value in values {
        add(value, 1, &mut size)?;
    }
    Ok(size)
}

fn add(value: &Value, depth: usize, size: &mut Size) -> Result<(), Failed> {
    let own = match value {
        Value::String(text) => text.len() + 2,
        Value::Number(_) => digits(value),
        _ => 4,
    };
    size.values += 1;
    size.bytes = size.bytes.saturating_add(own + 1);
    size.depth = size.depth.max(depth);
    if depth > MAX_DEPTH {
        return Err(Failed::Bound("values may nest 1024 deep"));
    }
    if size.values > MAX_VALUES {
        return Err(Failed::Bound("a million values may be written out at once"));
    }
    if size.bytes > MAX_TEXT {
        return Err(TOO_LONG);
    }
    let depth = depth + 1;
    match value {
        Value::Array(list) => list.iter().try_for_each(|inner| add(inner, depth, size)),
        Value::Set(set) => set.iter().try_for_each(|inner| add(inner, depth, size)),
        Value::Object(object) => object.iter().try_for_each(|(name, inner)| {
            add(name, depth, size)?;
            add(inner, depth, size)
        }),
        _ => Ok(()),
    }
}

/// What a number takes, written down.
pub(super) fn digits(value: &Value) -> usize {
    match value {
        Value::Number(number)
            if number.is_integer() && number.as_u64().is_none() && number.as_i64().is_none() =>
        {
            // Five digits of sixteen are some six of ten.
            number.format_hex().len().saturating_mul(5) / 4 + NUMBER
        }
        _ => NUMBER,
    }
}

//! What the built-ins of one evaluation have made: texts and collections, counted by their own size, for
//! what is in them was there before or is counted with what made it.
//!
//! What this is not: the memory that an evaluation holds, which the time limit bounds (a step makes little).

use std::cell::Cell;

use regorus::Value;

use super::super::builtins::Failed;

/// Bytes that one evaluation's built-ins may make.
const MAX_BYTES: usize = 256 * 1024 * 1024;
/// The longest text that one call may make, and what may be written of values at once, in bytes.
pub(in crate::policy) const MAX_TEXT: usize = 4 * 1024 * 1024;
/// What an element takes, some more for its share of the collection.
const ELEMENT: usize = 32;

/// How a text that is too long is refused.
pub(super) const TOO_LONG: Failed = Failed::Bound("a text may become 4 MiB");

const TOO_MUCH: Failed = Failed::Bound("the functions of one evaluation may make 256 MiB");

thread_local! {
    static MADE: Cell<usize> = const { Cell::new(0) };
    static EXCEEDED: Cell<bool> = const { Cell::new(false) };
}

/// Begins an evaluation on this thread.
pub(in crate::policy) fn begin() {
    MADE.set(0);
    EXCEEDED.set(false);
}

/// Whether what built-ins make passed a bound since the evaluation began.
pub(in crate::policy) fn is_exceeded() -> bool {
    EXCEEDED.get()
}

/// Remembers a bound that was passed.
pub(super) fn noted(failed: Failed) -> Failed {
    EXCEEDED.set(EXCEEDED.get() || matches!(failed, Failed::Bound(_)));
    failed
}

/// Counts `value`, which a built-in made.
pub(in crate::policy) fn charge(value: &Value) -> Result<(), Failed> {
    let elements = |count: usize| count.saturating_mul(ELEMENT);
    let bytes = match value {
        Value::String(text) if text.len() > MAX_TEXT => return Err(noted(TOO_LONG)),
        Value::String(text) => text.len(),
        Value::Array(list) => elements(list.len()),
        Value::Set(set) => elements(set.len()),
        Value::Object(object) => elements(object.len().saturating_mul(2)),
        _ => return Ok(()),
    };
    charge_bytes(bytes)
}

/// That a collection of so many elements may yet be made.
pub(super) fn would_fit(elements: usize) -> Result<(), Failed> {
    let made = elements.saturating_mul(ELEMENT).saturating_add(MADE.get());
    if made > MAX_BYTES {
        Err(TOO_MUCH)
    } else {
        Ok(())
    }
}

fn charge_bytes(bytes: usize) -> Result<(), Failed> {
    let made = MADE.get().saturating_add(bytes);
    MADE.set(made);
    if made > MAX_BYTES {
        return Err(noted(TOO_MUCH));
    }
    Ok(())
}

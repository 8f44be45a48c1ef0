//! `trace`: notes of an evaluation, for whoever wants them (OPA's `explain=notes`).
//!
//! The engine's own answers its text, and so makes `x := trace("a")` a text; OPA's is true.
//!
//! What this is not: a trace of what the engine does, which it does not keep.

use std::cell::RefCell;

use regorus::Value;

use super::arguments::Arguments;
use super::{Builtin, Failed};

/// What is here.
pub(super) const ALL: &[Builtin] = &[("trace", 1, trace)];

/// What the notes of one evaluation may take, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// What one takes beside its text.
const OVERHEAD: usize = 64;

#[derive(Default)]
struct Notes {
    texts: Vec<String>,
    bytes: usize,
}

thread_local! {
    /// Those gathered on this thread; none where nobody wants them.
    static GATHERED: RefCell<Option<Notes>> = const { RefCell::new(None) };
}

/// Does `work`, and tells what was noted on this thread meanwhile, in order. More than may be noted fails
/// the evaluation.
pub(in crate::policy) fn gather<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    GATHERED.set(Some(Notes::default()));
    let done = work();
    let notes = GATHERED.take().unwrap_or_default();
    (done, notes.texts)
}

fn trace(a: &Arguments<'_>) -> Result<Value, Failed> {
    let text = a.text(0)?;
    GATHERED.with_borrow_mut(|gathered| {
        let Some(notes) = gathered else {
            return Ok(());
        };
        notes.bytes = notes.bytes.saturating_add(text.len() + OVERHEAD);
        if notes.bytes > MAX_BYTES {
            return Err(Failed::Bound("notes may take a MiB together"));
        }
        notes.texts.push(text.to_owned());
        Ok(())
    })?;
    Ok(Value::Bool(true))
}

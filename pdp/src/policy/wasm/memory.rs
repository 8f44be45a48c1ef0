//! The memory of an instance: where it is found, and texts in it.

use wasmtime::{Caller, Error, Memory};

use super::abi::Exports;
use super::state::State;

/// An address as a place in memory.
pub(super) fn place(address: u32) -> Result<usize, Error> {
    Ok(usize::try_from(address)?)
}

/// The text at `address`, up to the zero that ends it.
pub(super) fn text_at(memory: &[u8], address: u32) -> Option<&str> {
    let rest = memory.get(place(address).ok()?..)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

/// The memory of who calls, and what it exports.
pub(super) fn with_exports(caller: &Caller<'_, State>) -> Result<(Memory, Exports), Error> {
    let State {
        memory, exports, ..
    } = caller.data();
    let exports = exports.clone();
    let both = memory.zip(exports);
    both.ok_or_else(|| Error::msg("a call before the module was started"))
}

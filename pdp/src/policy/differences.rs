//! How often our two engines differed, or one answered for the other, in this process. It only counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often the two engines differed.
static DISAGREEMENTS: AtomicU64 = AtomicU64::new(0);
/// How often the interpreter had to answer what the machine could not.
static DOUBTS: AtomicU64 = AtomicU64::new(0);

/// How often the bytecode machine answered otherwise than the interpreter in this process. Should be 0.
pub fn disagreements() -> u64 {
    DISAGREEMENTS.load(Ordering::Relaxed)
}

/// How often the interpreter answered in place of a machine in doubt.
pub fn doubts() -> u64 {
    DOUBTS.load(Ordering::Relaxed)
}

/// They differed once more.
pub(super) fn disagreed() {
    DISAGREEMENTS.fetch_add(1, Ordering::Relaxed);
}

/// The machine was in doubt once more.
pub(super) fn doubted() {
    DOUBTS.fetch_add(1, Ordering::Relaxed);
}

//! Where our two engines differ: which answer counts, and how often it was so in this process.

use std::sync::atomic::{AtomicU64, Ordering};

use super::verdict::{Failure, Verdict};

/// One in so many of the machine's answers is asked of the interpreter too, the first among them.
pub(super) const COMPARE_EVERY: u32 = 1024;

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
pub(super) fn disagreed(entry_point: &str) {
    DISAGREEMENTS.fetch_add(1, Ordering::Relaxed);
    tracing::error!(
        entry_point,
        "the policy answers otherwise in bytecode than in the interpreter, which answers from now on: please report this"
    );
}

/// The machine was in doubt once more.
pub(super) fn doubted() {
    DOUBTS.fetch_add(1, Ordering::Relaxed);
}

/// The interpreter's answer, unless only that allows.
pub(super) fn stricter(
    interpreted: Result<Verdict, Failure>,
    machine: Result<Verdict, Failure>,
) -> Result<Verdict, Failure> {
    let allows = |outcome: &Result<Verdict, Failure>| outcome.as_ref().is_ok_and(|v| v.allow);
    if allows(&interpreted) && !allows(&machine) {
        machine
    } else {
        interpreted
    }
}

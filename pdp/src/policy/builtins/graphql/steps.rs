//! How much the judging of one document may cost: more than it reads, where parts of it are compared.

use std::cell::Cell;

use super::Failed;

/// Comparisons and visits that one call may take.
const MAX_STEPS: usize = 1_000_000;

pub(super) struct Steps(Cell<usize>);

impl Steps {
    pub(super) fn new() -> Self {
        Self(Cell::new(MAX_STEPS))
    }

    pub(super) fn take(&self, count: usize) -> Result<(), Failed> {
        let left = self.0.get().checked_sub(count);
        self.0.set(left.ok_or(Failed::Bound(
            "a document of GraphQL may be judged in a million steps",
        ))?);
        Ok(())
    }
}

//! What a policy set can read: of `input`, of `data`, of the clock and of the world.
//!
//! A static may-analysis of the rules that the entry point can reach, on the syntax that the engine's
//! interpreter runs, not on the bytecode: that is made by a compiler which leaves out what the
//! interpreter evaluates (see `worker`). Values are followed through variables, arguments and results
//! (`flow`, to a fixpoint) as the set of places they may be copies of (`origin`); whatever is done with
//! one besides asking for a member by a literal name reads all of it (`walk`, `reference`). What cannot
//! be bounded widens, never narrows.
//!
//! What this is not: a cache, or a judgement on what a policy decides. Evaluation uses the projection
//! on [`Analysis::input`] whether answers are remembered or not.

mod analysis;
mod builtins;
mod flow;
mod origin;
mod reads;
mod reference;
pub(in crate::policy) mod rules;
mod walk;

#[cfg(test)]
mod tests;

use regorus::Value;
use regorus::unstable::{Module, Ref};

pub(super) use builtins::{Depends, depends_on};

pub use analysis::{Analysis, Part, Place, Uncacheable, Why, Widening};

/// What asking `entry_point` of `modules` over `data` can read.
pub(super) fn of(modules: &[Ref<Module>], entry_point: &str, data: &Value) -> Analysis {
    flow::run(modules, entry_point, data)
}

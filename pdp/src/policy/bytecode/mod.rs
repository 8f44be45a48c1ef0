//! Policies on the engine's bytecode, which is several times as fast as its interpreter: where that is
//! safe, and how.
//!
//! The bytecode compiler and machine (regorus 0.14.1) are wrong about much of Rego: a conflict is
//! undefined, an error in a body is "the body does not hold", `x := input.absent` holds, a condition
//! that fails in a comprehension leaves the machine inside it, `input` first read inside a loop that
//! never turns is undefined after it. So no policy is compiled as written. `rules`, `definition`,
//! `body`, `terms` and `reference` write it anew in the part of Rego that the machine gets right, with the guards it
//! leaves out, and stop at the first construct that is not on their list (an [`Obstacle`]: then the
//! interpreter runs the set). `patch` turns the guards into instructions and reads the whole program
//! again. `builtins` are wrapped: where the interpreter would fail, the machine's answer is in doubt,
//! and [`Machine`] says so instead of answering; the interpreter is asked.
//!
//! What this is not: another opinion on what a policy means. The interpreter is always right, and a
//! sample of the machine's answers is compared with it (`worker`).

mod body;
mod builtins;
mod choice;
mod definition;
mod index;
mod machine;
mod patch;
mod reference;
mod rules;
mod scope;
mod terms;

#[cfg(test)]
pub(in crate::policy) mod tests;

use thiserror::Error;

pub use choice::{EngineChoice, Interpreted};

pub(super) use choice::choose;
pub(super) use machine::{Machine, Outcome};
pub(super) use rules::{Lowered, lower};

use super::footprint::Place;

/// Why the interpreter runs a policy set.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Obstacle {
    /// A construct that is not known to be compiled correctly.
    #[error("{place}: {construct}")]
    Construct {
        /// Where.
        place: Place,
        /// What.
        construct: String,
    },
    /// The compiler, or what it made, is not as expected.
    #[error("the bytecode compiler: {0}")]
    Compiler(String),
}

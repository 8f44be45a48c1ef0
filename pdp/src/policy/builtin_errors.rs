//! What becomes of an expression whose built-in function fails: a pattern that is none, a number where text
//! is wanted.
//!
//! Bounds of ours (`bounded`, `corrected`) are no such failures: what passes one fails the evaluation,
//! whatever is chosen here.

use regorus::Engine;

/// What becomes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BuiltinErrors {
    /// The evaluation fails, which denies (OPA's `strict-builtin-errors`).
    #[default]
    Fail,
    /// It is undefined, as OPA has it where nothing else is asked for: `not` of it holds.
    Undefined,
}

impl BuiltinErrors {
    /// Makes `engine` do so.
    pub(super) fn obeyed_by(self, mut engine: Engine) -> Engine {
        engine.set_strict_builtin_errors(self == Self::Fail);
        engine
    }
}

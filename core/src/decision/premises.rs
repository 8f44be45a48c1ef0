//! What a decision rests on beside its question: while that stands, the decision may be reused.
//!
//! INVARIANT: a decision without premises is never remembered.

use serde::Serialize;

use crate::time::UnixSeconds;

/// What a remembered decision rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Premises {
    /// Names what decided: the policies, and of the data what they can read. The sync feed tells which
    /// one is in force ([`crate::feed::Caching`]); a decision of any other is not reused.
    pub program: String,
    /// The PDP's time when it answered.
    pub now: UnixSeconds,
    /// The first instant, by the same clock, at which the decision must no longer be reused.
    /// Absolute: it is set when the decision is made, and reading never extends it.
    pub until: UnixSeconds,
}

impl Premises {
    /// The first instant at which a decision that was asked for at `asked_at`, by another clock than
    /// the PDP's, must no longer be reused: what is left of it counts from the question, which came
    /// before the answer.
    pub fn until_by(&self, asked_at: UnixSeconds) -> UnixSeconds {
        asked_at.plus(self.until.seconds_since(self.now))
    }
}

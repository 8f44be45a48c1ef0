//! What a decision rests on beside its question: while that stands, the decision may be reused.
//!
//! INVARIANT: a decision without premises is never remembered.

use serde::Serialize;

use crate::time::UnixSeconds;

/// What a remembered decision rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Premises {
    /// Names what decided: policies, data and entry point. The sync feed tells which one is in
    /// force ([`crate::feed::Caching`]); a decision of any other is not reused.
    pub program: String,
    /// The first instant at which the decision must no longer be reused. Absolute: it is set when
    /// the decision is made, and reading never extends it.
    pub until: UnixSeconds,
}

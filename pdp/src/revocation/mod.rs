//! Revocations kept: durable before they are acknowledged, ended by themselves, told to everyone.
//!
//! - [`RevocationStore`]: what is in force; `store` has the rules, `journal` the file,
//!   `line` what is in it.
//! - [`Lifetimes`]: how long a revocation lasts where nobody says.
//!
//! What this is not: who may revoke (`crate::service`), or who is revoked by what
//! (`edgeward_core::revocation`).

mod journal;
mod lifetimes;
mod line;
mod store;

#[cfg(test)]
mod tests;

pub use journal::{JournalError, check};
pub use lifetimes::Lifetimes;
pub use store::{RevocationSnapshot, RevocationStore, Revoking, StoreError};

//! What must hold for every input that an attacker chooses, one function per kind of input.
//!
//! Each takes raw bytes, says whether the parser accepted them, and panics where a promise is
//! broken. libFuzzer calls them (`fuzz/fuzz_targets`), and so does a plain test over the corpora and
//! their mutations (`tests/corpus.rs`).
//!
//! What this is not: a place for examples. A single case belongs beside the code it is about.
#![expect(
    clippy::missing_panics_doc,
    reason = "panicking is how a property says that it does not hold"
)]

mod answer;
mod config;
mod identity;
mod keys;
mod pdp_config;
mod question;
mod request;
mod token;

pub use answer::{authzen_answer, sync_feed};
pub use config::filter_config;
pub use identity::{spiffe_id, xfcc};
pub use keys::{bundle, jwks};
pub use pdp_config::pdp_config;
pub use question::authzen_request;
pub use request::{authority, canonical_request, header_names};
pub use token::{jws, token_claims};

/// What the parser made of an input. A corpus in which nothing is accepted, or nothing refused,
/// tests only half of a parser; `tests/corpus.rs` fails on one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was read, and every promise about the result held.
    Accepted,
    /// It was refused.
    Refused,
}

/// A property: panics where it does not hold.
pub type Property = fn(&[u8]) -> Verdict;

/// Every property, by the name of its fuzz target and corpus.
pub const ALL: [(&str, Property); 14] = [
    ("authority", authority),
    ("authzen_answer", authzen_answer),
    ("authzen_request", authzen_request),
    ("bundle", bundle),
    ("canonical_request", canonical_request),
    ("filter_config", filter_config),
    ("header_names", header_names),
    ("jwks", jwks),
    ("jws", jws),
    ("pdp_config", pdp_config),
    ("spiffe_id", spiffe_id),
    ("sync_feed", sync_feed),
    ("token_claims", token_claims),
    ("xfcc", xfcc),
];

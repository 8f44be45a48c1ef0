//! What the tokens of a client workload may be.

use std::collections::BTreeSet;
use std::time::Duration;

use super::WorkloadName;

/// What a workload's tokens may be, and on whose behalf it may ask for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whom its tokens may be for (`aud`); never empty.
    pub audiences: Vec<String>,
    /// What others call it in their tokens (`aud`), beside its SPIFFE ID: only such tokens may it
    /// exchange on their behalf.
    pub addressed_as: Vec<String>,
    /// On whose behalf it may act.
    pub acts_for: BTreeSet<WorkloadName>,
    /// The scopes that its tokens may have.
    pub scopes: Vec<String>,
    /// How long its tokens live; none for as long as those of all others.
    pub lifetime: Option<Duration>,
    /// Whether they are bound to the TLS client certificate with which they are asked for.
    pub certificate_bound: bool,
}

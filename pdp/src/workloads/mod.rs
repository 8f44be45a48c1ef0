//! Client workloads: who a workload with these attested attributes is to us.
//!
//! What this is not: the proof of the attributes (`crate::attestation`), or the token that such a
//! workload gets. Order of reading: [`Pattern`], [`Selectors`], [`ClientWorkloads`] (all of them,
//! found by an index), [`grade`] (how safely selectors bind).

mod admission;
mod directory;
pub mod grade;
mod grant;
mod index;
mod pattern;
mod selectors;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use edgeward_core::spiffe::SpiffeId;
use thiserror::Error;

use crate::attestation::ProviderName;

pub use admission::{MAX_NAMES, NotAdmitted};
pub use directory::{ClientWorkloads, MAX_CROWD, MAX_WORKLOADS, WorkloadsError};
pub use grant::Grant;
pub use pattern::{MAX_WILDCARDS, Pattern, PatternError};
pub use selectors::{MAX_ALTERNATIVES, MAX_SELECTORS, Selector, Selectors, SelectorsError};

/// The name of a client workload, as the configuration has it: 1 to 64 of `a-z`, `0-9`, `-`, `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkloadName(Arc<str>);

/// The text cannot name a client workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the name of a client workload is 1 to 64 of `a` to `z`, digits, `-` and `_`")]
pub struct WorkloadNameError;

impl WorkloadName {
    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WorkloadName {
    type Err = WorkloadNameError;

    fn from_str(text: &str) -> Result<Self, WorkloadNameError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(WorkloadNameError);
        }
        Ok(Self(text.into()))
    }
}

/// Found by its text in a map.
impl std::borrow::Borrow<str> for WorkloadName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkloadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A workload that we know: how it is recognised, and what it is to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientWorkload {
    /// Its name, which no other has.
    pub name: WorkloadName,
    /// The identity that it is given. Several may share one: the same workload on two platforms.
    pub spiffe_id: SpiffeId,
    /// The trust provider whose word counts for it; no other's does.
    pub provider: ProviderName,
    /// The attributes by which it is recognised.
    pub selectors: Selectors,
    /// Where it is to run: recognised elsewhere, its identity is withheld.
    pub environment: Option<Selectors>,
    /// What its tokens may be.
    pub grant: Grant,
}

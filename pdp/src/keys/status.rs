//! What operators see of the key room: each source's health, and counters.
//!
//! What this is not: the HTTP door that shows them; health and metrics read from here.

use std::sync::atomic::{AtomicU64, Ordering};

use edgeward_core::time::UnixSeconds;
use edgeward_core::token::KeyOwner;
use serde::Serialize;

use super::load::LoadError;
use super::refetch::Refetch;
use crate::fetch::FetchError;

/// One source's health, for `/health/ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceStatus {
    /// Whose keys.
    #[serde(flatten)]
    pub owner: KeyOwner,
    /// Where they come from, in one line.
    pub source: String,
    /// Whether there are keys in force; an empty set its source confirmed counts as well.
    pub ready: bool,
    /// Whether the source was asked at least once since the start, with whatever outcome.
    pub attempted: bool,
    /// How many keys verify tokens.
    pub keys: usize,
    /// Entries of the document that are left out.
    pub ignored: Vec<IgnoredKey>,
    /// `spiffe_sequence` of a bundle.
    pub sequence: Option<u64>,
    /// When the source last confirmed these keys.
    pub last_success: Option<UnixSeconds>,
    /// What went wrong at the last attempt; `None` when it went well.
    pub last_error: Option<String>,
    /// When the source is asked next, where that is known.
    pub next_refresh: Option<UnixSeconds>,
    /// When these keys stop verifying unless they are confirmed before.
    pub expires_at: Option<UnixSeconds>,
}

/// An entry of a key document that verifies nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IgnoredKey {
    /// Its place in `keys`.
    pub index: usize,
    /// Why.
    pub reason: String,
}

/// How an attempt to get keys ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Keys were got.
    Success,
    /// No answer: name, connection, TLS, time, file.
    Unreachable,
    /// An answer that is no document: status, redirect, type, size.
    Refused,
    /// A document that is not acceptable.
    Invalid,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [
        Self::Success,
        Self::Unreachable,
        Self::Refused,
        Self::Invalid,
    ];

    /// The label's value in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
        }
    }

    pub(super) fn of(error: &LoadError) -> Self {
        match error {
            LoadError::Fetch { error, .. } => match error {
                FetchError::Status(_)
                | FetchError::Unauthorized(_)
                | FetchError::PlaintextEndpoint
                | FetchError::Redirect { .. }
                | FetchError::TooLarge(_)
                | FetchError::ContentType { .. }
                | FetchError::ForbiddenAddress { .. } => Self::Refused,
                _ => Self::Unreachable,
            },
            LoadError::File { .. } | LoadError::WorkloadApi(_) => Self::Unreachable,
            LoadError::Discovery { .. }
            | LoadError::Document { .. }
            | LoadError::SequenceWentBack { .. } => Self::Invalid,
        }
    }
}

/// Counters since the start; read by the metrics door.
#[derive(Debug, Default)]
pub struct KeyCounters {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    wishes: [AtomicU64; Refetch::ALL.len()],
    expired: AtomicU64,
}

impl KeyCounters {
    /// Attempts to get keys that ended so.
    pub fn attempts(&self, outcome: Outcome) -> u64 {
        self.outcomes
            .get(outcome as usize)
            .map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Calls of [`unknown_key`](super::Keyring::unknown_key) that ended so.
    pub fn wishes(&self, outcome: Refetch) -> u64 {
        self.wishes
            .get(outcome as usize)
            .map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Times that keys were dropped because nobody confirmed them for the maximum age.
    pub fn expirations(&self) -> u64 {
        self.expired.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self, outcome: Outcome) {
        if let Some(count) = self.outcomes.get(outcome as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn count_wish(&self, outcome: Refetch) {
        if let Some(count) = self.wishes.get(outcome as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn count_expired(&self) {
        self.expired.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_shows_whose_keys_they_are_and_what_is_wrong() {
        let status = SourceStatus {
            owner: KeyOwner::TrustDomain("example.org".parse().unwrap()),
            source: "inline".to_owned(),
            ready: true,
            attempted: true,
            keys: 1,
            ignored: vec![IgnoredKey {
                index: 2,
                reason: "weak".to_owned(),
            }],
            sequence: Some(3),
            last_success: Some(UnixSeconds(4)),
            last_error: None,
            next_refresh: None,
            expires_at: None,
        };
        let json = serde_json::to_value(&status).unwrap();
        assert_eq!(json["trust_domain"], "example.org");
        assert_eq!(json["last_success"], 4);
        assert_eq!(json["ignored"][0]["reason"], "weak");
    }
}

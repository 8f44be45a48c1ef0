//! What operators are told of the signing keys.

use edgeward_core::time::UnixSeconds;

/// The keys at one instant, for metrics and health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeysStatus {
    /// The key that signs.
    pub key_id: String,
    /// Since when, by the system's clock.
    pub signs_since: UnixSeconds,
    /// The first instant at which it no longer signs, whether or not another can.
    pub signs_until: UnixSeconds,
    /// Whether the next key has been published long enough to take over.
    pub next_is_propagated: bool,
    /// How many keys are published: next, current and retired.
    pub published: usize,
    /// `spiffe_sequence` of what is published.
    pub sequence: u64,
    /// How often another key took over since start.
    pub rotations: u64,
    /// How often a change could not be made since start, most often for want of disk.
    pub failures: u64,
    /// Why, where the last attempt failed: the key in use goes on until `signs_until`.
    pub last_failure: Option<String>,
}

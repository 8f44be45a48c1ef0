//! Whom to believe, as the PDP tells it by the sync feed, and when to ask it again.
//!
//! A pure machine: ticks and answers in, polls out. Age is counted in ticks, which come from a
//! timer, and not read from the wall clock, which may be far off or step.
//!
//! INVARIANT: until the first feed has arrived, and once the last is older than `max_staleness`,
//! nobody is believed.

use std::time::Duration;

use edgeward_core::decision::{DecisionId, Lease, LocalKind};
use edgeward_core::feed::{Caching, Feed, FeedError, FeedIssuer, FeedTrustDomain, SYNC_PATH};
use edgeward_core::token::Trust;

use crate::caching::InForce;
use crate::revoked::Revoked;

/// How often the host ticks, once the first feed is there.
pub const TICK: Duration = Duration::from_millis(100);
/// How often it ticks before that, so that a start is quick.
pub const FIRST_TICK: Duration = Duration::from_millis(10);
/// How long the host waits for a long poll; longer than the PDP ever holds one.
pub const POLL_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest pause after failures.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Why requests cannot be answered yet, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReady {
    /// No feed has arrived.
    NeverSynced,
    /// The last feed is too old.
    Stale,
}

/// What an answer of the PDP changed.
#[derive(Debug)]
pub enum Update {
    /// Whom we believe has changed.
    Trust,
    /// Something else has, or nothing.
    Nothing,
}

/// Why an answer of the PDP was no feed. The last good one is kept, until it is too old.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Neither 200 nor 204.
    #[error("sync feed answered `{0}`")]
    Status(String),
    /// Not a feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// The state of the feed in one worker.
#[derive(Debug, Default)]
pub struct SyncedState {
    trust: Option<Trust>,
    told: Option<(Vec<FeedIssuer>, Vec<FeedTrustDomain>)>,
    caching: Option<Caching>,
    generation: u32,
    /// The first generation of the policies that decide now.
    policies_since: u32,
    revoked: Revoked,
    cursor: String,
    lease: Lease,
    decisions: u64,
    age: Duration,
    pause: Duration,
    polling: bool,
    failures: u32,
    wait: Option<Duration>,
}

impl SyncedState {
    /// Nothing has been told yet; the PDP is asked to hold a poll no longer than `wait`.
    pub fn polling_every(wait: Option<Duration>) -> Self {
        Self {
            wait,
            ..Self::default()
        }
    }

    /// Time has passed. Returns the path to poll now, if it is time to.
    pub fn tick(&mut self, elapsed: Duration) -> Option<String> {
        self.age = self.age.saturating_add(elapsed);
        self.pause = self.pause.saturating_sub(elapsed);
        if self.polling || !self.pause.is_zero() {
            return None;
        }
        self.polling = true;
        Some(self.poll_path())
    }

    /// The poll could not be sent.
    pub fn poll_failed(&mut self) {
        self.polling = false;
        self.failures = self.failures.saturating_add(1);
        let pause = TICK.saturating_mul(1 << self.failures.min(4));
        self.pause = pause.min(MAX_PAUSE);
    }

    /// The PDP answered the poll.
    pub fn answered(&mut self, status: &str, body: &[u8]) -> Result<Update, SyncError> {
        let outcome = self.read(status, body);
        if outcome.is_ok() {
            self.polling = false;
            self.failures = 0;
            self.age = Duration::ZERO;
        } else {
            self.poll_failed();
        }
        outcome
    }

    /// Whom to believe, if anybody.
    pub fn trust(&self, max_staleness: Duration) -> Result<&Trust, NotReady> {
        let trust = self.trust.as_ref().ok_or(NotReady::NeverSynced)?;
        if self.is_fresh(max_staleness) {
            Ok(trust)
        } else {
            Err(NotReady::Stale)
        }
    }

    /// What decides now, and how its decisions may be remembered, if they may.
    pub fn caching(&self) -> Option<InForce<'_>> {
        Some(InForce {
            caching: self.caching.as_ref()?,
            generation: self.generation,
            policies_since: self.policies_since,
        })
    }

    /// Whether the last feed is no older than `max_staleness`.
    pub fn is_fresh(&self, max_staleness: Duration) -> bool {
        self.age <= max_staleness
    }

    /// What no client knows.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// What is revoked.
    pub fn revoked(&self) -> &Revoked {
        &self.revoked
    }

    /// Whether the first feed has arrived.
    pub fn has_synced(&self) -> bool {
        self.trust.is_some()
    }

    /// A name for the next decision that the filter makes by itself, unique by the lease that the
    /// PDP gave this worker.
    pub fn next_decision_id(&mut self, kind: LocalKind) -> DecisionId {
        self.decisions = self.decisions.wrapping_add(1);
        DecisionId::numbered(kind, &self.lease, self.decisions)
    }

    /// As before, for one that is reused; none where `original` is too long to be named.
    pub fn next_reused_id(&mut self, kind: LocalKind, original: &DecisionId) -> Option<DecisionId> {
        self.decisions = self.decisions.wrapping_add(1);
        DecisionId::reused(kind, &self.lease, self.decisions, original)
    }

    fn read(&mut self, status: &str, body: &[u8]) -> Result<Update, SyncError> {
        match status {
            "204" if self.trust.is_some() => Ok(Update::Nothing),
            "200" => self.adopt(Feed::parse(body)?),
            other => Err(SyncError::Status(other.chars().take(16).collect())),
        }
    }

    fn adopt(&mut self, feed: Feed) -> Result<Update, SyncError> {
        let trust = feed.trust()?;
        self.cursor = feed.cursor;
        self.lease = feed.lease;
        if self.caching != feed.caching {
            let before = std::mem::replace(&mut self.caching, feed.caching);
            self.generation = self.generation.wrapping_add(1);
            if policies(before.as_ref()) != policies(self.caching.as_ref()) {
                self.policies_since = self.generation;
            }
        }
        self.revoked.adopt(feed.revocations, &feed.policy_revision);
        let told = (feed.issuers, feed.trust_domains);
        if self.told.as_ref() == Some(&told) {
            return Ok(Update::Nothing);
        }
        self.trust = Some(trust);
        self.told = Some(told);
        Ok(Update::Trust)
    }

    fn poll_path(&self) -> String {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if self.cursor.is_empty() || !self.cursor.as_bytes().iter().all(plain) {
            return SYNC_PATH.to_owned();
        }
        let mut path = format!("{SYNC_PATH}?since={}", self.cursor);
        if let Some(wait) = self.wait {
            path.push_str("&wait_ms=");
            path.push_str(&wait.as_millis().to_string());
        }
        path
    }
}

fn policies(caching: Option<&Caching>) -> Option<&str> {
    caching.map(|caching| caching.policies.as_str())
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;

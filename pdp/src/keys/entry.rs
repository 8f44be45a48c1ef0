//! One source and what is in force for it.
//!
//! What this is not: the rules by which that changes; those are [`super::state`]'s.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use edgeward_core::jose::KeySet;
use edgeward_core::time::UnixSeconds;
use tokio::time::Instant;

use super::clock;
use super::document::Document;
use super::refetch::Gate;
use super::source::Source;
use super::status::{IgnoredKey, SourceStatus};

/// One source and its state.
pub(super) struct Entry {
    pub(super) source: Source,
    pub(super) gate: Gate,
    held: Mutex<Held>,
}

/// What is in force for one source, and how that came to be.
#[derive(Default)]
pub(super) struct Held {
    pub(super) document: Option<Arc<Document>>,
    /// When it was last confirmed, and until when it therefore lasts; inline keys last for ever.
    pub(super) confirmed_at: Option<UnixSeconds>,
    pub(super) expires: Option<Instant>,
    /// The highest `spiffe_sequence` seen.
    pub(super) sequence: Option<u64>,
    pub(super) attempted: bool,
    pub(super) last_error: Option<String>,
    pub(super) next_refresh: Option<UnixSeconds>,
}

impl Entry {
    pub(super) fn new(source: Source) -> Self {
        let interval = source
            .fetch_settings()
            .map_or(Duration::ZERO, |fetch| fetch.refresh.unknown_key_interval);
        Self {
            source,
            gate: Gate::new(interval),
            held: Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn document(&self) -> Option<Arc<Document>> {
        self.lock().document.clone()
    }

    pub(super) fn keys(&self) -> KeySet {
        self.lock()
            .document
            .as_ref()
            .map(|document| document.keys.clone())
            .unwrap_or_default()
    }

    /// When what is in force must be dropped.
    pub(super) fn expires(&self) -> Option<Instant> {
        self.lock().expires
    }

    pub(super) fn set_next_refresh(&self, wait: Duration) {
        self.lock().next_refresh = Some(clock::after(wait));
    }

    /// Inline keys stay as long as the configuration.
    pub(super) fn never_expires(&self) {
        self.lock().expires = None;
    }

    pub(super) fn status(&self) -> SourceStatus {
        let held = self.lock();
        let document = held.document.as_deref();
        let ignored = document.map_or(&[][..], |document| document.keys.ignored());
        let left = |instant: Instant| clock::after(instant.duration_since(Instant::now()));
        SourceStatus {
            owner: self.source.owner.clone(),
            source: self.source.describe(),
            ready: document.is_some(),
            attempted: held.attempted,
            keys: document.map_or(0, |document| document.keys.len()),
            ignored: ignored
                .iter()
                .map(|(index, error)| IgnoredKey {
                    index: *index,
                    reason: error.to_string(),
                })
                .collect(),
            sequence: document.and_then(|document| document.sequence),
            last_success: held.confirmed_at,
            last_error: held.last_error.clone(),
            next_refresh: held.next_refresh,
            expires_at: held.expires.map(left),
        }
    }
}

impl Held {
    pub(super) fn confirm(&mut self, at: UnixSeconds, expires: Option<Instant>) {
        self.confirmed_at = Some(at);
        self.expires = expires;
    }

    /// Whether tokens are judged differently from now on.
    pub(super) fn replace(&mut self, document: Option<Document>) -> bool {
        let before = self.document.as_ref().map(|document| &document.keys);
        let changed = before != document.as_ref().map(|document| &document.keys);
        self.document = document.map(Arc::new);
        changed
    }
}

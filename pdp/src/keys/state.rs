//! What is in force: each source's document, and the snapshot that readers take.
//!
//! INVARIANT: a snapshot is replaced whole and its revision only grows. One source's change never
//! touches another's keys; a document is replaced, never merged with the one before.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{IssuerTrust, Trust, TrustDomainTrust};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::KeyOwner;
use super::clock;
use super::disk::{Disk, Saved};
use super::document::Document;
use super::entry::Entry;
use super::load::{LoadError, Loaded};
use super::source::Source;
use super::status::{KeyCounters, Outcome};

/// How far the clock may have been set back since keys were saved, in seconds.
const CLOCK_STEP: u64 = 60;

/// Beyond this a duration means "for ever", and adding it to an instant could overflow.
const LONGEST: Duration = Duration::from_hours(24 * 365 * 10);

/// Whom to believe, at one revision.
#[derive(Debug)]
pub struct KeySnapshot {
    /// Grows by one with every change; the first snapshot has 0.
    pub revision: u64,
    /// Every configured issuer and trust domain; one without keys in force has an empty set.
    pub trust: Trust,
}

/// All sources and the snapshot.
pub(super) struct State {
    entries: Vec<Entry>,
    max_age: Duration,
    disk: Option<Disk>,
    snapshot: ArcSwap<KeySnapshot>,
    revision: watch::Sender<u64>,
    publishing: Mutex<()>,
    pub(super) counters: KeyCounters,
}

impl State {
    pub(super) fn new(sources: Vec<Source>, max_age: Duration, disk: Option<Disk>) -> Self {
        let entries = sources.into_iter().map(Entry::new).collect();
        let snapshot = KeySnapshot {
            revision: 0,
            trust: Trust::default(),
        };
        let state = Self {
            entries,
            max_age: max_age.min(LONGEST),
            disk,
            snapshot: ArcSwap::from_pointee(snapshot),
            revision: watch::Sender::new(0),
            publishing: Mutex::new(()),
            counters: KeyCounters::default(),
        };
        let first = KeySnapshot {
            revision: 0,
            trust: state.trust(),
        };
        state.snapshot.store(Arc::new(first));
        state
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn entry(&self, owner: &KeyOwner) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.source.owner == *owner)
    }

    pub(super) fn snapshot(&self) -> Arc<KeySnapshot> {
        self.snapshot.load_full()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// Gets the entry's document once and puts it in force. The hint of when to ask again, or the
    /// failure, is for whoever keeps the rhythm; it is recorded here.
    pub(super) async fn attempt(&self, entry: &Entry) -> Result<Option<Duration>, ()> {
        entry.gate.begin();
        let current = entry.document();
        let outcome = entry.source.load(current.as_deref()).await;
        let result = match outcome.and_then(|loaded| self.accept(entry, loaded)) {
            Ok(hint) => {
                self.save(entry).await;
                Ok(hint)
            }
            Err(error) => {
                self.reject(entry, &error);
                Err(())
            }
        };
        entry.gate.end();
        result
    }

    /// Puts a document in force, unless its sequence went back.
    pub(super) fn accept(
        &self,
        entry: &Entry,
        loaded: Loaded,
    ) -> Result<Option<Duration>, LoadError> {
        let Loaded { document, hint } = loaded;
        let changed = {
            let mut held = entry.lock();
            if let (Some(had), Some(got)) = (held.sequence, document.sequence)
                && got < had
            {
                return Err(LoadError::SequenceWentBack { had, got });
            }
            held.sequence = document.sequence.or(held.sequence);
            held.attempted = true;
            held.last_error = None;
            held.confirm(clock::now(), Some(Instant::now() + self.max_age));
            held.replace(Some(document))
        };
        self.counters.count(Outcome::Success);
        if changed {
            self.publish(&entry.source.owner);
        }
        Ok(hint)
    }

    /// Puts a document from an earlier run in force, for what is left of its time.
    pub(super) fn restore(&self, entry: &Entry, document: Document, confirmed_at: UnixSeconds) {
        let now = clock::now();
        let age = Duration::from_secs(now.seconds_since(confirmed_at));
        {
            let mut held = entry.lock();
            held.sequence = document.sequence;
            let left = self.max_age.checked_sub(age).filter(|left| !left.is_zero());
            // A time to come says nothing about the age.
            let Some(left) = left.filter(|_| confirmed_at <= now.plus(CLOCK_STEP)) else {
                warn!(owner = %entry.source.owner, "keys on disk are too old, or from the future");
                return;
            };
            held.confirm(confirmed_at, Some(Instant::now() + left));
            held.replace(Some(document));
        }
        self.publish(&entry.source.owner);
    }

    /// The source confirms what is in force without sending it again.
    pub(super) fn confirm(&self, entry: &Entry) {
        let mut held = entry.lock();
        if held.document.is_some() {
            held.confirm(clock::now(), Some(Instant::now() + self.max_age));
        }
    }

    /// Records a failure; what is in force stays, until it is too old.
    pub(super) fn reject(&self, entry: &Entry, error: &LoadError) {
        self.counters.count(Outcome::of(error));
        let text = error.to_string();
        let mut held = entry.lock();
        held.attempted = true;
        if held.last_error.as_ref() != Some(&text) {
            warn!(owner = %entry.source.owner, error = %text, "keys could not be refreshed");
        }
        held.last_error = Some(text);
    }

    /// Drops what is in force when its time is up.
    pub(super) fn expire(&self, entry: &Entry) {
        {
            let mut held = entry.lock();
            if held.expires.is_none_or(|instant| instant > Instant::now()) {
                return;
            }
            held.expires = None;
            held.replace(None);
        }
        self.counters.count_expired();
        warn!(owner = %entry.source.owner, "keys were not confirmed for the maximum age: dropped");
        self.publish(&entry.source.owner);
    }

    fn publish(&self, owner: &KeyOwner) {
        let _one_at_a_time = self
            .publishing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let revision = self.snapshot.load().revision + 1;
        self.snapshot.store(Arc::new(KeySnapshot {
            revision,
            trust: self.trust(),
        }));
        self.revision.send_replace(revision);
        info!(%owner, revision, "keys changed");
    }

    fn trust(&self) -> Trust {
        let mut trust = Trust::default();
        for entry in &self.entries {
            let rules = entry.source.rules.clone();
            let keys = entry.keys();
            match &entry.source.owner {
                KeyOwner::Issuer(issuer) => {
                    trust
                        .issuers
                        .insert(issuer.clone(), IssuerTrust { rules, keys });
                }
                KeyOwner::TrustDomain(name) => {
                    trust
                        .trust_domains
                        .insert(name.clone(), TrustDomainTrust { rules, keys });
                }
            }
        }
        trust
    }

    /// Keeps the document in force on disk, away from the runtime's thread.
    pub(super) async fn save(&self, entry: &Entry) {
        let Some(disk) = self.disk.clone().filter(|_| entry.source.is_remote()) else {
            return;
        };
        let (Some(document), Some(confirmed_at)) = (entry.document(), entry.lock().confirmed_at)
        else {
            return;
        };
        let (owner, source) = (entry.source.owner.clone(), entry.source.describe());
        let written = tokio::task::spawn_blocking(move || {
            disk.save(
                &owner,
                &source,
                &Saved {
                    confirmed_at,
                    document: document.bytes.clone(),
                },
            )
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(owner = %entry.source.owner, %error, "keys were not saved"),
            Err(error) => warn!(owner = %entry.source.owner, %error, "keys were not saved"),
        }
    }
}

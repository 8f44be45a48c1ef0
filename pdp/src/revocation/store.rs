//! What is revoked, now: one map behind one lock for those who change it, one snapshot for those
//! who ask.
//!
//! INVARIANT: a change is on the disk before it is in the snapshot, and in the snapshot before it
//! is acknowledged. Whoever asks takes no lock.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use edgeward_core::revocation::{
    Expiry, MAX_REVOCATIONS, MAX_TAG_BYTES, Order, Revocation, Revocations, Revoked,
};
use edgeward_core::time::UnixSeconds;
use prometheus_client::metrics::gauge::Gauge;
use thiserror::Error;
use tokio::sync::watch;

use super::Lifetimes;
use super::journal::{Journal, JournalError};
use super::line::{Found, Line};

/// The file is written anew when it has so many lines more than twice those in force.
const SPARE_LINES: usize = 1024;
/// How often ended revocations are looked for.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);

/// Why a revocation was not made or undone.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is nowhere to keep it.
    #[error("revocations have no place to be kept: set `revocations.directory`")]
    NotConfigured,
    /// It would end at once, or never where it must.
    #[error("expires_at: {0}")]
    Expiry(&'static str),
    /// There are too many.
    #[error(
        "too many revocations are in force: revoke a session, subject or key instead of single \
         tokens, or undo some"
    )]
    Full,
    /// It could not be written down, and so is not in force.
    #[error("not in force, since it could not be written down: {0}")]
    Journal(#[from] JournalError),
}

/// What came of an order.
#[derive(Debug)]
pub struct Revoking {
    /// The revocation in force.
    pub revocation: Revocation,
    /// Whether it was not in force before.
    pub is_new: bool,
}

/// What is revoked at one instant.
#[derive(Debug, Default)]
pub struct RevocationSnapshot {
    /// Rises with every change.
    pub revision: u64,
    /// What is revoked.
    pub revocations: Revocations,
}

/// All revocations.
#[derive(Debug)]
pub struct RevocationStore {
    kept: Mutex<Kept>,
    snapshot: ArcSwap<RevocationSnapshot>,
    revision: watch::Sender<u64>,
    lifetimes: Lifetimes,
    gauge: Gauge,
}

#[derive(Debug, Default)]
struct Kept {
    journal: Option<Journal>,
    in_force: Found,
}

impl RevocationStore {
    /// A store that holds nothing and takes nothing.
    pub fn closed() -> Self {
        Self::with(Kept::default(), Lifetimes::default())
    }

    /// Opens the store in `directory`. What ended meanwhile is forgotten.
    pub fn open(
        directory: &Path,
        lifetimes: Lifetimes,
        now: UnixSeconds,
    ) -> Result<Self, JournalError> {
        let (mut journal, mut in_force) = Journal::open(directory)?;
        in_force.retain(|_, revocation| !revocation.expires_at.is_over(now));
        if journal.lines() > in_force.len() {
            journal.rewrite(&in_force)?;
        }
        let kept = Kept {
            journal: Some(journal),
            in_force,
        };
        Ok(Self::with(kept, lifetimes))
    }

    fn with(kept: Kept, lifetimes: Lifetimes) -> Self {
        let store = Self {
            kept: Mutex::default(),
            snapshot: ArcSwap::default(),
            revision: watch::Sender::new(0),
            lifetimes,
            gauge: Gauge::default(),
        };
        store.publish(&kept);
        Self {
            kept: Mutex::new(kept),
            ..store
        }
    }

    /// What is revoked, now. Cheap; take one for each question.
    pub fn snapshot(&self) -> Arc<RevocationSnapshot> {
        self.snapshot.load_full()
    }

    /// The revision of the snapshot, to wait for changes.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// How many are in force, for the metrics door.
    pub fn gauge(&self) -> Gauge {
        self.gauge.clone()
    }

    /// How long revocations last, and whose tokens are believed.
    pub fn lifetimes(&self) -> &Lifetimes {
        &self.lifetimes
    }

    /// All in force, by id. Waits for the disk while a change is written.
    pub fn list(&self) -> Vec<Revocation> {
        self.lock().in_force.values().cloned().collect()
    }

    /// The one with this id. Waits for the disk while a change is written.
    pub fn get(&self, id: &str) -> Option<Revocation> {
        self.lock().in_force.get(id).cloned()
    }

    /// Revokes, from the instant this returns `Ok`. What is revoked already stays so, until the
    /// later of both ends. Waits for the disk.
    pub fn revoke(&self, order: Order, now: UnixSeconds) -> Result<Revoking, StoreError> {
        let expires_at = match order.expires_at {
            None => self.lifetimes.expiry(&order.revoked, now),
            Some(given) => check_expiry(&order.revoked, given, now)?,
        };
        let mut kept = self.lock();
        let id = order.revoked.id();
        let known = kept.in_force.get(&id);
        let revocation = Revocation {
            at: known.map_or(now, |known| known.at),
            expires_at: known.map_or(expires_at, |known| known.expires_at.later(expires_at)),
            reason: order
                .reason
                .or_else(|| known.and_then(|known| known.reason.clone())),
            revoked: order.revoked,
        };
        let is_new = known.is_none();
        if known != Some(&revocation) {
            if is_new && kept.has_no_room_for(&revocation) {
                return Err(StoreError::Full);
            }
            kept.write(&Line::Revoke(&revocation))?;
            kept.in_force.insert(id, revocation.clone());
            kept.compact();
            self.publish(&kept);
        }
        Ok(Revoking { revocation, is_new })
    }

    /// Undoes the revocation with this id; whether there was one. Waits for the disk.
    pub fn undo(&self, id: &str) -> Result<Option<Revocation>, StoreError> {
        let mut kept = self.lock();
        if !kept.in_force.contains_key(id) {
            return Ok(None);
        }
        kept.write(&Line::Undo(id))?;
        let undone = kept.in_force.remove(id);
        kept.compact();
        self.publish(&kept);
        Ok(undone)
    }

    /// Forgets what has ended.
    pub fn expire(&self, now: UnixSeconds) {
        let mut kept = self.lock();
        let before = kept.in_force.len();
        kept.in_force
            .retain(|_, revocation| !revocation.expires_at.is_over(now));
        if kept.in_force.len() < before {
            tracing::info!(
                ended = before - kept.in_force.len(),
                "revocations have ended"
            );
            kept.compact();
            self.publish(&kept);
        }
    }

    /// Forgets what has ended, for ever; `now` is the clock.
    pub async fn keep_expiring(self: Arc<Self>, now: fn() -> UnixSeconds) {
        loop {
            tokio::time::sleep(EXPIRY_INTERVAL).await;
            let store = Arc::clone(&self);
            // On a thread that may wait for the lock, which is held while the disk is.
            let _ = tokio::task::spawn_blocking(move || store.expire(now())).await;
        }
    }

    fn publish(&self, kept: &Kept) {
        let revoked = kept.in_force.values().map(|revocation| &revocation.revoked);
        let revision = *self.revision.borrow() + 1;
        self.snapshot.store(Arc::new(RevocationSnapshot {
            revision,
            revocations: Revocations::of(revoked),
        }));
        self.gauge
            .set(i64::try_from(kept.in_force.len()).unwrap_or(i64::MAX));
        self.revision.send_replace(revision);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // What is behind it is changed after the disk was, in one step.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn write(&mut self, line: &Line<'_>) -> Result<(), StoreError> {
        let journal = self.journal.as_mut().ok_or(StoreError::NotConfigured)?;
        Ok(journal.append(line, &self.in_force)?)
    }

    fn has_no_room_for(&self, revocation: &Revocation) -> bool {
        let tags = self.in_force.values().chain([revocation]);
        let bytes: usize = tags.map(|it| it.revoked.tag().len()).sum();
        self.in_force.len() >= MAX_REVOCATIONS || bytes > MAX_TAG_BYTES
    }

    /// Keeps the file from growing without end. That it could not be is no reason to refuse what
    /// is on the disk already.
    fn compact(&mut self) {
        let Some(journal) = &mut self.journal else {
            return;
        };
        if journal.lines() > 2 * self.in_force.len() + SPARE_LINES
            && let Err(error) = journal.rewrite(&self.in_force)
        {
            tracing::warn!(%error, "the journal of revocations could not be made shorter");
        }
    }
}

fn check_expiry(revoked: &Revoked, given: Expiry, now: UnixSeconds) -> Result<Expiry, StoreError> {
    let is_token = matches!(
        revoked,
        Revoked::Token { .. } | Revoked::TokenDigest(_) | Revoked::Session { .. }
    );
    if given.is_over(now) {
        return Err(StoreError::Expiry("must lie in the future"));
    }
    if is_token && given == Expiry::Never {
        return Err(StoreError::Expiry(
            "must be an instant: no token lives for ever; leave it out for the longest that one can",
        ));
    }
    Ok(given)
}

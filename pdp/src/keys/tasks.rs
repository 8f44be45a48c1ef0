//! The tasks that keep keys fresh: one for each source, so that none waits for another.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::OwnBundle;
use super::entry::Entry;
use super::source::Origin;
use super::state::State;
use super::workload_api;
use crate::fetch::{Pace, RefreshSettings};

/// How often a file is looked at.
const FILE_INTERVAL: Duration = Duration::from_secs(1);

/// The running tasks; dropping this ends them.
#[must_use = "dropping this ends the refreshing of keys"]
#[derive(Debug)]
pub struct KeyTasks {
    _tasks: JoinSet<()>,
}

impl KeyTasks {
    /// Starts a task for each source on the current tokio runtime.
    pub(super) fn start(state: &Arc<State>) -> Self {
        let mut tasks = JoinSet::new();
        for index in 0..state.entries().len() {
            let state = Arc::clone(state);
            tasks.spawn(async move {
                if let Some(entry) = state.entries().get(index) {
                    keep(&state, entry).await;
                }
            });
        }
        Self { _tasks: tasks }
    }
}

/// Keeps one source fresh, and drops its keys on the minute when nobody confirms them, also while a
/// slow fetch is under way.
async fn keep(state: &State, entry: &Entry) {
    tokio::select! {
        () = refresh(state, entry) => {}
        () = expire_for_ever(state, entry) => {}
    }
}

async fn refresh(state: &State, entry: &Entry) {
    match (&entry.source.origin, entry.source.owner.trust_domain()) {
        (Origin::Inline(_), _) => {}
        (Origin::File(path), _) => watch_file(state, entry, path).await,
        (Origin::Own(own), _) => follow_own(state, entry, own.clone()).await,
        (Origin::WorkloadApi { endpoint }, Some(name)) => {
            workload_api::follow(state, entry, endpoint, name).await;
        }
        _ => poll(state, entry).await,
    }
}

/// Fetches, waits, fetches again: by the server's hint, or a token's wish, or back-off.
async fn poll(state: &State, entry: &Entry) {
    let refresh = entry
        .source
        .fetch_settings()
        .map_or_else(RefreshSettings::default, |fetch| fetch.refresh.clone());
    let mut pace = Pace::new(refresh);
    loop {
        let wait = match state.attempt(entry).await {
            Ok(hint) => pace.after_success(hint),
            Err(()) => pace.after_failure(),
        };
        entry.set_next_refresh(wait);
        tokio::select! {
            () = sleep(wait) => {}
            () = entry.gate.wished() => {}
        }
    }
}

/// Takes each bundle that our own token service publishes: before a key signs, it is in here.
async fn follow_own(state: &State, entry: &Entry, mut own: OwnBundle) {
    loop {
        // What goes wrong is in the entry's status; the next bundle is tried whatever came of this.
        let _ = state.attempt(entry).await;
        entry.never_expires();
        own.changed().await;
    }
}

/// Reads the file whenever it has changed. Kubernetes swaps whole directories by symbolic links,
/// which no watch on the file itself would see; a look each second sees everything.
async fn watch_file(state: &State, entry: &Entry, path: &Path) {
    let mut seen = None;
    loop {
        let stamp = std::fs::metadata(path)
            .ok()
            .map(|metadata| Stamp::of(&metadata));
        if stamp.is_some() && stamp == seen {
            state.confirm(entry);
        } else {
            // Not remembered where reading failed: tried again a second later.
            seen = state.attempt(entry).await.ok().and(stamp);
        }
        tokio::select! {
            () = sleep(FILE_INTERVAL) => {}
            () = entry.gate.wished() => seen = None,
        }
    }
}

/// Drops the keys when their time is up; never returns.
async fn expire_for_ever(state: &State, entry: &Entry) {
    loop {
        match entry.expires() {
            // Keys may be confirmed meanwhile, or restored: look again at least every second.
            Some(instant) if instant > Instant::now() => {
                sleep_until(instant.min(Instant::now() + Duration::from_secs(1))).await;
            }
            Some(_) => state.expire(entry),
            None => sleep(Duration::from_secs(1)).await,
        }
    }
}

/// What tells one state of a file from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

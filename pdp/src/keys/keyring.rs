//! The key room's front door.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::warn;

use super::disk::{Disk, DiskError};
use super::document::Document;
use super::entry::Entry;
use super::load::{LoadError, Loaded, read, read_bundle};
use super::refetch::Refetch;
use super::source::{Origin, Source};
use super::state::{KeySnapshot, State};
use super::status::{KeyCounters, SourceStatus};
use super::tasks::KeyTasks;
use super::{KeyOwner, KeySettings};
use crate::fetch::{SourceUrlError, TlsError, roots_of_file};

/// Why the settings cannot be used. All of these are errors of configuration, found at the start.
#[derive(Debug, Error)]
pub enum KeyringError {
    /// An issuer or trust domain is there twice.
    #[error("{0} is configured twice")]
    Twice(KeyOwner),
    /// Discovery needs an issuer that is an https URL.
    #[error("{owner}: discovery: {error}")]
    Discovery {
        /// Whose settings.
        owner: KeyOwner,
        /// What is wrong.
        error: SourceUrlError,
    },
    /// A file or inline document is missing or malformed.
    #[error("{owner}: {error}")]
    Document {
        /// Whose settings.
        owner: KeyOwner,
        /// What is wrong.
        error: Box<LoadError>,
    },
    /// The file of authorities is missing or malformed.
    #[error("{owner}: {error}")]
    Authorities {
        /// Whose settings.
        owner: KeyOwner,
        /// What is wrong.
        error: TlsError,
    },
    /// The directory for last known good keys cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// All keys by which tokens are verified, kept fresh.
///
/// [`Keyring::open`] reads what is local, [`Keyring::start`] (a server) or [`Keyring::fetch_all`]
/// (a command) gets the rest, [`Keyring::snapshot`] is what verifies.
pub struct Keyring {
    state: Arc<State>,
    running: AtomicBool,
}

impl Keyring {
    /// Checks the settings and reads everything local: inline keys, files, bundles, authorities,
    /// the last known good keys. Nothing is fetched. A damaged cache file is a warning.
    pub fn open(settings: KeySettings) -> Result<Self, KeyringError> {
        let mut sources = Vec::new();
        for issuer in settings.issuers {
            let owner = KeyOwner::Issuer(issuer.issuer.clone());
            let source = Source::of_issuer(issuer)
                .map_err(|error| KeyringError::Discovery { owner, error })?;
            sources.push(source);
        }
        sources.extend(
            settings
                .trust_domains
                .into_iter()
                .map(Source::of_trust_domain),
        );
        let mut owners = BTreeSet::new();
        for source in &sources {
            if !owners.insert(&source.owner) {
                return Err(KeyringError::Twice(source.owner.clone()));
            }
            check_authorities(source)?;
        }
        let disk = settings
            .cache
            .directory
            .as_deref()
            .map(Disk::open)
            .transpose()?;
        let state = State::new(sources, settings.cache.max_age, disk.clone());
        for entry in state.entries() {
            load_local(&state, entry)?;
            if let Some(disk) = disk.as_ref().filter(|_| entry.source.is_remote()) {
                restore(&state, entry, disk);
            }
        }
        Ok(Self {
            state: Arc::new(state),
            running: AtomicBool::new(false),
        })
    }

    /// Starts to keep the keys fresh, on the current tokio runtime, until the result is dropped.
    pub fn start(&self) -> KeyTasks {
        self.running.store(true, Ordering::Relaxed);
        KeyTasks::start(&self.state)
    }

    /// Asks every source once, all at the same time, and waits for all of them. For commands that
    /// end; outcomes are in [`Self::statuses`].
    pub async fn fetch_all(&self) {
        let mut fetches = JoinSet::new();
        for index in 0..self.state.entries().len() {
            let state = Arc::clone(&self.state);
            fetches.spawn(async move {
                if let Some(entry) = state.entries().get(index) {
                    // The outcome is recorded in the entry's status.
                    let _ = state.attempt(entry).await;
                }
            });
        }
        while fetches.join_next().await.is_some() {}
    }

    /// Whom to believe, now. Cheap; take one for each request.
    pub fn snapshot(&self) -> Arc<KeySnapshot> {
        self.state.snapshot()
    }

    /// The revision of the snapshot, to wait for changes.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.state.subscribe()
    }

    /// A token of `owner` names a `key_id` that is not there: fetch once more, unless that was done
    /// a moment ago. Waits for nothing; what the fetch brings is a new snapshot. A hundred calls at
    /// once cause one fetch.
    pub fn unknown_key(&self, owner: &KeyOwner, key_id: &str) -> Refetch {
        let outcome = self.wish(owner, key_id);
        self.state.counters.count_wish(outcome);
        outcome
    }

    fn wish(&self, owner: &KeyOwner, key_id: &str) -> Refetch {
        let Some(entry) = self.state.entry(owner) else {
            return Refetch::UnknownOwner;
        };
        if entry.keys().contains(key_id) {
            return Refetch::Known;
        }
        let streamed = matches!(
            entry.source.origin,
            Origin::Inline(_) | Origin::WorkloadApi { .. } | Origin::Own(_)
        );
        if streamed || !self.running.load(Ordering::Relaxed) {
            return Refetch::NotFetched;
        }
        entry.gate.refetch()
    }

    /// The X.509 authorities (DER) in the bundle of `owner`; none where it has none in force.
    pub fn x509_authorities(&self, owner: &KeyOwner) -> Vec<Vec<u8>> {
        let document = self.state.entry(owner).and_then(Entry::document);
        document.map_or_else(Vec::new, |document| document.x509_authorities.clone())
    }

    /// Whether a fetch of `owner`'s keys was asked for or is under way.
    pub fn is_fetching(&self, owner: &KeyOwner) -> bool {
        let entry = self.state.entry(owner);
        entry.is_some_and(|entry| entry.gate.is_in_flight())
    }

    /// Every source's health, in the order of the settings.
    pub fn statuses(&self) -> Vec<SourceStatus> {
        self.state.entries().iter().map(Entry::status).collect()
    }

    /// Whether tokens can be judged: every source was asked at least once, and at least one has
    /// keys in force (or none is configured). One dead issuer does not make a node unready.
    pub fn is_ready(&self) -> bool {
        let statuses = self.statuses();
        statuses
            .iter()
            .all(|status| status.ready || status.attempted)
            && (statuses.is_empty() || statuses.iter().any(|status| status.ready))
    }

    /// Counters for the metrics door.
    pub fn counters(&self) -> &KeyCounters {
        &self.state.counters
    }
}

/// Files that vouch for servers must be there and well-formed before anything starts: a missing
/// one must never mean "trust somebody else".
fn check_authorities(source: &Source) -> Result<(), KeyringError> {
    let owner = || source.owner.clone();
    if let Origin::SpiffeEndpoint { initial, .. } = &source.origin {
        read_bundle(initial).map_err(|error| KeyringError::Document {
            owner: owner(),
            error: Box::new(error),
        })?;
        return Ok(());
    }
    if let Some(path) = source
        .fetch_settings()
        .and_then(|fetch| fetch.ca_file.as_deref())
    {
        roots_of_file(path).map_err(|error| KeyringError::Authorities {
            owner: owner(),
            error,
        })?;
    }
    Ok(())
}

fn load_local(state: &State, entry: &Entry) -> Result<(), KeyringError> {
    let failed = |error| KeyringError::Document {
        owner: entry.source.owner.clone(),
        error: Box::new(error),
    };
    let (name, bytes) = match &entry.source.origin {
        Origin::Inline(text) => ("inline".to_owned(), text.clone().into_bytes()),
        Origin::File(path) => (shown(path), read(path).map_err(failed)?),
        Origin::Own(own) => ("token service".to_owned(), own.text()),
        _ => return Ok(()),
    };
    let document = Document::parse(entry.source.kind(), bytes).map_err(|error| {
        failed(LoadError::Document {
            origin: name,
            error,
        })
    })?;
    state
        .accept(
            entry,
            Loaded {
                document,
                hint: None,
            },
        )
        .map_err(failed)?;
    if matches!(entry.source.origin, Origin::Inline(_) | Origin::Own(_)) {
        entry.never_expires();
    }
    Ok(())
}

fn restore(state: &State, entry: &Entry, disk: &Disk) {
    let owner = &entry.source.owner;
    match disk.load(owner, &entry.source.describe()) {
        Ok(None) => {}
        Err(error) => warn!(%owner, %error, "last known good keys are not used"),
        Ok(Some(saved)) => match Document::parse(entry.source.kind(), saved.document) {
            Ok(document) => state.restore(entry, document, saved.confirmed_at),
            Err(error) => warn!(%owner, %error, "last known good keys are not used"),
        },
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

//! The inventory: which identities were seen, by whose word, when, with tokens of which lifetimes; and which static
//! secrets were noticed in requests.
//!
//! INVARIANT: no secret's value, nor anything that could be guessed from, is in here, on disk or in the log. What
//! does not fit is counted, and said. Whatever fails here decides nothing: requests go on.
//!
//! What this is not: a record of decisions, or proof of anything.

mod disk;
mod entries;
pub mod secrets;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use edgeward_core::time::UnixSeconds;

pub use self::disk::OpenError;
pub use self::entries::{Identity, NoticedSecret, Report, Where, Who};
use self::secrets::SecretKind;

/// The most identities that are kept.
pub const MAX_IDENTITIES: usize = 100_000;
/// The most places in which secrets were noticed.
pub const MAX_SECRETS: usize = 10_000;

/// Checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventorySettings {
    /// The folder of its file.
    pub directory: PathBuf,
    /// Whether requests are searched for static secrets.
    pub secrets: bool,
}

/// What the token service did for somebody.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'o> {
    /// A token of so many seconds, for these.
    Issued {
        /// Seconds.
        lifetime: u64,
        /// Its audiences.
        audiences: &'o [String],
    },
    /// None, by this code.
    Refused(&'static str),
}

/// The inventory of one PDP.
#[derive(Debug)]
pub struct Inventory {
    settings: InventorySettings,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    identities: BTreeMap<Who, Identity>,
    secrets: BTreeMap<Where, NoticedSecret>,
    dropped: u64,
    is_changed: bool,
}

impl Inventory {
    /// Reads what was kept; a file that cannot be read is set aside, and said.
    pub fn open(settings: InventorySettings) -> Result<Self, OpenError> {
        let held = disk::open(&settings.directory)?;
        Ok(Self {
            settings,
            held: Mutex::new(held),
        })
    }

    /// Whether requests are searched for static secrets.
    pub fn looks_for_secrets(&self) -> bool {
        self.settings.secrets
    }

    /// Somebody asked the token service, by the word of the trust provider `provider`.
    pub fn asked_for_token(
        &self,
        who: Who,
        (provider, workload): (&str, Option<&str>),
        outcome: Outcome<'_>,
        now: UnixSeconds,
    ) {
        self.with(who, now, |identity| {
            identity.asked(provider, workload, outcome);
        });
    }

    /// Somebody's request was decided.
    pub fn decided(&self, who: Who, now: UnixSeconds) {
        self.with(who, now, |identity| identity.decided_at = Some(now));
    }

    fn with(&self, who: Who, now: UnixSeconds, change: impl FnOnce(&mut Identity)) {
        let mut held = self.lock();
        if held.identities.len() >= MAX_IDENTITIES && !held.identities.contains_key(&who) {
            held.dropped = held.dropped.saturating_add(1);
            return;
        }
        let identity = held
            .identities
            .entry(who)
            .or_insert_with(|| Identity::new(now));
        identity.last_seen = identity.last_seen.max(now);
        change(identity);
        held.is_changed = true;
    }

    /// Secrets of these kinds were noticed at `place`, sent by `subject` to `service`. Says which of them
    /// nobody had noticed there before.
    pub fn noticed(
        &self,
        found: &[(SecretKind, String)],
        subject: &str,
        service: &str,
        now: UnixSeconds,
    ) -> Vec<Where> {
        let places = found.iter();
        let places = places.map(|(kind, place)| Where::new(*kind, place, subject, service));
        // Made before the lock, which all threads share.
        let places: Vec<Where> = places.collect();
        let mut held = self.lock();
        let mut new = Vec::new();
        for at in places {
            if let Some(known) = held.secrets.get_mut(&at) {
                known.last_seen = known.last_seen.max(now);
                known.count = known.count.saturating_add(1);
            } else if held.secrets.len() >= MAX_SECRETS {
                held.dropped = held.dropped.saturating_add(1);
            } else {
                held.secrets.insert(at.clone(), NoticedSecret::new(now));
                new.push(at);
            }
            held.is_changed = true;
        }
        new
    }

    /// All of it, now.
    pub fn report(&self) -> Report {
        let held = self.lock();
        Report::of(&held.identities, &held.secrets, held.dropped)
    }

    /// How many identities there are, places of secrets, and sightings that did not fit.
    pub fn counts(&self) -> (usize, usize, u64) {
        let held = self.lock();
        (held.identities.len(), held.secrets.len(), held.dropped)
    }

    /// Writes it down, if it changed since. On a thread that may wait.
    pub fn save(&self) {
        let report = {
            let mut held = self.lock();
            if !std::mem::take(&mut held.is_changed) {
                return;
            }
            Report::of(&held.identities, &held.secrets, held.dropped)
        };
        if let Err(error) = disk::save(&self.settings.directory, &report) {
            tracing::error!(%error, "the inventory cannot be kept: what was seen since is lost with this process");
            self.lock().is_changed = true;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

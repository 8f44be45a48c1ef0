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

/// The most sightings that wait until they are taken in.
const MAX_WAITING: usize = 65_536;

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
    /// What deciding threads saw: they never wait for who reads or writes down what is held.
    waiting: Mutex<Vec<(Sighting, UnixSeconds)>>,
    held: Mutex<Held>,
}

/// What a deciding thread saw.
#[derive(Debug)]
enum Sighting {
    Decided(Who),
    Secret(Where),
    /// So many that did not fit.
    Dropped(u64),
}

#[derive(Debug, Default)]
struct Held {
    identities: BTreeMap<Who, Identity>,
    secrets: BTreeMap<Where, NoticedSecret>,
    dropped: u64,
    is_changed: bool,
}

impl Held {
    /// The identity of `who`, seen at `at`; none where there is no room for it.
    fn identity(&mut self, who: Who, at: UnixSeconds) -> Option<&mut Identity> {
        if self.identities.len() >= MAX_IDENTITIES && !self.identities.contains_key(&who) {
            self.dropped = self.dropped.saturating_add(1);
            return None;
        }
        self.is_changed = true;
        let identity = self
            .identities
            .entry(who)
            .or_insert_with(|| Identity::new(at));
        identity.last_seen = identity.last_seen.max(at);
        Some(identity)
    }

    fn secret(&mut self, place: Where, at: UnixSeconds) {
        if let Some(known) = self.secrets.get_mut(&place) {
            known.last_seen = known.last_seen.max(at);
            known.count = known.count.saturating_add(1);
        } else if self.secrets.len() >= MAX_SECRETS {
            self.dropped = self.dropped.saturating_add(1);
            return;
        } else {
            tracing::warn!(
                kind = place.kind.as_str(),
                place = place.place,
                subject = place.subject,
                service = place.service,
                "a static secret in requests: see `edgeward inventory --secrets`"
            );
            self.secrets.insert(place, NoticedSecret::new(at));
        }
        self.is_changed = true;
    }
}

impl Inventory {
    /// Reads what was kept; a file that cannot be read is set aside, and said.
    pub fn open(settings: InventorySettings) -> Result<Self, OpenError> {
        let held = disk::open(&settings.directory)?;
        Ok(Self {
            settings,
            waiting: Mutex::default(),
            held: Mutex::new(held),
        })
    }

    /// Whether requests are searched for static secrets.
    pub fn looks_for_secrets(&self) -> bool {
        self.settings.secrets
    }

    /// Somebody asked the token service, by the word of the trust provider `provider`. On a thread that may wait.
    pub fn asked_for_token(
        &self,
        who: Who,
        (provider, workload): (&str, Option<&str>),
        outcome: Outcome<'_>,
        now: UnixSeconds,
    ) {
        let mut held = self.lock();
        if let Some(identity) = held.identity(who, now) {
            identity.asked(provider, workload, outcome);
        }
    }

    /// Somebody's request was decided.
    pub fn decided(&self, who: Who, now: UnixSeconds) {
        self.see(Sighting::Decided(who), now);
    }

    /// A secret of this kind was noticed at `place`, sent by `subject` to `service`.
    pub fn noticed(
        &self,
        (kind, place): (SecretKind, &str),
        subject: &str,
        service: &str,
        now: UnixSeconds,
    ) {
        let at = Where::new(kind, place, subject, service);
        self.see(Sighting::Secret(at), now);
    }

    fn see(&self, sighting: Sighting, now: UnixSeconds) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MAX_WAITING {
            waiting.push((sighting, now));
        } else if let Some((Sighting::Dropped(count), _)) = waiting.last_mut() {
            *count = count.saturating_add(1);
        } else {
            // One beyond the bound, which counts those that follow.
            waiting.push((Sighting::Dropped(1), now));
        }
    }

    /// What is held, with all that waited.
    fn up_to_date(&self) -> MutexGuard<'_, Held> {
        let mut held = self.lock();
        let waited =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        for (sighting, at) in waited {
            match sighting {
                Sighting::Decided(who) => {
                    if let Some(identity) = held.identity(who, at) {
                        identity.decided_at = identity.decided_at.max(Some(at));
                    }
                }
                Sighting::Secret(place) => held.secret(place, at),
                Sighting::Dropped(count) => held.dropped = held.dropped.saturating_add(count),
            }
        }
        held
    }

    /// All of it, now.
    pub fn report(&self) -> Report {
        let held = self.up_to_date();
        Report::of(&held.identities, &held.secrets, held.dropped)
    }

    /// How many identities there are, places of secrets, and sightings that did not fit.
    pub fn counts(&self) -> (usize, usize, u64) {
        let held = self.up_to_date();
        (held.identities.len(), held.secrets.len(), held.dropped)
    }

    /// Writes it down, if it changed since. On a thread that may wait.
    pub fn save(&self) {
        let report = {
            let mut held = self.up_to_date();
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

//! From a bundle that came to the policies in force: checked alone, put together with the others, built
//! and tried, swapped in, kept.
//!
//! INVARIANT: bundles are put in force one after the other, by whoever holds `work`; nobody who decides
//! or looks at the status ever waits for that lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use edgeward_core::time::UnixSeconds;

use super::disk::{Disk, DiskError, Record};
use super::held::{Held, Offered};
use super::settings::{BundleName, BundleSettings, BundlesSettings};
use super::status::{BundleStatus, Outcome};
use super::verified::{BundleError, PolicyBundle};
use crate::policy::{LoadError, PolicyStore, ReadError, Sources};

/// The bundles in force, and how each stands.
#[derive(Debug)]
pub struct Bundles {
    pub(super) settings: BundlesSettings,
    pub(super) store: Arc<PolicyStore>,
    pub(super) disk: Option<Disk>,
    pub(super) work: Mutex<BTreeMap<BundleName, Held>>,
    pub(super) statuses: Mutex<BTreeMap<BundleName, BundleStatus>>,
}

impl Bundles {
    /// Puts in force what was kept, if all of it was and is good; else everything is denied until the
    /// bundles come. `store` is one that withholds.
    pub fn open(
        settings: BundlesSettings,
        store: Arc<PolicyStore>,
        now: UnixSeconds,
    ) -> Result<Self, DiskError> {
        let disk = settings.directory.as_deref().map(Disk::open).transpose()?;
        let status_of = |(name, bundle): (&BundleName, &BundleSettings)| {
            let status = BundleStatus {
                name: name.to_string(),
                source: bundle.source.to_string(),
                ..BundleStatus::default()
            };
            (name.clone(), status)
        };
        let statuses = settings.bundles.iter().map(status_of).collect();
        let bundles = Self {
            settings,
            store,
            disk,
            work: Mutex::default(),
            statuses: Mutex::new(statuses),
        };
        for name in bundles.settings.bundles.keys() {
            bundles.load(name);
        }
        bundles.enforce_age(now);
        Ok(bundles)
    }

    /// How each bundle stands, in order of their names.
    pub fn statuses(&self) -> Vec<BundleStatus> {
        locked(&self.statuses).values().cloned().collect()
    }

    /// The `ETag` of the bundle that is held; told by the status, for `work` may be held for long.
    pub(super) fn tag(&self, name: &BundleName) -> Option<String> {
        locked(&self.statuses).get(name)?.tag.clone()
    }

    /// The last one kept on disk, as if it came now.
    fn load(&self, name: &BundleName) {
        let (Some(disk), Some(bundle)) = (&self.disk, self.settings.bundles.get(name)) else {
            return;
        };
        match disk.load(name, &bundle.source.to_string()) {
            Ok(None) => {}
            Ok(Some((record, content))) => {
                let confirmed_at = record.confirmed_at;
                let offered = Offered::Packed(content, record.tag.clone());
                let outcome = self.put(name, offered, confirmed_at, Some(record));
                if let Outcome::Refused(code, message) = &outcome {
                    tracing::warn!(bundle = %name, code, message, "the bundle kept on disk is not used");
                }
                self.note(name, &outcome, confirmed_at);
            }
            Err(error) => {
                tracing::warn!(bundle = %name, %error, "no bundle is taken from disk");
                let outcome = Outcome::Refused("bundle-cache", error.to_string());
                self.note(name, &outcome, UnixSeconds(0));
            }
        }
    }

    /// A bundle has come from its source.
    pub(super) fn offer(&self, name: &BundleName, offered: Offered, now: UnixSeconds) -> Outcome {
        let outcome = self.put(name, offered, now, None);
        match &outcome {
            // Once: a source goes on offering what was refused.
            Outcome::Refused(_, message) if self.is_said(name, message) => {}
            Outcome::Refused(code, message) => {
                tracing::error!(bundle = %name, code, message, "bundle refused, what is in force stays");
            }
            Outcome::Activated => tracing::info!(bundle = %name, "bundle in force"),
            Outcome::Waiting => tracing::info!(bundle = %name, "bundle waits for the others"),
            Outcome::Unchanged => {}
        }
        self.note(name, &outcome, now);
        outcome
    }

    /// Nothing came from its source.
    pub(super) fn failed(
        &self,
        name: &BundleName,
        code: &'static str,
        why: String,
        now: UnixSeconds,
    ) {
        tracing::warn!(bundle = %name, code, why, "bundle not fetched");
        self.note(name, &Outcome::Refused(code, why), now);
    }

    fn put(
        &self,
        name: &BundleName,
        offered: Offered,
        now: UnixSeconds,
        kept: Option<Record>,
    ) -> Outcome {
        let Some(settings) = self.settings.bundles.get(name) else {
            return Outcome::Refused("bundle-unknown", format!("`{name}` is not configured"));
        };
        let mut held = match Held::read(offered, settings.trust.as_ref()) {
            Ok(held) => held,
            Err(error) => return refused(&error),
        };
        let mut work = locked(&self.work);
        let known = work.get(name).map(|held| held.bundle.revision());
        if let Err(error) = held.bundle.may_follow(known, settings.rollback) {
            return refused(&error);
        }
        if let Some(content) = held.unsaved.take().filter(|_| self.disk.is_some()) {
            let source = settings.source.to_string();
            let tag = held.tag.clone();
            let was_kept = kept.is_some();
            let record = kept.unwrap_or_else(|| Record::of(name, source, now, tag, &content));
            let former = work.get(name);
            let is_kept = was_kept || former.is_some_and(|former| former.is_kept_as(&record));
            held.unsaved = (!is_kept).then_some(content);
            held.record = Some(record);
        }
        let mut others = self.settings.bundles.keys().filter(|other| *other != name);
        let are_there = others.all(|other| work.contains_key(other));
        // One that is too old keeps everything denied until its source says something.
        if !are_there || self.too_old(now, Some(name)).is_some() {
            self.hold(&mut work, name, held, now);
            return Outcome::Waiting;
        }
        let outcome = match self.activate(&work, Some((name, &held.bundle))) {
            Ok(true) => Outcome::Activated,
            Ok(false) => Outcome::Unchanged,
            Err(error) => return Outcome::Refused(code_of(&error), error.to_string()),
        };
        self.hold(&mut work, name, held, now);
        self.keep(&mut work);
        self.note_on_disk(&mut work, name, now);
        outcome
    }

    /// From here on it is what its source confirmed at `now`: told before `work` is let go, so that nobody
    /// takes for too old what was just put in force.
    fn hold(
        &self,
        work: &mut BTreeMap<BundleName, Held>,
        name: &BundleName,
        held: Held,
        now: UnixSeconds,
    ) {
        if let Some(status) = locked(&self.statuses).get_mut(name) {
            status.tag.clone_from(&held.tag);
            status.confirmed_at = Some(now);
        }
        work.insert(name.clone(), held);
    }

    /// Puts in force what is held, with `new` in place of its like; whether that is something else.
    pub(super) fn activate(
        &self,
        work: &BTreeMap<BundleName, Held>,
        new: Option<(&BundleName, &Arc<PolicyBundle>)>,
    ) -> Result<bool, LoadError> {
        let mut all: BTreeMap<&BundleName, &Arc<PolicyBundle>> = work
            .iter()
            .map(|(name, held)| (name, &held.bundle))
            .collect();
        all.extend(new);
        let parts: Vec<_> = all
            .iter()
            .map(|(name, bundle)| bundle.part(name.as_str()))
            .collect();
        let sources = Sources::of_bundles(&parts).map_err(LoadError::from);
        self.store.activate(sources)
    }

    /// Writes what is in force and not on disk yet. A disk that is full does not keep a new policy from
    /// being in force; it is said, and the one before stays on disk.
    pub(super) fn keep(&self, work: &mut BTreeMap<BundleName, Held>) {
        // As long as one is not there none is in force.
        if work.len() < self.settings.bundles.len() {
            return;
        }
        let mut statuses = locked(&self.statuses);
        for (name, held) in work.iter() {
            if let Some(status) = statuses.get_mut(name) {
                status.active_revision = Some(held.bundle.revision().to_owned());
                status.size = held.size;
            }
        }
        drop(statuses);
        let Some(disk) = &self.disk else { return };
        for (name, held) in work {
            if let (Some(content), Some(record)) = (held.unsaved.take(), &held.record) {
                let kept = disk.save(name, record, &content);
                if kept.is_err() {
                    held.unsaved = Some(content);
                }
                self.note_kept(name, kept);
            }
        }
    }

    /// Whether `message` is what is wrong already.
    fn is_said(&self, name: &BundleName, message: &str) -> bool {
        let statuses = locked(&self.statuses);
        let said = statuses
            .get(name)
            .and_then(|status| status.message.as_deref());
        said == Some(message)
    }

    pub(super) fn note(&self, name: &BundleName, outcome: &Outcome, now: UnixSeconds) {
        if let Some(status) = locked(&self.statuses).get_mut(name) {
            status.note(outcome, now);
        }
    }

    pub(super) fn note_kept(&self, name: &BundleName, kept: Result<(), DiskError>) {
        let not_kept = kept.err().map(|error| error.to_string());
        if let Some(error) = &not_kept {
            tracing::error!(bundle = %name, error, "the bundle in force would not outlive a restart");
        }
        if let Some(status) = locked(&self.statuses).get_mut(name) {
            status.not_kept = not_kept;
        }
    }
}

fn refused(error: &BundleError) -> Outcome {
    Outcome::Refused(error.code(), error.to_string())
}

/// What is wrong with bundles together, in a word.
pub(super) fn code_of(error: &LoadError) -> &'static str {
    match error {
        LoadError::Read(ReadError::SharedRoot { .. }) => "bundle-overlap",
        LoadError::Read(ReadError::Roots { .. }) | LoadError::Package { .. } => "bundle-roots",
        LoadError::Tests { .. } => "bundle-tests",
        _ => "bundle-policy",
    }
}

/// What a thread that panicked left behind is whole: each change is one assignment.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

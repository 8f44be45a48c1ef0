//! From a bundle that came to the policies in force: checked alone, put together with the others, built
//! and tried, swapped in, kept.
//!
//! INVARIANT: bundles are put in force one after the other, by whoever holds `work`; nobody who decides
//! or looks at the status ever waits for that lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use edgeward_core::time::UnixSeconds;

use super::delta::DeltaError;
use super::disk::{Disk, DiskError};
use super::held::{Came, Held, Offered};
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

    /// The `ETag` of the bundle that is held, and whether a delta may change that; told by the status,
    /// for `work` may be held for long.
    pub(super) fn known(&self, name: &BundleName) -> (Option<String>, bool) {
        let is_in_force = self.store.why_withheld().is_none();
        match locked(&self.statuses).get(name) {
            Some(status) => (status.tag.clone(), is_in_force && status.takes_deltas()),
            None => (None, false),
        }
    }

    /// A bundle has come from its source.
    pub(super) fn offer(&self, name: &BundleName, offered: Offered, now: UnixSeconds) -> Outcome {
        let outcome = self.put(name, offered, now);
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

    /// Puts in force what came or was kept. At `now` its source said that it is the one.
    pub(super) fn put(&self, name: &BundleName, offered: Offered, now: UnixSeconds) -> Outcome {
        let Some(settings) = self.settings.bundles.get(name) else {
            return Outcome::Refused("bundle-unknown", format!("`{name}` is not configured"));
        };
        let may_be_delta = offered.may_be_delta();
        let came = match offered.read(settings.trust.as_ref()) {
            Ok(came) => came,
            Err(error) => {
                if may_be_delta {
                    self.want_whole(name);
                }
                return refused(&error);
            }
        };
        let mut work = locked(&self.work);
        // One that is too old keeps everything denied until its source says something.
        let too_old = self.too_old(now, Some(name));
        let is_delta = matches!(came, Came::Delta(..));
        let former = work.get(name);
        let waits = too_old.is_some();
        let outcome = match self.held_of(came, former, (name, settings), (now, waits)) {
            Ok(held) => self.put_held(&mut work, (name, held), too_old, now),
            Err(error) => refused(&error),
        };
        if is_delta && matches!(outcome, Outcome::Refused(..)) {
            self.want_whole(name);
        }
        outcome
    }

    /// What came as what would be held in place of `former`, if it may be; whether it will wait for another
    /// that is too old is known.
    fn held_of(
        &self,
        came: Came,
        former: Option<&Held>,
        (name, settings): (&BundleName, &BundleSettings),
        (now, waits): (UnixSeconds, bool),
    ) -> Result<Held, BundleError> {
        let mut held = match came {
            Came::Whole(held) => held,
            Came::Delta(delta, packed) => {
                // What would wait for another is tried by nobody, and may be no change of what is held.
                let waits = waits || self.store.why_withheld().is_some();
                let base = former.filter(|_| !waits);
                base.ok_or(DeltaError::NoBase)?
                    .changed(delta, packed, now)?
            }
        };
        let known = former.map(|held| held.bundle.revision());
        held.bundle.may_follow(known, settings.rollback)?;
        self.prepare(name, &mut held, former, now);
        Ok(held)
    }

    /// What its source has next is wanted whole.
    fn want_whole(&self, name: &BundleName) {
        if let Some(status) = locked(&self.statuses).get_mut(name) {
            status.want_whole();
        }
    }

    fn put_held(
        &self,
        work: &mut BTreeMap<BundleName, Held>,
        (name, held): (&BundleName, Held),
        too_old: Option<BundleName>,
        now: UnixSeconds,
    ) -> Outcome {
        let mut others = self.settings.bundles.keys().filter(|other| *other != name);
        let are_there = others.all(|other| work.contains_key(other));
        if !are_there || too_old.is_some() {
            // At once: what is held but not in force must not be taken for what is.
            if let Some(other) = too_old.filter(|_| self.store.why_withheld().is_none()) {
                self.withhold(&other);
            }
            self.hold(work, name, held, now);
            return Outcome::Waiting;
        }
        // Its age is looked at meanwhile: its source has just said which it is.
        let before = self.confirmed(name, Some(now));
        let outcome = match self.activate(work, Some((name, &held.bundle))) {
            Ok(true) => Outcome::Activated,
            Ok(false) => Outcome::Unchanged,
            Err(error) => {
                self.confirmed(name, before);
                return Outcome::Refused(code_of(&error), error.to_string());
            }
        };
        self.hold(work, name, held, now);
        self.keep(work);
        self.note_on_disk(work, name, now);
        outcome
    }

    /// Its source confirmed it at `at`; when it did before.
    fn confirmed(&self, name: &BundleName, at: Option<UnixSeconds>) -> Option<UnixSeconds> {
        let mut statuses = locked(&self.statuses);
        let status = statuses.get_mut(name)?;
        std::mem::replace(&mut status.confirmed_at, at)
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
            status.holds(&held);
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
}

fn refused(error: &BundleError) -> Outcome {
    Outcome::Refused(error.code(), error.to_string())
}

/// What is wrong with bundles together, in a word.
pub(super) fn code_of(error: &LoadError) -> &'static str {
    match error {
        LoadError::Read(ReadError::SharedRoot { .. }) => "bundle-overlap",
        LoadError::Read(ReadError::Roots { .. }) | LoadError::Package { .. } => "bundle-roots",
        LoadError::Read(ReadError::Patch { .. }) => "bundle-delta",
        LoadError::Tests { .. } => "bundle-tests",
        LoadError::Compiled { .. } => "bundle-wasm",
        _ => "bundle-policy",
    }
}

/// What a thread that panicked left behind is whole: each change is one assignment.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! How old a bundle in force may be: without its source's word for longer than that, everything is denied,
//! until it says again that the bundle is the one.

use std::collections::BTreeMap;
use std::sync::TryLockError;

use edgeward_core::time::UnixSeconds;

use super::activation::{Bundles, code_of, locked};
use super::held::Held;
use super::settings::{BundleName, BundleSettings};
use super::status::Outcome;
use crate::policy::Withheld;

/// Confirmations are written to disk this seldom: what is lost is at most this much of `max_age`.
const CONFIRM_EVERY: u64 = 60;

impl Bundles {
    /// Its source says that the bundle that is held is the one. It may take as long as to build it.
    pub(super) fn confirm(&self, name: &BundleName, now: UnixSeconds) {
        self.note(name, &Outcome::Unchanged, now);
        // Where nothing of what there is was refused, the policies in force are the newest there are.
        if locked(&self.statuses)
            .values()
            .all(|status| status.code.is_none())
        {
            self.store.settle();
        }
        let mut work = locked(&self.work);
        let are_there = work.len() == self.settings.bundles.len();
        if are_there
            && self.store.why_withheld().is_some()
            && self.too_old(now, None).is_none()
            && let Err(error) = self.activate(&work, None)
        {
            let outcome = Outcome::Refused(code_of(&error), error.to_string());
            tracing::error!(bundle = %name, %error, "what was in force cannot be again");
            self.note(name, &outcome, now);
            return;
        }
        // What could not be written may be by now.
        self.keep(&mut work);
        self.note_on_disk(&mut work, name, now);
    }

    /// Writes down when the bundle on disk was last confirmed, now and then.
    pub(super) fn note_on_disk(
        &self,
        work: &mut BTreeMap<BundleName, Held>,
        name: &BundleName,
        now: UnixSeconds,
    ) {
        let (Some(disk), Some(held)) = (&self.disk, work.get_mut(name)) else {
            return;
        };
        if let Some(record) = &mut held.record
            && held.unsaved.is_empty()
            && now.seconds_since(record.confirmed_at) >= CONFIRM_EVERY
        {
            record.confirmed_at = now;
            let kept = disk.confirm(name, record);
            self.note_kept(name, kept);
        }
    }

    /// Denies everything once a bundle in force is older than it may be, whatever is being built meanwhile.
    pub(super) fn enforce_age(&self, now: UnixSeconds) {
        match (self.store.why_withheld(), self.too_old(now, None)) {
            (None, Some(name)) => self.withhold(&name),
            // It was confirmed in the instant in which it was withheld.
            (Some(Withheld::TooOld), None) => self.put_back(now),
            _ => {}
        }
    }

    /// Puts in force again what was withheld for its age and is confirmed, unless something is being put in
    /// force anyway.
    fn put_back(&self, now: UnixSeconds) {
        let work = match self.work.try_lock() {
            Err(TryLockError::WouldBlock) => return,
            Err(TryLockError::Poisoned(work)) => work.into_inner(),
            Ok(work) => work,
        };
        let is_due = self.store.why_withheld() == Some(Withheld::TooOld)
            && work.len() == self.settings.bundles.len()
            && self.too_old(now, None).is_none();
        if is_due && let Err(error) = self.activate(&work, None) {
            tracing::error!(%error, "what was in force cannot be again");
        }
    }

    /// Denies everything, for `name` is older than it may be.
    pub(super) fn withhold(&self, name: &BundleName) {
        tracing::error!(bundle = %name, "bundle older than `max_age`: its source has not confirmed it");
        if let Err(error) = self.store.withhold(Withheld::TooOld) {
            tracing::error!(%error, "policies cannot be withheld");
        }
    }

    /// One that is too old, but for `except`.
    pub(super) fn too_old(
        &self,
        now: UnixSeconds,
        except: Option<&BundleName>,
    ) -> Option<BundleName> {
        let statuses = locked(&self.statuses);
        let mut all = self.settings.bundles.iter();
        let is_too_old = |(name, bundle): &(&BundleName, &BundleSettings)| {
            let confirmed = statuses.get(*name).and_then(|status| status.confirmed_at);
            let age = now.seconds_since(confirmed.unwrap_or(UnixSeconds(0)));
            Some(*name) != except && age > bundle.max_age.as_secs()
        };
        all.find(is_too_old).map(|(name, _)| name.clone())
    }
}

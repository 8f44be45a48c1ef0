//! Between the bundles in force and the disk that keeps them for the next start.
//!
//! What this is not: the files themselves; those are `disk`'s.

use std::collections::BTreeMap;

use edgeward_core::time::UnixSeconds;

use super::activation::{Bundles, locked};
use super::disk::{DiskError, Record};
use super::held::{Held, Offered};
use super::settings::BundleName;
use super::status::Outcome;

impl Bundles {
    /// The last one kept on disk, as if it came now.
    pub(super) fn load(&self, name: &BundleName) {
        let (Some(disk), Some(bundle)) = (&self.disk, self.settings.bundles.get(name)) else {
            return;
        };
        match disk.load(name, &bundle.source.to_string()) {
            Ok(None) => {}
            Ok(Some(kept)) => {
                let confirmed_at = kept.record.confirmed_at;
                let outcome = self.put(name, Offered::Kept(kept), confirmed_at);
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

    /// Says under which record `held` is to be kept, and what of it has to be written for that.
    pub(super) fn prepare(
        &self,
        name: &BundleName,
        held: &mut Held,
        former: Option<&Held>,
        now: UnixSeconds,
    ) {
        let Some(settings) = self
            .settings
            .bundles
            .get(name)
            .filter(|_| self.disk.is_some())
        else {
            held.unsaved.clear();
            return;
        };
        // What was kept, and what a delta made of what will be, has its record.
        if let (None, [content]) = (&held.record, held.unsaved.as_slice()) {
            let source = settings.source.to_string();
            let record = Record::of(name, source, now, held.tag.clone(), content);
            if former.is_some_and(|former| former.is_kept_as(&record)) {
                held.unsaved.clear();
            }
            held.record = Some(record);
        }
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
                status.kind = Some(held.bundle.kind());
                status.size = held.size;
            }
        }
        drop(statuses);
        let Some(disk) = &self.disk else { return };
        for (name, held) in work {
            if let Some(record) = held.record.as_ref().filter(|_| !held.unsaved.is_empty()) {
                let kept = disk.save(name, record, &held.unsaved);
                if kept.is_ok() {
                    held.unsaved.clear();
                }
                self.note_kept(name, kept);
            }
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

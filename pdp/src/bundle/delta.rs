//! A delta bundle: changes to the data of the bundle that is in force, instead of a whole one.
//!
//! As in OPA it has a `patch.json` and a manifest whose roots are those of the bundle that it changes,
//! and policies never. OPA lets nobody sign one; here it is signed as any bundle is, and one that is must
//! name the revision that it changes (`metadata.base_revision` of its manifest): else whoever can answer
//! in place of the server could leave out the deltas before it.
//!
//! INVARIANT: a bundle that deltas have changed still has the files it came with, and the deltas beside
//! them; each was verified, and they are made anew whenever the policies are built.

use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use super::archive::{Files, MAX_UNPACKED};
use super::manifest::{MANIFEST, Manifest};
use super::verified::{BundleError, PolicyBundle};
use crate::policy::{Patch, PatchError};

/// The file that makes a bundle a delta.
pub(super) const PATCH: &str = "patch.json";
/// Deltas that are kept of one bundle before a whole one is asked for.
pub(super) const MAX_DELTAS: usize = 64;

/// Why a delta does not change the bundle in force.
#[derive(Debug, Error)]
pub enum DeltaError {
    /// Nothing says what it is a change of.
    #[error("is a delta bundle, and a whole one is wanted here")]
    Unasked,
    /// There is nothing that it could change.
    #[error("is a delta bundle, and the bundle that it changes is not in force")]
    NoBase,
    /// A delta has a patch and a manifest.
    #[error("is a delta bundle and has `{0}`: only data change by deltas")]
    File(String),
    /// It is of another bundle.
    #[error("is a delta to revision `{base}`, and `{held}` is in force")]
    OtherBase {
        /// What it changes.
        base: String,
        /// What is there.
        held: String,
    },
    /// It could be applied again, and again.
    #[error(
        "is a delta from revision `{0}` to the same one: give each delta a revision of its own"
    )]
    SameRevision(String),
    /// Signed, and could be put after any bundle.
    #[error(
        "is signed and does not say what it changes: set `metadata.base_revision` in {MANIFEST}"
    )]
    UnnamedBase,
    /// It does not say so in a way that can be read.
    #[error("{MANIFEST}: `metadata.base_revision` must be a text")]
    Base,
    /// It would speak for something else than its base.
    #[error("is a delta bundle of other roots than the bundle that it changes")]
    Roots,
    /// Its patch.
    #[error(transparent)]
    Patch(#[from] PatchError),
    /// All together are more than a bundle may be.
    #[error("takes the bundle that it changes beyond {MAX_UNPACKED} bytes or {MAX_DELTAS} deltas")]
    TooMuch,
}

/// A delta, read and verified by itself.
#[derive(Debug)]
pub(super) struct Delta {
    manifest: Manifest,
    patch: Arc<Patch>,
    base: Option<String>,
}

impl Delta {
    /// Reads the verified files of a delta; `is_signed` says whether anybody vouches for them.
    pub(super) fn of(mut files: Files, is_signed: bool) -> Result<Self, BundleError> {
        let patch = files.remove(PATCH).unwrap_or_default();
        let manifest = Manifest::of(files.remove(MANIFEST).as_deref())?;
        if let Some((file, _)) = files.pop_first() {
            return Err(DeltaError::File(file).into());
        }
        let base = match &manifest.base {
            None if is_signed => return Err(DeltaError::UnnamedBase.into()),
            None => None,
            Some(Value::String(base)) => Some(base.clone()),
            Some(_) => return Err(DeltaError::Base.into()),
        };
        let patch = Patch::parse(patch).map_err(DeltaError::from)?;
        patch.check(&manifest.roots).map_err(DeltaError::from)?;
        Ok(Self {
            manifest,
            patch: Arc::new(patch),
            base,
        })
    }

    /// What `base` is with these changes. Whether they can be made shows when policies are built of it.
    pub(super) fn onto(self, base: &PolicyBundle) -> Result<PolicyBundle, DeltaError> {
        if let Some(named) = self.base.filter(|named| named != base.revision()) {
            return Err(DeltaError::OtherBase {
                base: named,
                held: base.revision().to_owned(),
            });
        }
        let is_named = self.manifest.base.is_some();
        if is_named && self.manifest.revision == base.revision() {
            return Err(DeltaError::SameRevision(self.manifest.revision));
        }
        let sorted = |roots: &crate::policy::Roots| {
            let mut texts: Vec<String> = roots.texts().collect();
            texts.sort();
            texts
        };
        if sorted(base.roots()) != sorted(&self.manifest.roots) {
            return Err(DeltaError::Roots);
        }
        let changed = base.changed(self.manifest.revision, self.patch);
        if changed.size() > MAX_UNPACKED || changed.deltas() > MAX_DELTAS {
            return Err(DeltaError::TooMuch);
        }
        Ok(changed)
    }
}

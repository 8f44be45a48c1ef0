//! One policy bundle: read, within its bounds, signed as it must be, and of a revision that may follow.
//!
//! INVARIANT: a [`PolicyBundle`] has passed everything that can be said of it without the others; that
//! its policies compile and go together with those of other bundles is the policy room's to say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use thiserror::Error;

use super::archive::{self, ArchiveError, Files};
use super::delta::{Delta, DeltaError, PATCH};
use super::folder::{self, FolderError};
use super::manifest::{MANIFEST, Manifest, ManifestError};
use super::revision::{Rollback, RollbackError};
use super::signature::{self, SignatureError, Trust};
use crate::policy::{Content, EntryPoint, Part, Patch, Roots};

/// A bundle that may decide.
#[derive(Debug)]
pub struct PolicyBundle {
    revision: String,
    roots: Arc<Roots>,
    compiled: Arc<BTreeMap<String, Vec<EntryPoint>>>,
    files: Arc<Files>,
    /// What deltas have changed since.
    patches: Vec<Arc<Patch>>,
}

/// What bytes may be.
#[derive(Debug)]
pub(super) enum Verified {
    Whole(PolicyBundle),
    Delta(Delta),
}

/// Why bytes or a folder are no bundle that may decide.
#[derive(Debug, Error)]
pub enum BundleError {
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The signature.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The revision.
    #[error(transparent)]
    Rollback(#[from] RollbackError),
    /// Changes to a bundle instead of one.
    #[error(transparent)]
    Delta(#[from] DeltaError),
    /// A compiled policy that answers for nothing.
    #[error("has `{0}`, which `wasm` of `.manifest` does not name: name it there, or leave it out")]
    CompiledUnnamed(String),
    /// A compiled policy that is not there.
    #[error("has no `{0}`, which `wasm` of `.manifest` names")]
    CompiledMissing(String),
    /// Neither policy nor data.
    #[error("has neither `*.rego` nor `policy.wasm` nor `data.json`")]
    Empty,
}

impl BundleError {
    /// The outcome in a word, for status, metrics and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Archive(ArchiveError::TooMuch(_)) | Self::Folder(FolderError::TooMuch(_)) => {
                "bundle-oversized"
            }
            Self::Archive(ArchiveError::Broken(_)) => "bundle-broken",
            Self::Archive(_) | Self::Empty => "bundle-malformed",
            Self::Folder(FolderError::Io { .. }) => "bundle-unreadable",
            Self::Signature(SignatureError::Missing) => "bundle-unsigned",
            Self::Signature(_) => "bundle-signature",
            Self::Manifest(_) | Self::CompiledUnnamed(_) | Self::CompiledMissing(_) => {
                "bundle-manifest"
            }
            Self::Rollback(_) => "bundle-rollback",
            Self::Delta(_) => "bundle-delta",
        }
    }
}

impl Verified {
    /// Reads a packed bundle or delta, signed as `trust` wants.
    pub(super) fn unpack(bytes: &[u8], trust: Option<&Trust>) -> Result<Self, BundleError> {
        Self::of(archive::unpack(bytes)?, trust)
    }

    fn of(mut files: Files, trust: Option<&Trust>) -> Result<Self, BundleError> {
        signature::check(&mut files, trust)?;
        if files.contains_key(PATCH) {
            return Delta::of(files, trust.is_some()).map(Self::Delta);
        }
        PolicyBundle::of(files).map(Self::Whole)
    }

    fn whole(self) -> Result<PolicyBundle, BundleError> {
        match self {
            Self::Whole(bundle) => Ok(bundle),
            Self::Delta(_) => Err(DeltaError::Unasked.into()),
        }
    }
}

impl PolicyBundle {
    /// Reads a packed bundle, signed as `trust` wants.
    pub fn unpack(bytes: &[u8], trust: Option<&Trust>) -> Result<Self, BundleError> {
        Verified::unpack(bytes, trust)?.whole()
    }

    /// Reads a bundle that lies unpacked in `folder`.
    pub fn read_folder(folder: &Path, trust: Option<&Trust>) -> Result<Self, BundleError> {
        Verified::of(folder::read(folder)?, trust)?.whole()
    }

    fn of(files: Files) -> Result<Self, BundleError> {
        let manifest = Manifest::of(files.get(MANIFEST).map(Vec::as_slice))?;
        check_compiled(&files, &manifest.compiled)?;
        if !files.keys().any(|file| Content::of(file).is_some()) {
            return Err(BundleError::Empty);
        }
        Ok(Self {
            revision: manifest.revision,
            roots: Arc::new(manifest.roots),
            compiled: Arc::new(manifest.compiled),
            files: Arc::new(files),
            patches: Vec::new(),
        })
    }

    /// This one with `patch`, which makes it `revision`.
    pub(super) fn changed(&self, revision: String, patch: Arc<Patch>) -> Self {
        let mut patches = self.patches.clone();
        patches.push(patch);
        Self {
            revision,
            roots: Arc::clone(&self.roots),
            compiled: Arc::clone(&self.compiled),
            files: Arc::clone(&self.files),
            patches,
        }
    }

    /// How many deltas have changed it.
    pub(super) fn deltas(&self) -> usize {
        self.patches.len()
    }

    /// What it last was, in OPA's word.
    pub(super) fn kind(&self) -> &'static str {
        if self.patches.is_empty() {
            "snapshot"
        } else {
            "delta"
        }
    }

    /// Bytes of all of it, unpacked.
    pub(super) fn size(&self) -> u64 {
        let patches = self.patches.iter().map(|patch| patch.bytes().len());
        let all = self.files.values().map(Vec::len).chain(patches);
        all.fold(0, |sum, size| {
            sum.saturating_add(u64::try_from(size).unwrap_or(u64::MAX))
        })
    }

    /// Refuses it where it is older than the newest known and `rollback` does not let it be.
    pub fn may_follow(&self, known: Option<&str>, rollback: Rollback) -> Result<(), BundleError> {
        Ok(rollback.check(&self.revision, known)?)
    }

    /// Its manifest's revision; empty where there is none.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// What of `data` it speaks for.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// The paths of its files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Its share in a policy set.
    pub fn part<'a>(&'a self, bundle: &'a str) -> Part<'a> {
        Part {
            bundle,
            roots: &self.roots,
            compiled: &self.compiled,
            files: &self.files,
            patches: &self.patches,
        }
    }
}

/// Refuses compiled policies that the manifest does not name, and names of none.
fn check_compiled(
    files: &Files,
    named: &BTreeMap<String, Vec<EntryPoint>>,
) -> Result<(), BundleError> {
    let is_compiled = |file: &&String| Content::of(file) == Some(Content::Compiled);
    let mut compiled = files.keys().filter(is_compiled);
    if let Some(file) = compiled.find(|file| !named.contains_key(*file)) {
        return Err(BundleError::CompiledUnnamed(file.clone()));
    }
    let is_missing = |file: &&String| !is_compiled(file) || !files.contains_key(*file);
    match named.keys().find(is_missing) {
        Some(file) => Err(BundleError::CompiledMissing(file.clone())),
        None => Ok(()),
    }
}

//! One policy bundle: read, within its bounds, signed as it must be, and of a revision that may follow.
//!
//! INVARIANT: a [`PolicyBundle`] has passed everything that can be said of it without the others; that
//! its policies compile and go together with those of other bundles is the policy room's to say.

use std::path::Path;
use std::sync::Arc;

use thiserror::Error;

use super::archive::{self, ArchiveError, Files};
use super::folder::{self, FolderError};
use super::manifest::{MANIFEST, Manifest, ManifestError};
use super::revision::{Rollback, RollbackError};
use super::signature::{self, SignatureError, Trust};
use crate::policy::{Content, Part, Roots};

/// A bundle that may decide.
#[derive(Debug)]
pub struct PolicyBundle {
    revision: String,
    roots: Arc<Roots>,
    files: Files,
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
    #[error("is a delta bundle, which cannot be signed: serve whole bundles")]
    Delta,
    /// A policy that is no Rego any more.
    #[error("has `policy.wasm`: build the bundle without `--target wasm`")]
    Wasm,
    /// Neither policy nor data.
    #[error("has neither `*.rego` nor `data.json`")]
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
            Self::Manifest(_) | Self::Wasm => "bundle-manifest",
            Self::Rollback(_) => "bundle-rollback",
            Self::Delta => "bundle-delta",
        }
    }
}

impl PolicyBundle {
    /// Reads a packed bundle, signed as `trust` wants.
    pub fn unpack(bytes: &[u8], trust: Option<&Trust>) -> Result<Self, BundleError> {
        Self::of(archive::unpack(bytes)?, trust)
    }

    /// Reads a bundle that lies unpacked in `folder`.
    pub fn read_folder(folder: &Path, trust: Option<&Trust>) -> Result<Self, BundleError> {
        Self::of(folder::read(folder)?, trust)
    }

    fn of(mut files: Files, trust: Option<&Trust>) -> Result<Self, BundleError> {
        // First what it may not be at all: a delta's missing signature is not its fault.
        if files.contains_key("patch.json") {
            return Err(BundleError::Delta);
        }
        signature::check(&mut files, trust)?;
        let manifest = match files.get(MANIFEST) {
            Some(bytes) => Manifest::parse(bytes)?,
            None => Manifest::default(),
        };
        let name = |file: &String| file.rsplit('/').next().unwrap_or_default().to_owned();
        if files.keys().any(|file| name(file) == "policy.wasm") {
            return Err(BundleError::Wasm);
        }
        if !files.keys().any(|file| Content::of(file).is_some()) {
            return Err(BundleError::Empty);
        }
        Ok(Self {
            revision: manifest.revision,
            roots: Arc::new(manifest.roots),
            files,
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
            files: &self.files,
        }
    }
}

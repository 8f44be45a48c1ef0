//! A bundle that came and is good as far as it can be judged alone, with what has to be remembered of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use edgeward_core::time::UnixSeconds;

use super::delta::{Delta, DeltaError};
use super::disk::{Kept, Record};
use super::signature::Trust;
use super::verified::{BundleError, PolicyBundle, Verified};

/// A bundle that came.
#[derive(Debug)]
pub(super) enum Offered {
    /// Packed, from a server.
    Packed(Packed),
    /// A file with a packed one, read.
    File(Vec<u8>),
    /// Unpacked, in this folder.
    Folder(PathBuf),
    /// What was kept on disk.
    Kept(Kept),
}

/// What a server sent.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) content: Vec<u8>,
    /// Its `ETag`.
    pub(super) tag: Option<String>,
    /// Whether a delta to what is in force was asked for, too.
    pub(super) may_be_delta: bool,
}

/// What came, read.
#[derive(Debug)]
pub(super) enum Came {
    Whole(Held),
    Delta(Delta, Packed),
}

impl Offered {
    /// What lies at `path`, not looked into yet.
    pub(super) fn at(path: &Path) -> std::io::Result<Self> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        Ok(Self::File(fs::read(path)?))
    }

    /// Whether it was asked for in a way that allows for a delta.
    pub(super) fn may_be_delta(&self) -> bool {
        matches!(self, Self::Packed(packed) if packed.may_be_delta)
    }

    /// Reads it, signed as `trust` wants.
    pub(super) fn read(self, trust: Option<&Trust>) -> Result<Came, BundleError> {
        let (content, tag) = match self {
            Self::Folder(path) => {
                let bundle = PolicyBundle::read_folder(&path, trust)?;
                return Ok(Came::Whole(Held::new(bundle, None, None)));
            }
            Self::Kept(kept) => return Ok(Came::Whole(Held::kept(kept, trust)?)),
            Self::File(content) => (content, None),
            Self::Packed(packed) if packed.may_be_delta => {
                match Verified::unpack(&packed.content, trust)? {
                    Verified::Delta(delta) => return Ok(Came::Delta(delta, packed)),
                    Verified::Whole(bundle) => {
                        let held = Held::new(bundle, packed.tag, Some(packed.content));
                        return Ok(Came::Whole(held));
                    }
                }
            }
            Self::Packed(packed) => (packed.content, packed.tag),
        };
        let bundle = PolicyBundle::unpack(&content, trust)?;
        Ok(Came::Whole(Held::new(bundle, tag, Some(content))))
    }
}

/// A bundle that is in force, or waits for the others.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bundle: Arc<PolicyBundle>,
    pub(super) tag: Option<String>,
    pub(super) size: Option<usize>,
    /// What stands on disk, or will.
    pub(super) record: Option<Record>,
    /// Of what that names, what has to be written: packed bundles.
    pub(super) unsaved: Vec<Vec<u8>>,
}

impl Held {
    fn new(bundle: PolicyBundle, tag: Option<String>, content: Option<Vec<u8>>) -> Self {
        Self {
            bundle: Arc::new(bundle),
            tag,
            size: content.as_ref().map(Vec::len),
            record: None,
            unsaved: content.into_iter().collect(),
        }
    }

    /// What was kept, verified piece by piece as if it came anew.
    fn kept(kept: Kept, trust: Option<&Trust>) -> Result<Self, BundleError> {
        let mut bundle = PolicyBundle::unpack(&kept.content, trust)?;
        for delta in &kept.deltas {
            bundle = match Verified::unpack(delta, trust)? {
                Verified::Delta(delta) => delta.onto(&bundle)?,
                Verified::Whole(_) => return Err(DeltaError::NoBase.into()),
            };
        }
        let packed = kept.deltas.iter().map(Vec::len).sum::<usize>() + kept.content.len();
        Ok(Self {
            size: Some(packed),
            // Whoever may write to the disk could keep a bundle in force by the tag of a newer one.
            tag: None,
            record: Some(kept.record),
            ..Self::new(bundle, None, None)
        })
    }

    /// What this is once `delta`, which came as `packed`, has changed it.
    pub(super) fn changed(
        &self,
        delta: Delta,
        packed: Packed,
        now: UnixSeconds,
    ) -> Result<Self, BundleError> {
        let bundle = delta.onto(&self.bundle)?;
        let record = self.record.as_ref();
        let record = record.map(|record| record.with(&packed.content, packed.tag.clone(), now));
        let size = self.size.map(|size| size + packed.content.len());
        let mut unsaved = self.unsaved.clone();
        if record.is_some() {
            unsaved.push(packed.content);
        }
        Ok(Self {
            bundle: Arc::new(bundle),
            tag: packed.tag,
            size,
            record,
            unsaved,
        })
    }

    /// Whether it is on disk, and `record` is of the same packed bundle.
    pub(super) fn is_kept_as(&self, record: &Record) -> bool {
        let own = self.record.as_ref();
        self.unsaved.is_empty() && own.is_some_and(|own| own.is_of_same(record))
    }
}

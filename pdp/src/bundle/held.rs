//! A bundle that came and is good as far as it can be judged alone, with what has to be remembered of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Record;
use super::signature::Trust;
use super::verified::{BundleError, PolicyBundle};

/// A bundle that came.
pub(super) enum Offered {
    /// Packed, with its `ETag`.
    Packed(Vec<u8>, Option<String>),
    /// Unpacked, in this folder.
    Folder(PathBuf),
}

impl Offered {
    /// What lies at `path`, not looked into yet.
    pub(super) fn at(path: &Path) -> std::io::Result<Self> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        Ok(Self::Packed(fs::read(path)?, None))
    }

    /// Reads it, signed as `trust` wants.
    pub(super) fn read(&self, trust: Option<&Trust>) -> Result<PolicyBundle, BundleError> {
        match self {
            Self::Packed(content, _) => PolicyBundle::unpack(content, trust),
            Self::Folder(path) => PolicyBundle::read_folder(path, trust),
        }
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
    /// Packed, as long as it has to be written.
    pub(super) unsaved: Option<Vec<u8>>,
}

impl Held {
    /// Whether it is on disk, and `record` is of the same packed bundle.
    pub(super) fn is_kept_as(&self, record: &Record) -> bool {
        let own = self.record.as_ref();
        self.unsaved.is_none() && own.is_some_and(|own| own.sha256 == record.sha256)
    }

    /// Reads what came, signed as `trust` wants.
    pub(super) fn read(offered: Offered, trust: Option<&Trust>) -> Result<Self, BundleError> {
        let bundle = Arc::new(offered.read(trust)?);
        let (tag, content) = match offered {
            Offered::Packed(content, tag) => (tag, Some(content)),
            Offered::Folder(_) => (None, None),
        };
        Ok(Self {
            bundle,
            tag,
            size: content.as_ref().map(Vec::len),
            record: None,
            unsaved: content,
        })
    }
}

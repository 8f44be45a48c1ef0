//! The last bundles in force, on disk: for each a record, the packed bundle that it names and the packed
//! deltas that have changed that since, as they came; all replaced whole.
//!
//! INVARIANT: the record is written after what it names, so that whatever happens between, a full disk
//! or a dead machine, leaves the last record with its bundle. What is read back is checked as if it came
//! from the network, each signature included.
//!
//! What this is not: protection against whoever may write to the directory, where the signature is not
//! asked for; and where it is, against an older bundle of the publisher's, until the server's first answer.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use edgeward_core::json;
use edgeward_core::revocation::hex;
use edgeward_core::time::UnixSeconds;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::delta::MAX_DELTAS;
use super::settings::BundleName;
use crate::whole_file;

const VERSION: u32 = 1;
const MAX_RECORD_BYTES: u64 = 64 * 1024;
/// Packed bundles beyond this were not written by us.
const MAX_BUNDLE_BYTES: u64 = 1024 * 1024 * 1024;

/// Why a bundle is not kept, or not read back.
#[derive(Debug, Error)]
pub enum DiskError {
    /// The operating system said no.
    #[error("bundle cache `{}`: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// The files are not what was once written.
    #[error("bundle cache `{}`: {reason}: it is not used", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// What is kept beside a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    version: u32,
    bundle: String,
    /// Where it came from: a bundle of a source that is no longer configured is not used.
    pub(super) source: String,
    /// When its source last said that it is the one.
    pub(super) confirmed_at: UnixSeconds,
    /// Its `ETag`.
    pub(super) tag: Option<String>,
    /// SHA-256 of the packed bundle, which is the name of its file too.
    sha256: String,
    /// The same of the deltas that have changed it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    deltas: Vec<String>,
}

/// What was kept of one bundle.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) record: Record,
    /// The packed bundle.
    pub(super) content: Vec<u8>,
    /// The packed deltas that have changed it, in order.
    pub(super) deltas: Vec<Vec<u8>>,
}

impl Record {
    /// The record of the bundle `name` that packed is `content`.
    pub(super) fn of(
        name: &BundleName,
        source: String,
        confirmed_at: UnixSeconds,
        tag: Option<String>,
        content: &[u8],
    ) -> Self {
        Self {
            version: VERSION,
            bundle: name.to_string(),
            source,
            confirmed_at,
            tag,
            sha256: digest(content),
            deltas: Vec::new(),
        }
    }

    /// The record after the packed `delta` of this `tag`.
    pub(super) fn with(
        &self,
        delta: &[u8],
        tag: Option<String>,
        confirmed_at: UnixSeconds,
    ) -> Self {
        let mut deltas = self.deltas.clone();
        deltas.push(digest(delta));
        Self {
            confirmed_at,
            tag,
            deltas,
            ..self.clone()
        }
    }

    /// Whether `other` names the same packed bundle and deltas.
    pub(super) fn is_of_same(&self, other: &Self) -> bool {
        self.digests().eq(other.digests())
    }

    fn digests(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.sha256).chain(&self.deltas)
    }
}

/// The directory.
#[derive(Debug)]
pub(super) struct Disk {
    directory: PathBuf,
}

impl Disk {
    /// Opens the directory, making it where it is missing (mode 0700).
    pub(super) fn open(directory: &Path) -> Result<Self, DiskError> {
        whole_file::make_directory(directory).map_err(|error| io_error(directory, error))?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// The bundle `name` from `source` as it was last kept; none when none was.
    pub(super) fn load(&self, name: &BundleName, source: &str) -> Result<Option<Kept>, DiskError> {
        let path = self.directory.join(record_name(name));
        let Some(bytes) = read(&path, MAX_RECORD_BYTES)? else {
            return Ok(None);
        };
        let damaged = |reason: String| DiskError::Damaged {
            path: path.clone(),
            reason,
        };
        let value = json::parse(&bytes).map_err(|error| damaged(error.to_string()))?;
        let record: Record =
            serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
        if record.version != VERSION {
            let reason = format!("has version {}, not {VERSION}", record.version);
            return Err(damaged(reason));
        }
        if record.bundle != name.as_str() || record.source != source {
            let reason = format!("was `{}` from {}", record.bundle, record.source);
            return Err(damaged(reason));
        }
        if record.deltas.len() > MAX_DELTAS {
            return Err(damaged(format!("names more than {MAX_DELTAS} deltas")));
        }
        let content = |sha256: &String| {
            let path = self.directory.join(content_name(sha256));
            let content = read(&path, MAX_BUNDLE_BYTES)?;
            let content = content.ok_or_else(|| damaged("its bundle is not there".to_owned()))?;
            if digest(&content) != *sha256 {
                return Err(damaged("checksum of its bundle does not match".to_owned()));
            }
            Ok(content)
        };
        let deltas: Result<_, _> = record.deltas.iter().map(content).collect();
        Ok(Some(Kept {
            content: content(&record.sha256)?,
            deltas: deltas?,
            record,
        }))
    }

    /// Keeps `contents`, what `record` names and is not there yet, and removes what only the record
    /// before it named.
    pub(super) fn save(
        &self,
        name: &BundleName,
        record: &Record,
        contents: &[Vec<u8>],
    ) -> Result<(), DiskError> {
        let former = self.load_record(name);
        let mut written = Vec::new();
        let result = self
            .write(contents, &mut written)
            .and_then(|()| self.confirm(name, record));
        let (gone, kept): (Vec<String>, Option<&Record>) = match &result {
            Ok(()) => {
                let old = former.iter().flat_map(Record::digests).cloned();
                (old.collect(), Some(record))
            }
            // No record names it: the disk is full, and is not to be fuller for it.
            Err(_) => (written, former.as_ref()),
        };
        for digest in gone {
            if kept.is_none_or(|kept| kept.digests().all(|kept| *kept != digest)) {
                // One too many is no harm; the next that is kept does not know of it.
                let _ = fs::remove_file(self.directory.join(content_name(&digest)));
            }
        }
        result
    }

    /// Writes `contents`, and tells the digests of those that are there.
    fn write(&self, contents: &[Vec<u8>], written: &mut Vec<String>) -> Result<(), DiskError> {
        for content in contents {
            let digest = digest(content);
            let file = content_name(&digest);
            let failed = |error| io_error(&self.directory.join(&file), error);
            written.push(digest);
            whole_file::replace(&self.directory, &file, content).map_err(failed)?;
        }
        Ok(())
    }

    /// Replaces the record alone: its bundle is there.
    pub(super) fn confirm(&self, name: &BundleName, record: &Record) -> Result<(), DiskError> {
        let file = record_name(name);
        let failed = |error| io_error(&self.directory.join(&file), error);
        let text = serde_json::to_vec(record).map_err(|error| failed(error.into()))?;
        whole_file::replace(&self.directory, &file, &text).map_err(failed)
    }

    fn load_record(&self, name: &BundleName) -> Option<Record> {
        let bytes = read(&self.directory.join(record_name(name)), MAX_RECORD_BYTES);
        serde_json::from_slice(&bytes.ok()??).ok()
    }
}

/// SHA-256, as hex.
fn digest(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

fn record_name(name: &BundleName) -> String {
    format!("{name}.json")
}

/// A digest that was read back may be any text; only one that is a digest names a file.
fn content_name(sha256: &str) -> String {
    let digits: String = sha256
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(64)
        .collect();
    format!("{digits}.tar.gz")
}

fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, DiskError> {
    whole_file::read(path, limit).map_err(|error| io_error(path, error))
}

fn io_error(path: &Path, error: io::Error) -> DiskError {
    DiskError::Io {
        path: path.to_owned(),
        error,
    }
}

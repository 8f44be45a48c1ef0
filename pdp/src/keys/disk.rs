//! The last known good keys on disk: one file per issuer or trust domain, replaced whole.
//!
//! INVARIANT: a file is only believed when it is complete, undamaged, of this very source and not
//! too old. Anything else is a warning with the file's name, and the source starts empty.
//!
//! What this is not: protection against whoever may write to the directory; it is made readable
//! and writable for its owner only, and must stay so.

use std::path::{Path, PathBuf};

use edgeward_core::json;
use edgeward_core::revocation::hex;
use edgeward_core::time::UnixSeconds;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::KeyOwner;
use crate::whole_file;

const VERSION: u32 = 1;
/// Files beyond this were not written by us: documents are far smaller.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Why a file of keys is not used, or not written.
#[derive(Debug, Error)]
pub enum DiskError {
    /// The operating system said no.
    #[error("key cache `{path}`: {error}")]
    Io {
        /// The file or directory.
        path: String,
        /// What it said.
        error: std::io::Error,
    },
    /// The file is not what was once written.
    #[error("key cache `{path}`: {reason}: it is not used")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A document as it was last fetched.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) confirmed_at: UnixSeconds,
    pub(super) document: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    owner: String,
    /// Where it was fetched from: keys of a source that is no longer configured are not used.
    source: String,
    confirmed_at: UnixSeconds,
    document_sha256: String,
    document: String,
}

/// The directory.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    directory: PathBuf,
}

impl Disk {
    /// Opens the directory, making it where it is missing (mode 0700).
    pub(super) fn open(directory: &Path) -> Result<Self, DiskError> {
        whole_file::make_directory(directory).map_err(|error| io(directory, error))?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// What was last saved for `owner` from `source`; `None` when nothing was.
    pub(super) fn load(&self, owner: &KeyOwner, source: &str) -> Result<Option<Saved>, DiskError> {
        let path = self.path(owner);
        let read = whole_file::read(&path, MAX_FILE_BYTES);
        let Some(bytes) = read.map_err(|error| io(&path, error))? else {
            return Ok(None);
        };
        let damaged = |reason: String| DiskError::Damaged {
            path: path.display().to_string(),
            reason,
        };
        let value = json::parse(&bytes).map_err(|error| damaged(error.to_string()))?;
        let record: Record =
            serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
        if record.version != VERSION {
            return Err(damaged(format!(
                "has version {}, not {VERSION}",
                record.version
            )));
        }
        if record.document_sha256 != checksum(record.document.as_bytes()) {
            return Err(damaged("checksum does not match".to_owned()));
        }
        if record.owner != owner.to_string() || record.source != source {
            return Err(damaged(format!(
                "was fetched for {} from {}",
                record.owner, record.source
            )));
        }
        let document = record.document.into_bytes();
        Ok(Some(Saved {
            confirmed_at: record.confirmed_at,
            document,
        }))
    }

    /// Replaces what is saved for `owner`, whole.
    pub(super) fn save(
        &self,
        owner: &KeyOwner,
        source: &str,
        saved: &Saved,
    ) -> Result<(), DiskError> {
        let path = self.path(owner);
        let failed = |error| io(&path, error);
        let document = String::from_utf8(saved.document.clone())
            .map_err(|error| failed(std::io::Error::other(error)))?;
        let record = Record {
            version: VERSION,
            owner: owner.to_string(),
            source: source.to_owned(),
            confirmed_at: saved.confirmed_at,
            document_sha256: checksum(document.as_bytes()),
            document,
        };
        let text = serde_json::to_vec(&record).map_err(|error| failed(error.into()))?;
        whole_file::replace(&self.directory, Self::name(owner), &text).map_err(failed)
    }

    fn path(&self, owner: &KeyOwner) -> PathBuf {
        self.directory.join(Self::name(owner))
    }

    /// The file of `owner`. Names come from a digest: an issuer may be any text.
    fn name(owner: &KeyOwner) -> String {
        let kind = match owner {
            KeyOwner::Issuer(_) => "issuer",
            KeyOwner::TrustDomain(_) => "trust-domain",
        };
        let digest = checksum(owner.to_string().as_bytes());
        format!("{kind}-{}.json", digest.get(..32).unwrap_or(&digest))
    }
}

fn checksum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn io(path: &Path, error: std::io::Error) -> DiskError {
    DiskError::Io {
        path: path.display().to_string(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn owner() -> KeyOwner {
        KeyOwner::Issuer("https://i.test".parse().unwrap())
    }

    fn saved() -> Saved {
        Saved {
            confirmed_at: UnixSeconds(7),
            document: br#"{"keys":[]}"#.to_vec(),
        }
    }

    #[test]
    fn what_was_saved_is_loaded_for_the_same_source_only() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::open(&directory.path().join("new/keys")).unwrap();
        assert_eq!(disk.load(&owner(), "a").unwrap(), None);
        disk.save(&owner(), "a", &saved()).unwrap();
        assert_eq!(disk.load(&owner(), "a").unwrap(), Some(saved()));
        assert!(disk.load(&owner(), "b").is_err());
        let other = KeyOwner::Issuer("https://j.test".parse().unwrap());
        assert_eq!(disk.load(&other, "a").unwrap(), None);
        fs::copy(disk.path(&owner()), disk.path(&other)).unwrap();
        assert!(disk.load(&other, "a").is_err());
    }

    #[test]
    fn a_damaged_file_is_named_and_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::open(directory.path()).unwrap();
        disk.save(&owner(), "a", &saved()).unwrap();
        let path = disk.path(&owner());
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut damaged = good.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            let loaded = disk.load(&owner(), "a");
            // A flipped digit of the time is the one change that the checksum does not see.
            let harmless =
                matches!(&loaded, Ok(Some(saved)) if saved.document == br#"{"keys":[]}"#);
            let named = matches!(&loaded, Err(error) if error.to_string().contains("issuer-"));
            assert!(harmless || named, "byte {at}: {loaded:?}");
            fs::write(&path, &good[..at]).unwrap();
            assert!(disk.load(&owner(), "a").is_err(), "cut at {at}");
        }
    }
}

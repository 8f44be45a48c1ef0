//! The country of an address, from a database in `MaxMind`'s format: held in memory, checked before
//! it is used, and read again when its file changes. A file that does not hold leaves the last one in
//! force.

use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use maxminddb::{MaxMindDbError, PathElement, Reader};
use thiserror::Error;
use tokio::sync::watch;

use super::digest;

/// The longest database read, in bytes.
pub const MAX_DATABASE_BYTES: u64 = 256 * 1024 * 1024;
/// How often its file is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Why a file is no database of countries.
#[derive(Debug, Error)]
pub enum CountryError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is too long.
    #[error("{}: is longer than {MAX_DATABASE_BYTES} bytes: use a database of countries alone", .0.display())]
    Long(PathBuf),
    /// It is none, or damaged.
    #[error("{}: is no sound MaxMind database: {source}: fetch it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: MaxMindDbError,
    },
}

/// A database in memory.
#[derive(Debug)]
pub(super) struct Database {
    reader: Reader<Vec<u8>>,
    /// Names its content.
    pub(super) digest: String,
}

/// The database in force.
#[derive(Debug)]
pub(super) struct Countries {
    path: PathBuf,
    opened: Option<Stamp>,
    current: ArcSwap<Database>,
    revision: watch::Sender<u64>,
}

/// What tells that a file was replaced or written.
type Stamp = (Option<SystemTime>, u64, u64);

impl Database {
    fn read(path: &Path) -> Result<Self, CountryError> {
        let unreadable = |source| CountryError::Read {
            path: path.to_owned(),
            source,
        };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(MAX_DATABASE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > MAX_DATABASE_BYTES {
            return Err(CountryError::Long(path.to_owned()));
        }
        let digest = digest(&bytes);
        let damaged = |source| CountryError::Damaged {
            path: path.to_owned(),
            source,
        };
        let reader = Reader::from_source(bytes).map_err(damaged)?;
        reader.verify().map_err(damaged)?;
        Ok(Self { reader, digest })
    }

    /// The ISO code of the country of `address`, if it is known.
    pub(super) fn of(&self, address: IpAddr) -> Option<String> {
        let found = self.reader.lookup(address.to_canonical()).ok()?;
        let path = [PathElement::Key("country"), PathElement::Key("iso_code")];
        found.decode_path(&path).ok()?
    }
}

impl Countries {
    pub(super) fn open(path: &Path) -> Result<Self, CountryError> {
        // Looked at before it is read: a change in between is then noticed.
        let opened = stamp(path);
        Ok(Self {
            current: ArcSwap::from_pointee(Database::read(path)?),
            path: path.to_owned(),
            opened,
            revision: watch::Sender::new(0),
        })
    }

    pub(super) fn current(&self) -> Arc<Database> {
        self.current.load_full()
    }

    /// Counts the databases that came into force.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// Reads the file again whenever it changes, for ever.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut seen = self.opened;
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let found = stamp(&self.path);
            if found == seen {
                continue;
            }
            seen = found;
            let countries = Arc::clone(&self);
            // On a thread that may wait for the disk.
            let _ = tokio::task::spawn_blocking(move || countries.reload()).await;
        }
    }

    /// Reads the file and puts it in force, or says why not.
    pub(super) fn reload(&self) {
        match Database::read(&self.path) {
            Ok(new) if new.digest == self.current.load().digest => {}
            Ok(new) => {
                tracing::info!(digest = new.digest, "country database reloaded");
                self.current.store(Arc::new(new));
                self.revision.send_modify(|revision| *revision += 1);
            }
            Err(error) => {
                tracing::error!(%error, "new country database refused, the old one stays in force");
            }
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok(), metadata.len(), metadata.ino()))
}

#[cfg(test)]
#[path = "country_tests.rs"]
pub(super) mod tests;

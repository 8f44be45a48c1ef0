//! The directory of one PDP's signing keys: nobody else's, and one file that is replaced whole.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::whole_file;

pub(super) const FILE: &str = "signing-keys";
const LOCK: &str = "lock";
/// What `whole_file::replace` writes aside begins with this.
const ASIDE: &[u8] = b".tmp";
/// Files beyond this were not written by us.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// Of the mode: what others than the owner may do.
const OTHERS: u32 = 0o077;

/// Why a directory is not used.
#[derive(Debug, Error)]
pub enum DirectoryError {
    /// The operating system said no.
    #[error("signing keys `{}`: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// Others may enter it.
    #[error(
        "signing keys `{}`: is open to others than its owner: run `chmod 700 {}`",
        path.display(), path.display()
    )]
    Shared {
        /// The directory.
        path: PathBuf,
    },
    /// It is another process's.
    #[error(
        "signing keys `{}`: is in use by another PDP: give each a directory of its own, and have \
         verifiers fetch the keys of all",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
}

/// The directory, locked for as long as this is there.
#[derive(Debug)]
pub(super) struct Disk {
    directory: PathBuf,
    _lock: File,
}

impl Disk {
    /// Opens the directory, making it where it is missing (mode 0700).
    pub(super) fn open(directory: &Path) -> Result<Self, DirectoryError> {
        let failed = |error| failed(directory, error);
        whole_file::make_directory(directory).map_err(failed)?;
        let mode = fs::metadata(directory)
            .map_err(failed)?
            .permissions()
            .mode();
        if mode & OTHERS != 0 {
            return Err(DirectoryError::Shared {
                path: directory.to_owned(),
            });
        }
        let disk = Self {
            _lock: lock(directory)?,
            directory: directory.to_owned(),
        };
        disk.sweep().map_err(failed)?;
        Ok(disk)
    }

    /// The path of the file.
    pub(super) fn path(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    /// What is in the file; none where there is no file.
    pub(super) fn read(&self) -> Result<Option<Vec<u8>>, DirectoryError> {
        whole_file::read(&self.path(), MAX_FILE_BYTES).map_err(|error| failed(&self.path(), error))
    }

    /// Replaces the file: after an error, or when the process dies, there is the old or the new one.
    pub(super) fn write(&self, content: &[u8]) -> Result<(), DirectoryError> {
        whole_file::replace(&self.directory, FILE, content)
            .map_err(|error| failed(&self.path(), error))
    }

    /// Removes what a process that died has left of its last write.
    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let is_aside = |name: &OsStr| name.as_bytes().starts_with(ASIDE);
            if is_aside(&entry.file_name()) && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Two PDPs would retire each other's keys.
fn lock(directory: &Path) -> Result<File, DirectoryError> {
    let path = directory.join(LOCK);
    let mut options = OpenOptions::new();
    let file = options
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path);
    let file = file.map_err(|error| failed(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DirectoryError::InUse {
            path: directory.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(failed(&path, error)),
    }
}

fn failed(path: &Path, error: io::Error) -> DirectoryError {
    DirectoryError::Io {
        path: path.to_owned(),
        error,
    }
}

//! The file of revocations: lines (`super::line`) that are appended and flushed.
//!
//! INVARIANT: [`Journal::append`] returns `Ok` only when the line is on the disk, in the file that
//! the next start reads. A last line that is torn was never acknowledged and is cut off; damage
//! anywhere else is an error, since a revocation may be lost with it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::line::{Found, HEADER, Line, line_of, replay};
use crate::whole_file;

const FILE: &str = "revocations.journal";
const LOCK: &str = "lock";
/// Files beyond this were not written by us.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Why revocations cannot be read or kept.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The operating system said no.
    #[error("`{path}`: {error}")]
    Io {
        /// The file or folder.
        path: String,
        /// What it said.
        error: io::Error,
    },
    /// The folder is another process's.
    #[error("`{path}` is in use by another PDP: give each its own `revocations.directory`")]
    InUse {
        /// The folder.
        path: String,
    },
    /// The file is not what was once written.
    #[error(
        "`{path}`, line {line}: {reason}: a revocation may be lost, so nothing is served; restore \
         the file, or remove it and revoke anew"
    )]
    Damaged {
        /// The file.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// The file, open at its end.
#[derive(Debug)]
pub(super) struct Journal {
    directory: PathBuf,
    file: File,
    /// How much of the file is acknowledged.
    length: u64,
    lines: usize,
    /// A line may be half written: the next one goes into a new file.
    broken: bool,
    _lock: File,
}

impl Journal {
    /// Opens the file in `directory`, making both where they are missing.
    pub(super) fn open(directory: &Path) -> Result<(Self, Found), JournalError> {
        let failed = |error| failed(directory, error);
        whole_file::make_directory(directory).map_err(failed)?;
        let lock = lock(directory)?;
        let path = directory.join(FILE);
        let (found, lines, length) = match read(&path)? {
            None => {
                write_new(directory, &[])?;
                (Found::new(), 0, HEADER.len())
            }
            Some(bytes) => replay(&path, &bytes)?,
        };
        let file = open(&path)?;
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let end = file.metadata().map_err(failed)?.len();
        if end > length {
            let torn = end - length;
            tracing::warn!(file = %path.display(), torn, "a torn last line was cut off");
            cut(&file, length).map_err(failed)?;
        }
        let journal = Self {
            directory: directory.to_owned(),
            file,
            length,
            lines,
            broken: false,
            _lock: lock,
        };
        Ok((journal, found))
    }

    /// How many lines the file has beside its first.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// Adds a line. `Ok` means that it is on the disk; after an error it does not count, and `in_force`
    /// (what was so before) is written anew with the next line.
    pub(super) fn append(&mut self, line: &Line<'_>, in_force: &Found) -> Result<(), JournalError> {
        if self.broken || !self.is_in_place() {
            self.rewrite(in_force)?;
        }
        let text = line_of(line);
        let written = self
            .file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What is left of the line is cut, or, where that fails too, left behind with the file.
            self.broken = true;
            let _ = cut(&self.file, self.length);
            return Err(failed(&self.directory.join(FILE), error));
        }
        self.length = self.length.saturating_add(text.len() as u64);
        self.lines = self.lines.saturating_add(1);
        Ok(())
    }

    /// Writes a file of `in_force` alone in place of this one: aside, flushed, renamed.
    pub(super) fn rewrite(&mut self, in_force: &Found) -> Result<(), JournalError> {
        let lines: Vec<String> = in_force
            .values()
            .map(|it| line_of(&Line::Revoke(it)))
            .collect();
        self.broken = true;
        self.length = write_new(&self.directory, &lines)?;
        self.file = open(&self.directory.join(FILE))?;
        self.lines = lines.len();
        self.broken = false;
        Ok(())
    }

    /// Whether the open file is still the one that the next start would read.
    fn is_in_place(&self) -> bool {
        let named = fs::metadata(self.directory.join(FILE));
        match (named, self.file.metadata()) {
            (Ok(named), Ok(open)) => {
                (named.dev(), named.ino(), named.len()) == (open.dev(), open.ino(), self.length)
            }
            _ => false,
        }
    }
}

/// Whether a start would find the file in `directory` sound. It changes nothing, and is in no running
/// PDP's way: a last line that it is still writing is none yet.
pub fn check(directory: &Path) -> Result<(), JournalError> {
    let path = directory.join(FILE);
    match read(&path)? {
        Some(bytes) => replay(&path, &bytes).map(|_| ()),
        None => Ok(()),
    }
}

/// Two writers would tear each other's lines.
fn lock(directory: &Path) -> Result<File, JournalError> {
    let path = directory.join(LOCK);
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| failed(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse {
            path: directory.display().to_string(),
        }),
        Err(TryLockError::Error(error)) => Err(failed(&path, error)),
    }
}

fn open(path: &Path) -> Result<File, JournalError> {
    let file = OpenOptions::new().append(true).open(path);
    file.map_err(|error| failed(path, error))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, JournalError> {
    whole_file::read(path, MAX_FILE_BYTES).map_err(|error| failed(path, error))
}

fn write_new(directory: &Path, lines: &[String]) -> Result<u64, JournalError> {
    let path = directory.join(FILE);
    let failed = |error| failed(&path, error);
    let text = format!("{HEADER}{}", lines.concat());
    whole_file::replace(directory, FILE, text.as_bytes()).map_err(failed)?;
    Ok(text.len() as u64)
}

fn cut(file: &File, length: u64) -> io::Result<()> {
    file.set_len(length)?;
    file.sync_all()
}

fn failed(path: &Path, error: io::Error) -> JournalError {
    JournalError::Io {
        path: path.display().to_string(),
        error,
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;

//! Evidence that counted already, where it may count once only; it outlives a restart.
//!
//! INVARIANT: [`Used::take`] says yes once for each id, and only when that is on the disk. What cannot be
//! written did not count, and is refused. A last line that is torn was never acknowledged; damage
//! anywhere else is an error, since a use may be lost with it.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use edgeward_core::jose::{decode_base64url, encode_base64url};
use edgeward_core::time::UnixSeconds;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::attestation::Once;
use crate::whole_file;

const FILE: &str = "evidence-used";
/// The most that is remembered; some 10 MB on disk.
const MAX_USED: usize = 200_000;
/// Lines beyond those in force at which the file is written anew.
const SPARE_LINES: usize = 10_000;

/// Why evidence does not count.
#[derive(Debug, Error)]
pub enum UsedError {
    /// It counted already.
    #[error("this evidence was used already")]
    Replayed,
    /// Nothing more can be remembered.
    #[error("too much evidence that counts once: none is taken until some has expired")]
    Full,
    /// It cannot be kept.
    #[error("uses of evidence cannot be kept: {0}")]
    Disk(io::Error),
}

impl UsedError {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Replayed => "evidence-replayed",
            Self::Full | Self::Disk(_) => "token-service-unavailable",
        }
    }
}

/// Why uses of evidence cannot be read.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The operating system said no.
    #[error("`{path}`: {error}")]
    Io {
        /// The file.
        path: String,
        /// What it said.
        error: io::Error,
    },
    /// The file is not what was once written.
    #[error(
        "`{path}`, line {line}: damaged: restore the file, or remove it where all evidence may count again"
    )]
    Damaged {
        /// The file.
        path: String,
        /// The line, counted from 1.
        line: usize,
    },
}

/// What counted.
#[derive(Debug)]
pub(super) struct Used {
    directory: PathBuf,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    file: File,
    lines: usize,
    /// By the digest of the id; until when it is remembered, none for ever.
    used: HashMap<[u8; 32], Option<UnixSeconds>>,
}

impl Used {
    /// Reads what counted before. The folder is this PDP's alone (the signing keys' lock).
    pub(super) fn open(directory: &Path, now: UnixSeconds) -> Result<Self, OpenError> {
        let path = directory.join(FILE);
        let failed = |error| OpenError::Io {
            path: path.display().to_string(),
            error,
        };
        let content = whole_file::read(&path, u64::MAX).map_err(failed)?;
        let mut used = read(&content.unwrap_or_default()).map_err(|line| OpenError::Damaged {
            path: path.display().to_string(),
            line,
        })?;
        used.retain(|_, until| until.is_none_or(|until| now < until));
        let file = rewrite(directory, &used).map_err(failed)?;
        let lines = used.len();
        Ok(Self {
            directory: directory.to_owned(),
            held: Mutex::new(Held { file, lines, used }),
        })
    }

    /// Has it count, unless it did already.
    pub(super) fn take(&self, once: &Once, now: UnixSeconds) -> Result<(), UsedError> {
        let id: [u8; 32] = Sha256::digest(&once.id).into();
        let held = &mut *self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.used.contains_key(&id) {
            return Err(UsedError::Replayed);
        }
        if held.used.len() >= MAX_USED || held.lines > held.used.len() + SPARE_LINES {
            held.used
                .retain(|_, until| until.is_none_or(|until| now < until));
            held.file = rewrite(&self.directory, &held.used).map_err(UsedError::Disk)?;
            held.lines = held.used.len();
        }
        if held.used.len() >= MAX_USED {
            return Err(UsedError::Full);
        }
        // Remembered before it is written: after a failed write it may be on the disk all the same.
        held.used.insert(id, once.until);
        held.lines += 1;
        let line = line(&id, once.until);
        let written = held.file.write_all(line.as_bytes());
        written
            .and_then(|()| held.file.sync_data())
            .map_err(UsedError::Disk)
    }
}

fn line(id: &[u8; 32], until: Option<UnixSeconds>) -> String {
    let until = until.map_or("-".to_owned(), |until| until.0.to_string());
    format!("{} {until}\n", encode_base64url(id))
}

/// The lines of a file; the number of the first that is damaged.
fn read(content: &[u8]) -> Result<HashMap<[u8; 32], Option<UnixSeconds>>, usize> {
    let mut used = HashMap::new();
    for (index, line) in content.split_inclusive(|byte| *byte == b'\n').enumerate() {
        // Only the last one can be torn.
        let Some(line) = line.strip_suffix(b"\n") else {
            break;
        };
        let (id, until) = entry(line).ok_or(index + 1)?;
        used.insert(id, until);
    }
    Ok(used)
}

fn entry(line: &[u8]) -> Option<([u8; 32], Option<UnixSeconds>)> {
    let (id, until) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let id = decode_base64url(id).ok()?.try_into().ok()?;
    let until = match until {
        "-" => None,
        until => Some(UnixSeconds(until.parse().ok()?)),
    };
    Some((id, until))
}

fn rewrite(directory: &Path, used: &HashMap<[u8; 32], Option<UnixSeconds>>) -> io::Result<File> {
    let lines: String = used.iter().map(|(id, until)| line(id, *until)).collect();
    whole_file::replace(directory, FILE, lines.as_bytes())?;
    OpenOptions::new().append(true).open(directory.join(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1000);

    fn once(id: &str, until: Option<u64>) -> Once {
        Once {
            id: id.to_owned(),
            until: until.map(UnixSeconds),
        }
    }

    fn replayed(used: &Used, id: &str) -> bool {
        matches!(used.take(&once(id, None), NOW), Err(UsedError::Replayed))
    }

    #[test]
    fn evidence_counts_once_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let used = Used::open(folder.path(), NOW).unwrap();
        used.take(&once("ever", None), NOW).unwrap();
        used.take(&once("hour", Some(4600)), NOW).unwrap();
        used.take(&once("minute", Some(1060)), NOW).unwrap();
        assert!(replayed(&used, "ever") && replayed(&used, "hour"));
        drop(used);
        let used = Used::open(folder.path(), UnixSeconds(1060)).unwrap();
        assert!(replayed(&used, "ever") && replayed(&used, "hour"));
        // Over and forgotten: what it stood for is refused for its age.
        used.take(&once("minute", Some(1120)), UnixSeconds(1060))
            .unwrap();
    }

    #[test]
    fn of_two_who_show_it_at_once_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let used = Used::open(folder.path(), NOW).unwrap();
        let taken = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| used.take(&once("a", None), NOW).is_ok()))
                .collect();
            let taken = threads.into_iter().filter_map(|thread| thread.join().ok());
            taken.filter(|taken| *taken).count()
        });
        assert_eq!(taken, 1);
    }

    #[test]
    fn a_torn_end_is_cut_off_and_damage_before_it_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let used = Used::open(folder.path(), NOW).unwrap();
        used.take(&once("a", None), NOW).unwrap();
        used.take(&once("b", None), NOW).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..whole.len() / 2 {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let used = Used::open(folder.path(), NOW).unwrap();
            assert!(replayed(&used, "a"), "{cut}");
            used.take(&once("b", None), NOW).unwrap();
        }
        let mut damaged = whole.clone();
        damaged[0] = b'!';
        std::fs::write(&path, &damaged).unwrap();
        let error = Used::open(folder.path(), NOW).unwrap_err();
        assert!(
            matches!(error, OpenError::Damaged { line: 1, .. }),
            "{error}"
        );
        assert_eq!(
            std::fs::read(&path).unwrap(),
            damaged,
            "nothing is overwritten"
        );
    }
}

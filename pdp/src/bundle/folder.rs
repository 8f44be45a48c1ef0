//! A policy bundle that lies unpacked in a folder of this machine, as `opa build` would pack it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::archive::{self, ArchiveError, Files, MAX_UNPACKED};

/// Folders below the bundle's folder.
const MAX_DEPTH: usize = 32;

/// Why a folder cannot be read as a bundle.
#[derive(Debug, Error)]
pub enum FolderError {
    /// The operating system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// More than a bundle may have.
    #[error(transparent)]
    TooMuch(#[from] ArchiveError),
}

/// Reads every file below `folder`. Of names that begin with a dot only a bundle's own are taken: the
/// others are what editors and mounts leave.
pub(super) fn read(folder: &Path) -> Result<Files, FolderError> {
    let mut files = Files::new();
    let mut total = 0;
    let mut open = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((at, place, depth)) = open.pop() {
        let failed = |source| FolderError::Io {
            path: at.clone(),
            source,
        };
        for entry in fs::read_dir(&at).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let failed = |source| FolderError::Io {
                path: path.clone(),
                source,
            };
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| failed(io::Error::other("the name is not UTF-8")))?;
            if name.starts_with('.') && !matches!(name, ".manifest" | ".signatures.json") {
                continue;
            }
            let place = format!("{place}{name}");
            // Follows links: a mounted ConfigMap is nothing but links.
            let found = fs::metadata(&path).map_err(failed)?;
            if found.is_dir() {
                if depth >= MAX_DEPTH {
                    return Err(failed(io::Error::other("lies too deep")));
                }
                open.push((path, place + "/", depth + 1));
                continue;
            }
            total += found.len();
            if total > MAX_UNPACKED {
                let what = format!("holds more than {MAX_UNPACKED} bytes");
                return Err(ArchiveError::TooMuch(what).into());
            }
            archive::add(&mut files, place, fs::read(&path).map_err(failed)?)?;
        }
    }
    Ok(files)
}

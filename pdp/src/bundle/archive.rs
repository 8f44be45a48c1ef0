//! A gzip-compressed tar archive to its files, trusting nothing: what is too much, out of place or cut
//! short is refused before anything in it is parsed.
//!
//! Nothing is ever written to a disk, and only plain files are taken: a link or a device in an archive
//! is refused by name. What this is not: a reader of policies.

use std::collections::BTreeMap;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};
use thiserror::Error;

/// Files of a bundle by their paths: names with `/` between two, none of them empty, `.` or `..`.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Files one bundle may have.
pub(super) const MAX_FILES: usize = 4096;
/// Bytes all files of one bundle may have together, unpacked.
pub(super) const MAX_UNPACKED: u64 = 256 * 1024 * 1024;
/// How many times its packed size an archive may have unpacked…
const MAX_RATIO: u64 = 200;
/// …beyond this size: small texts pack better than that.
const RATIO_FROM: u64 = 16 * 1024 * 1024;
/// Bytes one path may have.
const MAX_PATH: usize = 512;

/// Why bytes are no bundle.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// Not gzip, not tar, or cut short.
    #[error("is not a complete gzip-compressed tar archive: {0}")]
    Broken(io::Error),
    /// More than a bundle may have.
    #[error("{0}")]
    TooMuch(String),
    /// A path that is none, or leads out of the archive.
    #[error("holds `{0}`, which is no path within the archive")]
    Path(String),
    /// A link, device or the like.
    #[error("holds `{0}`, which is neither a file nor a folder")]
    Kind(String),
    /// One path twice.
    #[error("holds `{0}` twice")]
    Twice(String),
}

/// Unpacks `bytes`.
pub(super) fn unpack(bytes: &[u8]) -> Result<Files, ArchiveError> {
    let packed = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let limit = packed.saturating_mul(MAX_RATIO).max(RATIO_FROM);
    let unpacked = MultiGzDecoder::new(bytes);
    let mut archive = Archive::new(Limited {
        inner: unpacked,
        left: limit.min(MAX_UNPACKED),
    });
    let mut files = Files::new();
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = path_of(&entry.path_bytes())?;
        match entry.header().entry_type() {
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            EntryType::Regular | EntryType::Continuous => {}
            _ => return Err(ArchiveError::Kind(path)),
        }
        if path.is_empty() {
            return Err(ArchiveError::Path(path));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        // What is shorter than its header says was cut.
        if u64::try_from(content.len()).ok() != Some(entry.size()) {
            return Err(broken(io::ErrorKind::UnexpectedEof.into()));
        }
        add(&mut files, path, content)?;
    }
    // To the end, where gzip has its checksum.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(broken)?;
    Ok(files)
}

/// Adds a file, unless there is one or there are enough.
pub(super) fn add(files: &mut Files, path: String, content: Vec<u8>) -> Result<(), ArchiveError> {
    if files.len() >= MAX_FILES {
        let what = format!("holds more than {MAX_FILES} files");
        return Err(ArchiveError::TooMuch(what));
    }
    if files.contains_key(&path) {
        return Err(ArchiveError::Twice(path));
    }
    files.insert(path, content);
    Ok(())
}

/// A path as bundles have them: without `./` or `/` in front, which tar and OPA write. Empty for the
/// folder that holds all.
fn path_of(bytes: &[u8]) -> Result<String, ArchiveError> {
    let shown = || String::from_utf8_lossy(bytes.get(..MAX_PATH).unwrap_or(bytes)).into_owned();
    let refused = || ArchiveError::Path(shown());
    let text = std::str::from_utf8(bytes).map_err(|_| refused())?;
    if text.len() > MAX_PATH || text.chars().any(|c| c == '\\' || c.is_control()) {
        return Err(refused());
    }
    let is_here = |rest: &&str| rest.is_empty() || rest.starts_with('/');
    let below = text.strip_prefix('.').filter(is_here).unwrap_or(text);
    let text = below.trim_matches('/');
    let is_name = |name: &str| !name.is_empty() && name != "." && name != "..";
    if text.is_empty() || text.split('/').all(is_name) {
        Ok(text.to_owned())
    } else {
        Err(refused())
    }
}

fn broken(error: io::Error) -> ArchiveError {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Enough(limit)) => ArchiveError::TooMuch(format!("unpacks to more than {limit} bytes")),
        None => ArchiveError::Broken(error),
    }
}

/// The limit was met.
#[derive(Debug, Error)]
#[error("more than {0} bytes")]
struct Enough(u64);

/// A reader that fails once it has given all it may, so that nothing is ever allocated beyond.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let size = u64::try_from(read).unwrap_or(u64::MAX);
        match self.left.checked_sub(size) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => Err(io::Error::other(Enough(MAX_UNPACKED))),
        }
    }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;

//! Files that are replaced whole: after a crash, or on a full disk, there is the old one or the new one,
//! never a part.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// Makes a directory that only its owner may enter, unless it is there.
pub(crate) fn make_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory)
}

/// The first `limit` bytes of the file at `path`; none where there is no file.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened?
            .take(limit)
            .read_to_end(&mut bytes)
            .map(|_| Some(bytes)),
    }
}

/// Replaces the file `name` of `directory`: written aside, flushed, renamed.
pub(crate) fn replace(directory: &Path, name: impl AsRef<Path>, content: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(directory.join(name))
        .map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

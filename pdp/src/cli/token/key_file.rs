//! Private keys of development: PEM files that only their owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use edgeward_core::jose::{Algorithm, encode_base64url};
use sha2::{Digest as _, Sha256};

use super::Failure;
use crate::crypto::Signer;

/// Holds the key directory until dropped, so that two runs do not both make a key.
pub(super) fn lock(directory: &Path) -> Result<File, Failure> {
    let cannot = |error| Failure::new(format!("{}: cannot be used: {error}", directory.display()));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(cannot)?;
    let lock = File::create(directory.join(".lock")).map_err(cannot)?;
    lock.lock().map_err(cannot)?;
    Ok(lock)
}

/// The key of `name` for `algorithm`; made and stored where there is none yet.
pub(super) fn load_or_create(
    directory: &Path,
    name: &str,
    algorithm: Algorithm,
) -> Result<Signer, Failure> {
    let path = directory.join(file_name(name, algorithm));
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", path.display()));
    match fs::read(&path) {
        Ok(pem) => {
            refuse_shared(&path)?;
            Signer::from_pkcs8(&pem, Some(algorithm)).map_err(|error| failed(&error))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let signer = Signer::generate(algorithm).map_err(|error| failed(&error))?;
            let pem = signer.to_pkcs8_pem().map_err(|error| failed(&error))?;
            store(&path, pem.as_bytes()).map_err(|error| failed(&error))?;
            Ok(signer)
        }
        Err(error) => Err(failed(&error)),
    }
}

fn store(path: &Path, pem: &[u8]) -> std::io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(pem)
}

/// A private key that others can read is no proof of anything.
fn refuse_shared(path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", path.display()));
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if (mode & 0o777) | 0o700 == 0o700 {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::new(format!(
        "{path}: is readable for others: run `chmod 600 {path}`"
    )))
}

/// Readable and one-to-one: what cannot stand in a file name is replaced, and a digest tells apart
/// what that made equal.
fn file_name(name: &str, algorithm: Algorithm) -> PathBuf {
    let allowed = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' || c == '-' {
            c
        } else {
            '_'
        }
    };
    let readable: String = name.chars().map(allowed).take(80).collect();
    let digest = Sha256::digest(name);
    let digest = encode_base64url(digest.get(..6).unwrap_or_default());
    format!("{readable}-{digest}-{algorithm}.pem").into()
}

//! The public keys that bundles are signed with: a JWK Set in a file, or PEM files, one for each key id.
//!
//! Files are read at every check, so that a new key is one written file away.

use std::fs;
use std::path::{Path, PathBuf};

use edgeward_core::jose::Algorithm;
use edgeward_core::json::{self, JsonError};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::crypto::{PemKeyError, jwk_of_pem};

/// Bytes one file of keys may have.
const MAX_BYTES: u64 = 1024 * 1024;

/// Where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BundleKeys {
    /// A JWK Set.
    Jwks(PathBuf),
    /// PEM files.
    Pem(Vec<PemKey>),
}

/// One key in a PEM file: a public key or a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PemKey {
    /// The `kid` of the signatures made with it.
    pub id: String,
    /// The one algorithm of those signatures.
    pub algorithm: Algorithm,
    /// The file.
    pub file: PathBuf,
}

/// Why there are no keys.
#[derive(Debug, Error)]
pub enum KeysError {
    /// The operating system said no.
    #[error("`{}`: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: std::io::Error,
    },
    /// Not JSON.
    #[error("`{}`: {error}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: JsonError,
    },
    /// Not a key in PEM.
    #[error("`{}`: {error}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: PemKeyError,
    },
}

impl BundleKeys {
    /// The keys as a JWK Set.
    pub fn read(&self) -> Result<Map<String, Value>, KeysError> {
        match self {
            Self::Jwks(path) => {
                let path = path.clone();
                let bytes = read(&path)?;
                json::parse_object(&bytes).map_err(|error| KeysError::Json { path, error })
            }
            Self::Pem(keys) => {
                let keys: Result<Vec<Value>, KeysError> = keys.iter().map(PemKey::read).collect();
                Ok(Map::from_iter([("keys".to_owned(), keys?.into())]))
            }
        }
    }
}

impl PemKey {
    fn read(&self) -> Result<Value, KeysError> {
        let path = self.file.clone();
        let bytes = read(&path)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut jwk = jwk_of_pem(&text).map_err(|error| KeysError::Pem { path, error })?;
        jwk.insert("kid".to_owned(), self.id.clone().into());
        jwk.insert("alg".to_owned(), self.algorithm.as_str().into());
        Ok(jwk.into())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeysError> {
    let failed = |error| KeysError::Io {
        path: path.to_owned(),
        error,
    };
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > MAX_BYTES {
        return Err(failed(std::io::ErrorKind::FileTooLarge.into()));
    }
    fs::read(path).map_err(failed)
}

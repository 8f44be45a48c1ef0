//! A bundle's `.signatures.json`: one JWS whose payload lists every file with its digest.
//!
//! A signature is taken only whole: of an algorithm and key that were configured, for the scope that was
//! configured, over exactly the files that are there. Symmetric algorithms, MD5 and SHA-1 are not known
//! here. A bundle with a signature that nobody can check is refused, as is one without where a key is
//! configured.

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use edgeward_core::jose::{
    CompactJws, JwsError, KeySelectionError, KeySet, KeySetError, KeyUse, SignatureCheck as _,
};
use edgeward_core::json::{self, JsonError};
use edgeward_core::revocation::hex;
use serde::Deserialize;
use thiserror::Error;

use super::archive::Files;
use super::hashed::{self, HashError};
use super::keys::{BundleKeys, KeysError};
use crate::crypto::AwsLc;

/// The file's name.
pub(super) const SIGNATURES: &str = ".signatures.json";
/// Bytes of it: a thousand files take a fifth of this.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Whom a bundle must be signed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The keys.
    pub keys: BundleKeys,
    /// The id of the one key that counts, whatever the signature says; none for the one it names.
    pub key_id: Option<String>,
    /// What the signature must be for, to the letter; none for a signature without scope.
    pub scope: Option<String>,
}

/// Why a bundle's signature does not count.
#[derive(Debug, Error)]
pub enum SignatureError {
    /// There is none.
    #[error("is not signed: sign it (`opa sign`), or say `unsigned: true` where that is meant")]
    Missing,
    /// There is one, and no key to check it by.
    #[error("is signed, and no key is configured to check that: set `signature`")]
    NoKeys,
    /// The keys cannot be had.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The keys are no key set.
    #[error("`signature`: {0}")]
    KeySet(#[from] KeySetError),
    /// The file is not what it must be.
    #[error("{SIGNATURES}: {0}")]
    Shape(String),
    /// No compact JWS.
    #[error("{SIGNATURES}: {0}")]
    Jws(#[from] JwsError),
    /// No key for it.
    #[error("signature by key `{key_id}`: {error}")]
    Selection {
        /// The key's id as far as there is one.
        key_id: String,
        /// Why none.
        error: KeySelectionError,
    },
    /// It does not verify.
    #[error("signature does not verify: the bundle is not from whom it says, or was changed")]
    Wrong,
    /// Made for something else.
    #[error("signature is for scope `{found}`, not `{wanted}`")]
    Scope {
        /// What it says; empty for none.
        found: String,
        /// What is configured; empty for none.
        wanted: String,
    },
    /// A digest that can be forged, or that nobody knows.
    #[error(
        "signature: digests of `{file}` are made with `{algorithm}`: sign with SHA-256 or stronger"
    )]
    Algorithm {
        /// The file.
        file: String,
        /// The name given.
        algorithm: String,
    },
    /// A file whose digest cannot be made.
    #[error("{file}: {error}")]
    Hash {
        /// The file.
        file: String,
        /// Why.
        error: HashError,
    },
    /// A file that is not what was signed.
    #[error("`{0}` is not what was signed")]
    Changed(String),
    /// A file that nobody signed.
    #[error("`{0}` is in the bundle and not among the files that were signed")]
    Added(String),
    /// A file that was taken away.
    #[error("`{0}` was signed and is not in the bundle")]
    Removed(String),
    /// A file listed twice.
    #[error("signature: lists `{0}` twice")]
    Twice(String),
}

impl From<JsonError> for SignatureError {
    fn from(error: JsonError) -> Self {
        Self::Shape(error.to_string())
    }
}

#[derive(Deserialize)]
struct Document {
    signatures: Vec<String>,
}

#[derive(Deserialize)]
struct Payload {
    files: Vec<Listed>,
    #[serde(default)]
    scope: String,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    hash: String,
    algorithm: String,
}

/// Checks that `files` are signed as `trust` wants; without trust, that nobody signed them. The
/// signature is no file of the bundle any more then.
pub(super) fn check(files: &mut Files, trust: Option<&Trust>) -> Result<(), SignatureError> {
    match (files.remove(SIGNATURES), trust) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(SignatureError::Missing),
        (Some(_), None) => Err(SignatureError::NoKeys),
        (Some(document), Some(trust)) => {
            let payload = verified(&document, trust)?;
            check_files(files, payload.files)
        }
    }
}

fn verified(document: &[u8], trust: &Trust) -> Result<Payload, SignatureError> {
    let shape = |error: serde_json::Error| SignatureError::Shape(error.to_string());
    if document.len() > MAX_BYTES {
        let what = format!("is larger than {MAX_BYTES} bytes");
        return Err(SignatureError::Shape(what));
    }
    let Document { signatures } = serde_json::from_value(json::parse(document)?).map_err(shape)?;
    let [signature] = signatures.as_slice() else {
        let what = format!("has {} signatures: there must be one", signatures.len());
        return Err(SignatureError::Shape(what));
    };
    let jws = CompactJws::parse_of_any_length(signature)?;
    let keys = KeySet::from_members(&trust.keys.read()?, KeyUse::Signature)?;
    // As in OPA, what is configured goes before what the signature says.
    let key_id = trust.key_id.as_deref().or(jws.key_id.as_deref());
    let key = keys.select(key_id, jws.algorithm);
    let key = key.map_err(|error| SignatureError::Selection {
        key_id: key_id.unwrap_or_default().to_owned(),
        error,
    })?;
    AwsLc
        .check(jws.algorithm, key, jws.signed, &jws.signature)
        .map_err(|_| SignatureError::Wrong)?;
    let payload: Payload = serde_json::from_value(json::parse(&jws.payload)?).map_err(shape)?;
    let wanted = trust.scope.clone().unwrap_or_default();
    if payload.scope != wanted {
        let found = payload.scope;
        return Err(SignatureError::Scope { found, wanted });
    }
    Ok(payload)
}

fn check_files(files: &Files, listed: Vec<Listed>) -> Result<(), SignatureError> {
    let mut left: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    for Listed {
        name,
        hash,
        algorithm,
    } in listed
    {
        let Some(content) = files.get(&name) else {
            return Err(SignatureError::Removed(name));
        };
        if !left.remove(name.as_str()) {
            return Err(SignatureError::Twice(name));
        }
        let digest = match algorithm.as_str() {
            "SHA-256" => &digest::SHA256,
            "SHA-384" => &digest::SHA384,
            "SHA-512" => &digest::SHA512,
            "SHA-512-256" => &digest::SHA512_256,
            _ => {
                return Err(SignatureError::Algorithm {
                    file: name,
                    algorithm,
                });
            }
        };
        let hashed = hashed::hashed(&name, content).map_err(|error| SignatureError::Hash {
            file: name.clone(),
            error,
        })?;
        if hex(digest::digest(digest, &hashed).as_ref()) != hash.to_ascii_lowercase() {
            return Err(SignatureError::Changed(name));
        }
    }
    match left.first() {
        None => Ok(()),
        Some(file) => Err(SignatureError::Added((*file).to_owned())),
    }
}

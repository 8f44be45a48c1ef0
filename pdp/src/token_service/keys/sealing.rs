//! The key under which private keys are sealed: AES-256-GCM, read from a file of its own.
//!
//! What this is not: where that file comes from. Whoever has both it and the directory has the keys.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use edgeward_core::revocation::hex;
use thiserror::Error;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
/// Hex and a line's end; what is longer is no key.
const MAX_FILE_BYTES: usize = 2 * KEY_BYTES + 2;
/// Of the mode: what others than owner and group may do. Orchestrators mount secrets for a group.
const OTHERS: u32 = 0o007;
const ID_BYTES: usize = 8;

/// Why a file gives no sealing key.
#[derive(Debug, Error)]
pub enum SealingKeyError {
    /// The operating system said no.
    #[error(
        "sealing key `{}`: {error}: make one with `openssl rand -base64 32`, readable for the PDP only",
        path.display()
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// Everybody can read it.
    #[error(
        "sealing key `{}`: is readable for everybody: run `chmod o= {}`, or for a Kubernetes secret \
         set `defaultMode: 0440`",
        path.display(), path.display()
    )]
    Shared {
        /// The file.
        path: PathBuf,
    },
    /// It does not hold a key.
    #[error(
        "sealing key `{}`: {problem}: it must hold 32 random bytes, raw, in base64 or in hex; make \
         them with `openssl rand -base64 32`",
        path.display()
    )]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// A sealing key, ready to seal and to open.
pub(super) struct SealingKey {
    id: String,
    key: RandomizedNonceKey,
}

impl SealingKey {
    /// Reads the key in the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, SealingKeyError> {
        let io = |error| SealingKeyError::Io {
            path: path.to_owned(),
            error,
        };
        let not_a_key = |problem| SealingKeyError::NotAKey {
            path: path.to_owned(),
            problem,
        };
        let mut file = File::open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if !metadata.is_file() {
            return Err(not_a_key("is no file"));
        }
        if metadata.permissions().mode() & OTHERS != 0 {
            return Err(SealingKeyError::Shared {
                path: path.to_owned(),
            });
        }
        // All there is at once: a buffer that grew would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES + 1));
        let limit = u64::try_from(MAX_FILE_BYTES + 1).unwrap_or(u64::MAX);
        (&mut file)
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(io)?;
        let key = key_in(&bytes).map_err(not_a_key)?;
        Self::new(&key).map_err(|_| not_a_key("was refused by the cryptographic library"))
    }

    fn new(key: &[u8]) -> Result<Self, Unspecified> {
        let mac_key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let digest = hmac::sign(&mac_key, b"edgeward: the id of this sealing key");
        Ok(Self {
            id: hex(digest.as_ref().get(..ID_BYTES).unwrap_or_default()),
            key: RandomizedNonceKey::new(&AES_256_GCM, key)?,
        })
    }

    /// What tells it from other sealing keys, and nothing more of it.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// `secret` sealed: nonce, ciphertext, tag. It opens with the same `bound_to` only.
    pub(super) fn seal(
        &self,
        bound_to: &[u8],
        mut secret: Zeroizing<Vec<u8>>,
    ) -> Result<Vec<u8>, Unspecified> {
        // In place: no copy of the secret is left.
        let (nonce, tag) = self
            .key
            .seal_in_place_separate_tag(Aad::from(bound_to), &mut secret)?;
        Ok([nonce.as_ref().as_slice(), &secret, tag.as_ref()].concat())
    }

    /// What [`Self::seal`] was given.
    pub(super) fn open(
        &self,
        bound_to: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(Unspecified)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let mut opened = Zeroizing::new(rest.to_vec());
        let length = self
            .key
            .open_in_place(nonce, Aad::from(bound_to), &mut opened)?
            .len();
        opened.truncate(length);
        Ok(opened)
    }
}

impl fmt::Debug for SealingKey {
    /// Never shows the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The key that a file's bytes are, or what is wrong with them.
fn key_in(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let text = bytes.trim_ascii();
    let key = if text.is_empty() {
        return Err("is empty");
    } else if bytes.len() == KEY_BYTES {
        if bytes.is_ascii() {
            return Err("holds 32 characters, not 32 random bytes");
        }
        bytes.to_vec()
    } else {
        of_text(text).ok_or("holds neither 32 bytes nor a text of 32 bytes")?
    };
    let key = Zeroizing::new(key);
    let first = key.first();
    if key.iter().all(|byte| Some(byte) == first) {
        return Err("holds one byte 32 times");
    }
    Ok(key)
}

fn of_text(text: &[u8]) -> Option<Vec<u8>> {
    let decoded = if text.len() == 2 * KEY_BYTES {
        of_hex(text)
    } else {
        [STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD]
            .iter()
            .find_map(|engine| engine.decode(text).ok())
    };
    decoded.filter(|key| key.len() == KEY_BYTES)
}

fn of_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let bytes = text.chunks_exact(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    });
    bytes.collect()
}

//! The public keys of exactly one issuer or trust domain, and the choice among them.
//!
//! INVARIANT: a key is only ever chosen from the set of the issuer or trust domain that the token
//! names, never from anything the token carries.

use serde_json::{Map, Value};
use thiserror::Error;

use super::{Algorithm, KeyError, PublicKey};
use crate::json::{self, JsonError};

/// The most keys read from one set; a larger set is refused whole.
pub const MAX_KEYS: usize = 128;

/// What the keys of a set are for: decides which entries count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// An issuer's JWK Set: entries with `use` `sig` or none (RFC 7517 section 4.2).
    Signature,
    /// A SPIFFE bundle: entries with `use` `jwt-svid`, which must have a `kid`
    /// (`SPIFFE_Trust_Domain_and_Bundle.md` section 4.2).
    JwtSvid,
}

impl KeyUse {
    fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "sig",
            Self::JwtSvid => "jwt-svid",
        }
    }
}

/// Why a document is not a key set.
#[derive(Debug, Error)]
pub enum KeySetError {
    /// Not a JSON object, or a member name twice.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// No array `keys`, or an entry that is not an object.
    #[error("`keys` is missing or not an array of objects")]
    Keys,
    /// More than [`MAX_KEYS`] entries.
    #[error("more than {MAX_KEYS} keys")]
    TooManyKeys,
    /// An entry that spoils the whole set: a published secret, or an SVID key without a `kid`.
    #[error("keys[{index}]: {error}")]
    Entry {
        /// The entry's place.
        index: usize,
        /// What is wrong with it.
        error: KeyError,
    },
}

/// Why no key of a set may verify a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeySelectionError {
    /// The token has no `kid` and the set more than one key that fits, or the profile demands one.
    #[error("token has no `kid`")]
    MissingKeyId,
    /// No key with this `kid`.
    #[error("no key with this `kid`")]
    UnknownKey,
    /// There is such a key, but its type or `alg` does not fit the token's.
    #[error("key does not fit the token's algorithm")]
    AlgorithmMismatch,
    /// Two keys with the same `kid` fit.
    #[error("two keys have this `kid`")]
    AmbiguousKey,
}

/// The public keys of one issuer or trust domain. Empty means that nothing verifies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<PublicKey>,
    ignored: Vec<(usize, KeyError)>,
}

impl KeySet {
    /// Reads a JWK Set or the JWT part of a SPIFFE bundle from its bytes.
    pub fn parse(document: &[u8], key_use: KeyUse) -> Result<Self, KeySetError> {
        Self::from_members(&json::parse_object(document)?, key_use)
    }

    /// Reads a document that was parsed already (and strictly).
    ///
    /// Entries of another use or an unknown type are passed over, as both standards demand. Weak
    /// or malformed keys are left out and listed by [`Self::ignored`]; the others still count.
    pub fn from_members(
        document: &Map<String, Value>,
        key_use: KeyUse,
    ) -> Result<Self, KeySetError> {
        let Some(Value::Array(entries)) = document.get("keys") else {
            return Err(KeySetError::Keys);
        };
        if entries.len() > MAX_KEYS {
            return Err(KeySetError::TooManyKeys);
        }
        let mut set = Self::default();
        for (index, entry) in entries.iter().enumerate() {
            let Value::Object(jwk) = entry else {
                return Err(KeySetError::Keys);
            };
            if !counts(jwk, key_use) {
                continue;
            }
            match PublicKey::from_jwk(jwk) {
                Ok(key) if key_use == KeyUse::JwtSvid && key.key_id().is_none() => {
                    return Err(KeySetError::Entry {
                        index,
                        error: KeyError::Member("kid"),
                    });
                }
                Ok(key) => set.keys.push(key),
                Err(error @ KeyError::Symmetric) => {
                    return Err(KeySetError::Entry { index, error });
                }
                Err(error) => set.ignored.push((index, error)),
            }
        }
        Ok(set)
    }

    /// The set as a JWK Set of public members only: what [`Self::from_members`] reads back.
    pub fn to_jwks(&self, key_use: KeyUse) -> Map<String, Value> {
        let mut keys: Vec<Value> = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            let mut jwk = key.to_jwk();
            jwk.insert("use".to_owned(), key_use.as_str().into());
            keys.push(jwk.into());
        }
        Map::from_iter([("keys".to_owned(), keys.into())])
    }

    /// How many keys may verify.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether nothing verifies.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The entries left out, by their place in the document, each with its reason.
    pub fn ignored(&self) -> &[(usize, KeyError)] {
        &self.ignored
    }

    /// Whether some key has this id.
    pub fn contains(&self, key_id: &str) -> bool {
        self.keys.iter().any(|key| key.key_id() == Some(key_id))
    }

    /// The one key for a token's `kid` and algorithm. A token without `kid` is only served by a
    /// set in which exactly one key fits (OpenID Connect Core section 10.1).
    pub fn select(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&PublicKey, KeySelectionError> {
        let named = self
            .keys
            .iter()
            .filter(|key| key_id.is_none() || key.key_id() == key_id);
        let mut fitting = named.clone().filter(|key| key.may_verify(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) if key_id.is_none() => Err(KeySelectionError::MissingKeyId),
            (Some(_), Some(_)) => Err(KeySelectionError::AmbiguousKey),
            (None, _) if named.count() > 0 && key_id.is_some() => {
                Err(KeySelectionError::AlgorithmMismatch)
            }
            (None, _) => Err(KeySelectionError::UnknownKey),
        }
    }
}

fn counts(jwk: &Map<String, Value>, key_use: KeyUse) -> bool {
    let declared = jwk.get("use").and_then(Value::as_str);
    match key_use {
        KeyUse::JwtSvid => declared == Some("jwt-svid"),
        KeyUse::Signature => {
            let may_verify = match jwk.get("key_ops") {
                None => true,
                Some(operations) => operations
                    .as_array()
                    .is_some_and(|names| names.iter().any(|name| name == "verify")),
            };
            may_verify && (declared == Some("sig") || !jwk.contains_key("use"))
        }
    }
}

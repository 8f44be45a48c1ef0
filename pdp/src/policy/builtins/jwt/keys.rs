//! The keys of a `cert` or second argument: a PEM certificate, a PEM public key, a JWK or a JWK Set.

use edgeward_core::jose::{Algorithm, KeyError, PublicKey, SignatureCheck as _};
use serde_json::{Map, Value as Json};

use super::Failed;
use crate::crypto::{AwsLc, jwk_of_pem};

/// Keys that one set may have.
const MAX_KEYS: usize = 128;

/// One key, with what its JWK says of it.
pub(super) struct Key {
    /// None where Edgeward verifies nothing with it: of another type, or too weak.
    public: Option<PublicKey>,
    /// Empty where it has none.
    algorithm: String,
    id: String,
}

impl Key {
    fn of_jwk(jwk: &Map<String, Json>) -> Result<Self, KeyError> {
        let text = |name: &str| jwk.get(name).and_then(Json::as_str).unwrap_or_default();
        let mut numbers = jwk.clone();
        // What the key is declared for is compared with the token's algorithm, below.
        numbers.remove("alg");
        let public = match PublicKey::from_jwk(&numbers) {
            Err(error @ (KeyError::Member(_) | KeyError::CoordinateLength)) => return Err(error),
            read => read.ok(),
        };
        Ok(Self {
            public,
            algorithm: text("alg").to_owned(),
            id: text("kid").to_owned(),
        })
    }
}

/// Reads keys.
pub(super) fn keys(text: &str) -> Result<Vec<Key>, Failed> {
    let refused = |why: &str| Failed::Refused(format!("failed to parse a JWK key (set): {why}"));
    if text.contains("-----BEGIN ") {
        let jwk = jwk_of_pem(text).map_err(|error| Failed::Refused(error.to_string()))?;
        return Ok(vec![
            Key::of_jwk(&jwk).map_err(|error| refused(&error.to_string()))?,
        ]);
    }
    let document: Map<String, Json> =
        serde_json::from_str(text).map_err(|error| refused(&error.to_string()))?;
    let jwks = match document.get("keys") {
        Some(Json::Array(keys)) if keys.len() > MAX_KEYS => {
            return Err(Failed::Bound("a key set may have 128 keys"));
        }
        Some(Json::Array(keys)) => keys
            .iter()
            .map(|key| key.as_object().ok_or_else(|| refused("a key is no object")))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(refused("`keys` is no list")),
        None => vec![&document],
    };
    let types = ["RSA", "EC", "OKP", "oct"];
    let has_type = |jwk: &&Map<String, Json>| {
        let kind = jwk.get("kty").and_then(Json::as_str);
        kind.is_some_and(|kind| types.contains(&kind))
    };
    if !jwks.iter().all(has_type) {
        return Err(refused("invalid key type from JSON"));
    }
    let read = |jwk| Key::of_jwk(jwk).map_err(|error| refused(&error.to_string()));
    jwks.into_iter().map(read).collect()
}

/// Whether one of the keys made the signature: the one that the token names, or else any that may.
pub(super) fn verified(
    keys: &[Key],
    algorithm: &str,
    header: (&str, &str),
    signed: &[u8],
    signature: &[u8],
) -> bool {
    let (declared, key_id) = header;
    let checks = |key: &Key| {
        let algorithm = Algorithm::ALL.into_iter().find(|a| a.as_str() == algorithm);
        let pair = algorithm.zip(key.public.as_ref());
        pair.is_some_and(|(a, key)| AwsLc.check(a, key, signed, signature).is_ok())
    };
    let named = keys
        .iter()
        .find(|key| !key_id.is_empty() && key.id == key_id);
    if let Some(key) = named {
        return checks(key);
    }
    keys.iter()
        .filter(|key| key.algorithm.is_empty() || key.algorithm == declared)
        .any(checks)
}

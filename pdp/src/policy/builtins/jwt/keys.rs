//! The keys of a `cert` or second argument: a PEM certificate, a PEM public key, a JWK or a JWK Set.

use edgeward_core::jose::{Algorithm, KeyError, PublicKey, SignatureCheck as _, encode_base64url};
use rustls_pki_types::pem::{PemObject as _, SectionKind};
use serde_json::{Map, Value as Json, json};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey as X509Key;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::Failed;
use crate::crypto::AwsLc;

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
        let jwk = of_pem(text)?;
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

/// The key of the one section that there must be.
fn of_pem(text: &str) -> Result<Map<String, Json>, Failed> {
    let refused = || Failed::refused("failed to extract a Key from the PEM certificate");
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes());
    let (kind, der) = sections.next().and_then(Result::ok).ok_or_else(refused)?;
    let after = text.rsplit("-----END ").next().unwrap_or_default();
    let rest = after.split_once("-----").map_or("", |(_, rest)| rest);
    if sections.next().is_some() || !rest.trim_matches(['\r', '\n']).is_empty() {
        return Err(Failed::refused("extra data after a PEM certificate block"));
    }
    let jwk = match kind {
        SectionKind::Certificate => {
            let (_, certificate) = x509_parser::parse_x509_certificate(&der).map_err(|error| {
                Failed::Refused(format!("failed to parse a PEM certificate: {error}"))
            })?;
            jwk_of(certificate.public_key())
        }
        SectionKind::PublicKey => {
            let (_, key) = SubjectPublicKeyInfo::from_der(&der)
                .map_err(|error| Failed::Refused(format!("failed to parse a PEM key: {error}")))?;
            jwk_of(&key)
        }
        _ => return Err(refused()),
    };
    jwk.ok_or_else(refused)
}

/// The JWK of a key; none for a type that no JWS algorithm has.
fn jwk_of(key: &SubjectPublicKeyInfo<'_>) -> Option<Map<String, Json>> {
    const ED25519: &str = "1.3.101.112";
    let jwk = match key.parsed().ok()? {
        X509Key::RSA(rsa) => json!({
            "kty": "RSA", "n": without_zeros(rsa.modulus), "e": without_zeros(rsa.exponent),
        }),
        X509Key::EC(point) => {
            // SEC 1 section 2.3.3: 04 || x || y.
            let (form, coordinates) = point.data().split_first()?;
            let curve = match coordinates.len() {
                64 => "P-256",
                96 => "P-384",
                132 => "P-521",
                _ => return None,
            };
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            (*form == 4)
                .then(|| json!({"kty": "EC", "crv": curve, "x": encode_base64url(x), "y": encode_base64url(y)}))?
        }
        X509Key::Unknown(bytes) if key.algorithm.algorithm.to_id_string() == ED25519 => {
            json!({"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(bytes)})
        }
        _ => return None,
    };
    match jwk {
        Json::Object(members) => Some(members),
        _ => None,
    }
}

fn without_zeros(number: &[u8]) -> String {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    encode_base64url(number.get(zeros..).unwrap_or_default())
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

//! A public key in PEM, bare or in a certificate, as a JWK. What this is not: a judge of keys; whether
//! one is strong enough is said where the JWK is read.

use edgeward_core::jose::encode_base64url;
use rustls_pki_types::pem::{PemObject as _, SectionKind};
use serde_json::{Map, Value as Json, json};
use thiserror::Error;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey as X509Key;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Why a text is no public key. The words are OPA's, whose built-ins read keys by this too.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PemKeyError {
    /// No section, or of another kind or type of key.
    #[error("failed to extract a Key from the PEM certificate")]
    None,
    /// Something after the one section.
    #[error("extra data after a PEM certificate block")]
    Extra,
    /// A certificate that is none.
    #[error("failed to parse a PEM certificate: {0}")]
    Certificate(String),
    /// A key that is none.
    #[error("failed to parse a PEM key: {0}")]
    Key(String),
}

/// The key of the one section that there must be.
pub fn jwk_of_pem(text: &str) -> Result<Map<String, Json>, PemKeyError> {
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes());
    let section = sections.next().and_then(Result::ok);
    let (kind, der) = section.ok_or(PemKeyError::None)?;
    let after = text.rsplit("-----END ").next().unwrap_or_default();
    let rest = after.split_once("-----").map_or("", |(_, rest)| rest);
    if sections.next().is_some() || !rest.trim_matches(['\r', '\n']).is_empty() {
        return Err(PemKeyError::Extra);
    }
    let jwk = match kind {
        SectionKind::Certificate => {
            let (_, certificate) = x509_parser::parse_x509_certificate(&der)
                .map_err(|error| PemKeyError::Certificate(error.to_string()))?;
            jwk_of(certificate.public_key())
        }
        SectionKind::PublicKey => {
            let (_, key) = SubjectPublicKeyInfo::from_der(&der)
                .map_err(|error| PemKeyError::Key(error.to_string()))?;
            jwk_of(&key)
        }
        _ => None,
    };
    jwk.ok_or(PemKeyError::None)
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

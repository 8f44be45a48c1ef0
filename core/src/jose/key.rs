//! One public key: a JWK (RFC 7517, 7518 section 6, 8037) read strictly.
//!
//! A [`PublicKey`] can only be one that may verify: strong enough, on its curve's sizes, for
//! signatures. What this is not: a point check; the arithmetic refuses points off the curve.

use serde_json::{Map, Value};
use thiserror::Error;

use super::Algorithm;
use super::base64url::{self, encode};
use super::fingerprint::is_roca_modulus;
use super::spki::spki_der;

const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 8192;
const MAX_RSA_EXPONENT_BYTES: usize = 4;

/// Why a JWK verifies nothing here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// A member is missing, has the wrong type or is not canonical base64url.
    #[error("member `{0}` is missing or malformed")]
    Member(&'static str),
    /// `kty` or `crv` names nothing Edgeward verifies with.
    #[error("key type is not supported")]
    UnsupportedType,
    /// A symmetric key, which never belongs in a set of public keys.
    #[error("key is symmetric: a published secret verifies nothing")]
    Symmetric,
    /// RSA modulus below 2048 or above 8192 bits.
    #[error("RSA modulus has {0} bits, not {MIN_RSA_BITS} to {MAX_RSA_BITS}")]
    ModulusSize(usize),
    /// RSA public exponent even, one, or so long that it only slows a verifier down.
    #[error("RSA public exponent is not an odd number from 3 to 2^32")]
    Exponent,
    /// The modulus was made by the ROCA generator.
    #[error("RSA modulus bears the ROCA fingerprint (CVE-2017-15361)")]
    Roca,
    /// A coordinate's length is not the curve's.
    #[error("coordinate does not have the curve's length")]
    CoordinateLength,
    /// `alg` is not one this key type can have.
    #[error("`alg` does not fit the key")]
    AlgorithmMismatch,
}

/// The curves of ECDSA keys (RFC 7518 section 6.2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

impl Curve {
    /// The length of one coordinate, in bytes; a JWS signature is twice as long.
    pub fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The name as it stands in a JWK's `crv`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }
}

/// The numbers of a key, big-endian and without leading zeros unless of fixed length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// RSA modulus and public exponent.
    Rsa {
        /// The modulus.
        modulus: Vec<u8>,
        /// The public exponent.
        exponent: Vec<u8>,
    },
    /// A point: `04 || x || y` (SEC 1 section 2.3.3).
    Ec {
        /// The curve.
        curve: Curve,
        /// The uncompressed point.
        point: Vec<u8>,
    },
    /// An Ed25519 public key.
    Ed25519([u8; 32]),
}

/// A public key that may verify signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    key_id: Option<String>,
    algorithm: Option<Algorithm>,
    material: KeyMaterial,
    spki: Vec<u8>,
}

impl PublicKey {
    /// Reads the public members of a JWK; `use` and `key_ops` are the key set's business.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        let material = material(jwk)?;
        let algorithm = declared_algorithm(jwk)?;
        if algorithm.is_some_and(|algorithm| !fits(&material, algorithm)) {
            return Err(KeyError::AlgorithmMismatch);
        }
        let key_id = text(jwk, "kid")?.map(str::to_owned);
        let spki = spki_der(&material);
        Ok(Self {
            key_id,
            algorithm,
            material,
            spki,
        })
    }

    /// The public members, as a JWK that [`Self::from_jwk`] reads back.
    pub fn to_jwk(&self) -> Map<String, Value> {
        let mut members = match &self.material {
            KeyMaterial::Rsa { modulus, exponent } => {
                vec![
                    ("kty", "RSA".to_owned()),
                    ("n", encode(modulus)),
                    ("e", encode(exponent)),
                ]
            }
            KeyMaterial::Ec { curve, point } => {
                let (x, y) = point.split_at(1 + curve.coordinate_bytes());
                vec![
                    ("kty", "EC".to_owned()),
                    ("crv", curve.as_str().to_owned()),
                    ("x", encode(x.get(1..).unwrap_or_default())),
                    ("y", encode(y)),
                ]
            }
            KeyMaterial::Ed25519(key) => {
                vec![
                    ("kty", "OKP".to_owned()),
                    ("crv", "Ed25519".to_owned()),
                    ("x", encode(key)),
                ]
            }
        };
        members.extend(
            self.algorithm
                .map(|algorithm| ("alg", algorithm.as_str().to_owned())),
        );
        members.extend(self.key_id.clone().map(|key_id| ("kid", key_id)));
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::String(value)))
            .collect()
    }

    /// The key id, where the JWK has one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The key's numbers.
    pub fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// The DER encoded `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// Whether this key may be used with `algorithm`: its type fits, and its own `alg`, if it has
    /// one, is this very one.
    pub fn may_verify(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|declared| declared == algorithm)
            && fits(&self.material, algorithm)
    }
}

fn material(jwk: &Map<String, Value>) -> Result<KeyMaterial, KeyError> {
    match text(jwk, "kty")?.ok_or(KeyError::Member("kty"))? {
        "RSA" => rsa(jwk),
        "EC" => ec(jwk),
        "OKP" if text(jwk, "crv")? == Some("Ed25519") => {
            let x = bytes(jwk, "x")?;
            Ok(KeyMaterial::Ed25519(
                x.try_into().map_err(|_| KeyError::CoordinateLength)?,
            ))
        }
        "oct" => Err(KeyError::Symmetric),
        _ => Err(KeyError::UnsupportedType),
    }
}

fn rsa(jwk: &Map<String, Value>) -> Result<KeyMaterial, KeyError> {
    let modulus = without_leading_zeros(bytes(jwk, "n")?);
    let exponent = without_leading_zeros(bytes(jwk, "e")?);
    let spare = modulus
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = (modulus.len() * 8).saturating_sub(spare);
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Err(KeyError::ModulusSize(bits));
    }
    let odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    if !odd || exponent == [1] || exponent.len() > MAX_RSA_EXPONENT_BYTES {
        return Err(KeyError::Exponent);
    }
    if is_roca_modulus(&modulus) {
        return Err(KeyError::Roca);
    }
    Ok(KeyMaterial::Rsa { modulus, exponent })
}

fn ec(jwk: &Map<String, Value>) -> Result<KeyMaterial, KeyError> {
    let curve = match text(jwk, "crv")?.ok_or(KeyError::Member("crv"))? {
        "P-256" => Curve::P256,
        "P-384" => Curve::P384,
        "P-521" => Curve::P521,
        _ => return Err(KeyError::UnsupportedType),
    };
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != curve.coordinate_bytes() || y.len() != curve.coordinate_bytes() {
        return Err(KeyError::CoordinateLength);
    }
    Ok(KeyMaterial::Ec {
        curve,
        point: [&[4], x.as_slice(), y.as_slice()].concat(),
    })
}

/// The key's `alg`. `ES521` is a misspelling of `ES512` that RFC 7520-era tools publish; no other
/// algorithm has that name, so reading it so lets nothing through that `ES512` would not.
fn declared_algorithm(jwk: &Map<String, Value>) -> Result<Option<Algorithm>, KeyError> {
    match text(jwk, "alg")? {
        None => Ok(None),
        Some("ES521") => Ok(Some(Algorithm::Es512)),
        Some(name) => name
            .parse()
            .map(Some)
            .map_err(|_| KeyError::AlgorithmMismatch),
    }
}

fn fits(material: &KeyMaterial, algorithm: Algorithm) -> bool {
    match algorithm {
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512 => matches!(material, KeyMaterial::Rsa { .. }),
        Algorithm::Es256 => matches!(
            material,
            KeyMaterial::Ec {
                curve: Curve::P256,
                ..
            }
        ),
        Algorithm::Es384 => matches!(
            material,
            KeyMaterial::Ec {
                curve: Curve::P384,
                ..
            }
        ),
        Algorithm::Es512 => matches!(
            material,
            KeyMaterial::Ec {
                curve: Curve::P521,
                ..
            }
        ),
        Algorithm::EdDsa => matches!(material, KeyMaterial::Ed25519(_)),
    }
}

fn text<'v>(jwk: &'v Map<String, Value>, name: &'static str) -> Result<Option<&'v str>, KeyError> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(KeyError::Member(name)),
    }
}

fn bytes(jwk: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, KeyError> {
    let text = text(jwk, name)?.ok_or(KeyError::Member(name))?;
    base64url::decode(text).map_err(|_| KeyError::Member(name))
}

fn without_leading_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

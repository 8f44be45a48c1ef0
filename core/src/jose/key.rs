//! One public key: a JWK (RFC 7517, 7518 section 6, 8037) read strictly.
//!
//! A [`PublicKey`] can only be one that may verify: strong enough, on its curve's sizes, for
//! signatures. What this is not: a point check; the arithmetic refuses points off the curve.

use der::asn1::{AnyRef, BitString, ObjectIdentifier, UintRef};
use der::{Encode, Sequence};
use serde_json::{Map, Value};
use spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};
use thiserror::Error;

use super::fingerprint::is_roca_modulus;
use super::{Algorithm, base64url};

const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 8192;
/// Larger public exponents only slow a verifier down.
const MAX_RSA_EXPONENT_BYTES: usize = 4;

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Why a JWK cannot verify anything here.
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
    /// RSA public exponent even, one, or longer than four bytes.
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

    fn oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => P256,
            Self::P384 => P384,
            Self::P521 => P521,
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
        let spki = spki_der(&material).map_err(|_| KeyError::UnsupportedType)?;
        Ok(Self {
            key_id,
            algorithm,
            material,
            spki,
        })
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

#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

fn spki_der(material: &KeyMaterial) -> der::Result<Vec<u8>> {
    match material {
        KeyMaterial::Rsa { modulus, exponent } => {
            let key = RsaPublicKey {
                modulus: UintRef::new(modulus)?,
                exponent: UintRef::new(exponent)?,
            };
            wrap(RSA_ENCRYPTION, Some(AnyRef::NULL), &key.to_der()?)
        }
        KeyMaterial::Ec { curve, point } => {
            wrap(EC_PUBLIC_KEY, Some(AnyRef::from(&curve.oid())), point)
        }
        KeyMaterial::Ed25519(key) => wrap(ED25519, None, key),
    }
}

fn wrap(oid: ObjectIdentifier, parameters: Option<AnyRef<'_>>, key: &[u8]) -> der::Result<Vec<u8>> {
    SubjectPublicKeyInfo {
        algorithm: AlgorithmIdentifier { oid, parameters },
        subject_public_key: BitString::from_bytes(key)?,
    }
    .to_der()
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

//! Signs compact JWS and shows the key's public JWK.
//!
//! What this is not: the life of a key. Those of development are plain files, and `edgeward token mint`
//! refuses to run against a production configuration; those of the token service are sealed and rotated
//! by `crate::token_service::keys`.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};
use edgeward_core::jose::{Algorithm, encode_base64url};
use serde_json::{Map, Value, json};
use thiserror::Error;
use zeroize::Zeroizing;

use super::pkcs8::PrivateKey;

/// Why a key could not be made, read or used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignerError {
    /// The file does not hold a PKCS#8 private key for this algorithm.
    #[error("not an unencrypted PKCS#8 private key for {0}")]
    NotAKey(Algorithm),
    /// The file does not hold a private key of any supported type.
    #[error("not an unencrypted PKCS#8 private key (RSA, P-256, P-384, P-521 or Ed25519)")]
    NoKnownKey,
    /// The cryptographic library failed.
    #[error("the cryptographic library refused the key")]
    Arithmetic,
}

/// What a public key is published for: the `use` of its JWK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// A key of an issuer's JWK Set (`sig`).
    Signature,
    /// A key of a SPIFFE bundle (`jwt-svid`).
    JwtSvid,
}

/// A private key, the one algorithm it is used with, and its key id.
pub struct Signer {
    key: PrivateKey,
    algorithm: Algorithm,
    key_id: String,
}

impl Signer {
    /// Makes a fresh key (RSA: 2048 bits). Its id is its RFC 7638 thumbprint.
    pub fn generate(algorithm: Algorithm) -> Result<Self, SignerError> {
        Ok(Self::of_key(PrivateKey::generate(algorithm)?, algorithm))
    }

    /// Reads a PKCS#8 private key, PEM or DER. Without `algorithm` it is the one that fits the
    /// key's type, RS256 for RSA. Its id is its RFC 7638 thumbprint.
    pub fn from_pkcs8(file: &[u8], algorithm: Option<Algorithm>) -> Result<Self, SignerError> {
        let (key, algorithm) = match algorithm {
            Some(algorithm) => (PrivateKey::read(file, algorithm)?, algorithm),
            None => PrivateKey::read_any(file)?,
        };
        Ok(Self::of_key(key, algorithm))
    }

    fn of_key(key: PrivateKey, algorithm: Algorithm) -> Self {
        let key_id = thumbprint(&public_members(&key, algorithm));
        Self {
            key,
            algorithm,
            key_id,
        }
    }

    /// The same key under another id.
    #[must_use]
    pub fn with_key_id(self, key_id: impl Into<String>) -> Self {
        Self {
            key_id: key_id.into(),
            ..self
        }
    }

    /// The algorithm it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The id that stands in the header's `kid` and in the JWK.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The private key as PKCS#8 PEM. A secret: store it readable for its owner only.
    pub fn to_pkcs8_pem(&self) -> Result<String, SignerError> {
        self.key.to_pem()
    }

    /// The private key as PKCS#8 DER, wiped when it is dropped.
    pub(crate) fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, SignerError> {
        self.key.to_der()
    }

    /// The public key as a JWK (RFC 7517) with `kid`, `alg` and `use`.
    pub fn public_jwk(&self, purpose: KeyPurpose) -> Map<String, Value> {
        let mut jwk = public_members(&self.key, self.algorithm);
        let key_use = match purpose {
            KeyPurpose::Signature => "sig",
            KeyPurpose::JwtSvid => "jwt-svid",
        };
        jwk.insert("kid".to_owned(), self.key_id.clone().into());
        jwk.insert("alg".to_owned(), self.algorithm.as_str().into());
        jwk.insert("use".to_owned(), key_use.into());
        jwk
    }

    /// Signs `claims` (any bytes, usually a JSON object) as a compact JWS whose header has `alg`,
    /// `kid` and, where given, `typ`.
    pub fn sign(&self, token_type: Option<&str>, claims: &[u8]) -> Result<String, SignerError> {
        let mut header = Map::new();
        header.insert("alg".to_owned(), self.algorithm.as_str().into());
        header.insert("kid".to_owned(), self.key_id.clone().into());
        if let Some(token_type) = token_type {
            header.insert("typ".to_owned(), token_type.into());
        }
        self.sign_with_header(Value::Object(header).to_string().as_bytes(), claims)
    }

    /// Signs with exactly these header bytes. Tests need headers nobody should write.
    pub fn sign_with_header(&self, header: &[u8], payload: &[u8]) -> Result<String, SignerError> {
        let signed = format!("{}.{}", encode_base64url(header), encode_base64url(payload));
        let signature = self.signature(signed.as_bytes())?;
        Ok(format!("{signed}.{}", encode_base64url(&signature)))
    }

    /// The signature of `message`, as it stands in a JWS (RFC 7518 section 3.4 for ECDSA).
    pub(crate) fn signature(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        match &self.key {
            PrivateKey::Rsa(key) => sign_rsa(key, self.algorithm, message),
            PrivateKey::Ec(key) => key
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| SignerError::Arithmetic),
            PrivateKey::Ed25519(key) => key
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| SignerError::Arithmetic),
        }
    }
}

impl std::fmt::Debug for Signer {
    /// Never shows the private key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A signature of RSA, by an algorithm that is one of RSA.
pub(crate) fn sign_rsa(
    key: &rsa::KeyPair,
    algorithm: Algorithm,
    message: &[u8],
) -> Result<Vec<u8>, SignerError> {
    let encoding: &'static dyn RsaEncoding = match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &RSA_PSS_SHA256,
        Algorithm::Ps384 => &RSA_PSS_SHA384,
        Algorithm::Ps512 => &RSA_PSS_SHA512,
        _ => return Err(SignerError::NotAKey(algorithm)),
    };
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message, &mut signature)
        .map_err(|_| SignerError::Arithmetic)?;
    Ok(signature)
}

/// The members that make the key what it is, and no others (RFC 7638 section 3.2).
fn public_members(key: &PrivateKey, algorithm: Algorithm) -> Map<String, Value> {
    let members = match key {
        PrivateKey::Rsa(key) => {
            let public = key.public_key();
            json!({
                "kty": "RSA",
                "n": encode_base64url(public.modulus().big_endian_without_leading_zero()),
                "e": encode_base64url(public.exponent().big_endian_without_leading_zero()),
            })
        }
        PrivateKey::Ec(key) => {
            // SEC 1 section 2.3.3: 04 || x || y, both coordinates of equal length.
            let coordinates = key.public_key().as_ref().get(1..).unwrap_or_default();
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            let curve = match algorithm {
                Algorithm::Es384 => "P-384",
                Algorithm::Es512 => "P-521",
                _ => "P-256",
            };
            json!({
                "kty": "EC", "crv": curve, "x": encode_base64url(x), "y": encode_base64url(y),
            })
        }
        PrivateKey::Ed25519(key) => json!({
            "kty": "OKP", "crv": "Ed25519", "x": encode_base64url(key.public_key().as_ref()),
        }),
    };
    match members {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// RFC 7638: SHA-256 over the members in lexicographic order, without white space. `serde_json`'s
/// map is ordered that way as long as `preserve_order` is off, so the order is made explicit here.
fn thumbprint(members: &Map<String, Value>) -> String {
    let ordered: std::collections::BTreeMap<_, _> = members.iter().collect();
    let text = serde_json::to_vec(&ordered).unwrap_or_default();
    encode_base64url(digest(&SHA256, &text).as_ref())
}

//! Private keys as text and bytes: PKCS#8 (RFC 5958), PEM or DER.
//!
//! What this is not: a reader of encrypted keys, PKCS#1 or SEC 1 files (`openssl pkcs8 -topk8
//! -nocrypt` turns those into what is read here).

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward_core::jose::Algorithm;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use super::SignerError;

const PEM_LINE: usize = 64;

/// A private key of a type we can sign with.
pub(super) enum PrivateKey {
    Rsa(Box<rsa::KeyPair>),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Makes a fresh key for `algorithm`; RSA keys have 2048 bits.
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, SignerError> {
        let key = match curve(algorithm) {
            Some(curve) => EcdsaKeyPair::generate(curve).map(Self::Ec),
            None if algorithm == Algorithm::EdDsa => Ed25519KeyPair::generate().map(Self::Ed25519),
            None => rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map(|key| Self::Rsa(key.into())),
        };
        key.map_err(|_| SignerError::Arithmetic)
    }

    /// Reads a key for `algorithm` from PKCS#8, PEM or DER.
    pub(super) fn read(file: &[u8], algorithm: Algorithm) -> Result<Self, SignerError> {
        let pem = PrivatePkcs8KeyDer::from_pem_slice(file);
        let der = pem.as_ref().map_or(file, |key| key.secret_pkcs8_der());
        let key = match curve(algorithm) {
            Some(curve) => EcdsaKeyPair::from_pkcs8(curve, der).map(Self::Ec),
            None if algorithm == Algorithm::EdDsa => {
                Ed25519KeyPair::from_pkcs8(der).map(Self::Ed25519)
            }
            None => rsa::KeyPair::from_pkcs8(der).map(|key| Self::Rsa(key.into())),
        };
        key.map_err(|_| SignerError::NotAKey(algorithm))
    }

    /// Reads a key of any type; an RSA key is taken for RS256.
    pub(super) fn read_any(file: &[u8]) -> Result<(Self, Algorithm), SignerError> {
        [
            Algorithm::Es256,
            Algorithm::Es384,
            Algorithm::Es512,
            Algorithm::EdDsa,
            Algorithm::Rs256,
        ]
        .into_iter()
        .find_map(|algorithm| Some((Self::read(file, algorithm).ok()?, algorithm)))
        .ok_or(SignerError::NoKnownKey)
    }

    /// The key as PKCS#8 DER, wiped when it is dropped.
    pub(super) fn to_der(&self) -> Result<Zeroizing<Vec<u8>>, SignerError> {
        let der = match self {
            Self::Rsa(key) => {
                AsDer::<Pkcs8V1Der<'_>>::as_der(key.as_ref()).map(|der| der.as_ref().to_vec())
            }
            Self::Ec(key) => key.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            Self::Ed25519(key) => key.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
        };
        der.map(Zeroizing::new).map_err(|_| SignerError::Arithmetic)
    }

    /// The key as PKCS#8 PEM.
    pub(super) fn to_pem(&self) -> Result<String, SignerError> {
        let der = self.to_der()?;
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        for (at, character) in STANDARD.encode(&*der).chars().enumerate() {
            if at > 0 && at % PEM_LINE == 0 {
                pem.push('\n');
            }
            pem.push(character);
        }
        pem.push_str("\n-----END PRIVATE KEY-----\n");
        Ok(pem)
    }
}

fn curve(algorithm: Algorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match algorithm {
        Algorithm::Es256 => Some(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => Some(&ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::Es512 => Some(&ECDSA_P521_SHA512_FIXED_SIGNING),
        _ => None,
    }
}

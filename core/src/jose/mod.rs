//! JOSE as far as Edgeward needs it: compact JWS in, never anything else.
//!
//! - [`Algorithm`]: the nine RSA and ECDSA algorithms and `EdDSA`; no `none`, no HMAC, no JWE.
//! - [`CompactJws`]: split and decoded, sizes capped before anything is split.
//! - [`KeySet`]: the public keys of one issuer or trust domain.
//!
//! What this is not: the signature arithmetic. Whoever verifies passes in a [`SignatureCheck`].
//!
//! Sources: RFC 7515, 7517, 7518, 8037, 8725.

mod algorithm;
mod base64url;
mod compact;
pub mod der;
mod fingerprint;
mod key;
mod key_set;
mod spki;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use base64url::{Base64UrlError, decode as decode_base64url, encode as encode_base64url};
pub use compact::{CompactJws, JwsError, MAX_KID_BYTES, MAX_TOKEN_BYTES};
pub use fingerprint::is_roca_modulus;
pub use key::{Curve, KeyError, KeyMaterial, PublicKey};
pub use key_set::{KeySelectionError, KeySet, KeySetError, KeyUse, MAX_KEYS};

/// The signature arithmetic, passed in by whoever verifies: aws-lc-rs in the PDP, the host's own
/// function or pure Rust in the filter. Everything around it is one code.
pub trait SignatureCheck {
    /// Checks `signature` over `signed` under `key`. `algorithm` always fits the key's type.
    fn check(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature>;
}

/// The signature does not verify, or could not be checked: both are a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signature does not verify")]
pub struct BadSignature;

//! What others verify our tokens by: the JWK Set (RFC 7517) and the SPIFFE bundle, each as its text.
//!
//! What this is not: the doors where they are served.

use bytes::Bytes;
use edgeward_core::jose::{KeySet, KeyUse};
use serde_json::Value;

/// The public keys at one instant: of those that will sign, sign, and have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedKeys {
    /// Grows with every change, over restarts too, and also where all keys were lost and made anew.
    pub sequence: u64,
    /// The JWK Set: `kty`, `crv`, `x`, `y`, `kid`, `alg`, and `use` `sig`.
    pub jwks: Bytes,
    /// The SPIFFE bundle: the same keys with `use` `jwt-svid`, `spiffe_sequence`, and
    /// `spiffe_refresh_hint` (`SPIFFE_Trust_Domain_and_Bundle.md` section 4).
    pub bundle: Bytes,
    /// The same keys, ready to verify with.
    pub keys: KeySet,
}

impl PublishedKeys {
    pub(super) fn of(keys: KeySet, sequence: u64, refresh_hint: u64) -> Self {
        let jwks = Value::Object(keys.to_jwks(KeyUse::Signature));
        let mut bundle = keys.to_jwks(KeyUse::JwtSvid);
        bundle.insert("spiffe_sequence".to_owned(), sequence.into());
        bundle.insert("spiffe_refresh_hint".to_owned(), refresh_hint.into());
        Self {
            sequence,
            jwks: jwks.to_string().into(),
            bundle: Value::Object(bundle).to_string().into(),
            keys,
        }
    }
}

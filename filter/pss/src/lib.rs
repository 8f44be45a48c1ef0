//! RSA-PSS signatures (RFC 8017 section 8.1), which Envoy's own function does not know.
//!
//! Why a crate: the filter is built for speed, and this code, three times there by its three hashes,
//! would be a tenth larger module for the rarest of algorithms. Here it is built for size; the
//! arithmetic is another crate's either way.

use rsa::BoxedUint;
use rsa::pss;
use rsa::signature::Verifier;
use sha2::{Sha256, Sha384, Sha512};

/// The hash of a signature, and of its mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Whether `signature` over `signed` is that of the key of this modulus and exponent (big-endian).
/// The salt is as long as the hash (RFC 7518 section 3.5).
pub fn verifies(
    hash: Hash,
    [modulus, exponent]: [&[u8]; 2],
    signed: &[u8],
    signature: &[u8],
) -> bool {
    let key = rsa::RsaPublicKey::new(
        BoxedUint::from_be_slice_vartime(modulus),
        BoxedUint::from_be_slice_vartime(exponent),
    );
    let (Ok(key), Ok(signature)) = (key, pss::Signature::try_from(signature)) else {
        return false;
    };
    match hash {
        Hash::Sha256 => pss::VerifyingKey::<Sha256>::new(key).verify(signed, &signature),
        Hash::Sha384 => pss::VerifyingKey::<Sha384>::new(key).verify(signed, &signature),
        Hash::Sha512 => pss::VerifyingKey::<Sha512>::new(key).verify(signed, &signature),
    }
    .is_ok()
}

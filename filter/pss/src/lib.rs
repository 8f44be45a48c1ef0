//! RSA-PSS signatures (RFC 8017 sections 8.1.2 and 9.1.2), which Envoy's own function does not know.
//!
//! Why a crate: the filter is built for speed, and this is the rarest of algorithms; here it is built
//! for size. Why not the crate `rsa`: it brings constant-time arithmetic for private keys, which
//! a public key does not need and which would be an eighth of the filter's module.

use num_bigint::BigUint;
use sha2::digest::Digest;
use sha2::{Sha256, Sha384, Sha512};

/// The last byte of every encoded message.
const TRAILER: u8 = 0xbc;

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

impl Hash {
    fn of(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha256 => digest::<Sha256>(parts),
            Self::Sha384 => digest::<Sha384>(parts),
            Self::Sha512 => digest::<Sha512>(parts),
        }
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

/// Whether `signature` over `signed` is that of the key of this modulus and exponent (big-endian).
/// The salt is as long as the hash (RFC 7518 section 3.5).
pub fn verifies(
    hash: Hash,
    [modulus, exponent]: [&[u8]; 2],
    signed: &[u8],
    signature: &[u8],
) -> bool {
    opened([modulus, exponent], signature)
        .is_some_and(|(encoded, bits)| is_encoding(hash, signed, &encoded, bits))
}

/// RSAVP1 (section 5.2.2): the encoded message, as long as it must be, and its length in bits.
fn opened([modulus, exponent]: [&[u8]; 2], signature: &[u8]) -> Option<(Vec<u8>, u64)> {
    let [modulus, exponent, signed] = [modulus, exponent, signature].map(BigUint::from_bytes_be);
    // An even modulus is no key's; the arithmetic would take its slow way with it.
    let length = modulus.bits().div_ceil(8);
    if !modulus.bit(0) || u64::try_from(signature.len()) != Ok(length) || signed >= modulus {
        return None;
    }
    let message = power(&signed, &exponent, &modulus).to_bytes_be();
    let bits = modulus.bits() - 1;
    let length = usize::try_from(bits.div_ceil(8)).ok()?;
    // One that does not fit is none; a shorter one begins with zeros.
    let zeros = length.checked_sub(message.len())?;
    Some(([vec![0; zeros], message].concat(), bits))
}

/// `base` to the power of `exponent`. Not by the number's own `modpow`: for an exponent of 17 bits its
/// preparations are most of the work, and it brings 10 kB of the module along.
fn power(base: &BigUint, exponent: &BigUint, modulus: &BigUint) -> BigUint {
    (0..exponent.bits())
        .rev()
        .fold(BigUint::from(1_u8), |power, bit| {
            let square = &power * &power % modulus;
            if exponent.bit(bit) {
                square * base % modulus
            } else {
                square
            }
        })
}

/// EMSA-PSS-VERIFY (section 9.1.2), its steps in order.
fn is_encoding(hash: Hash, signed: &[u8], encoded: &[u8], bits: u64) -> bool {
    let digest = hash.of(&[signed]);
    let Some((&TRAILER, encoded)) = encoded.split_last() else {
        return false;
    };
    let Some(masked) = encoded.len().checked_sub(digest.len()) else {
        return false;
    };
    let Some((masked, told)) = encoded.split_at_checked(masked) else {
        return false;
    };
    // The bits by which the bytes are more than the length in bits must be zero before and after.
    let unused = masked.len() as u64 * 8 + told.len() as u64 * 8 + 8 - bits;
    let kept = 0xff_u8
        .checked_shr(u32::try_from(unused).unwrap_or(8))
        .unwrap_or(0);
    if masked.first().is_none_or(|first| first & !kept != 0) {
        return false;
    }
    let mut block: Vec<u8> = masked
        .iter()
        .zip(mask(hash, told, masked.len()))
        .map(|(byte, mask)| byte ^ mask)
        .collect();
    if let Some(first) = block.first_mut() {
        *first &= kept;
    }
    let Some(padding) = block.len().checked_sub(digest.len() + 1) else {
        return false;
    };
    let (padding, rest) = block.split_at(padding);
    let Some((&1, salt)) = rest.split_first() else {
        return false;
    };
    padding.iter().all(|byte| *byte == 0) && hash.of(&[&[0; 8], &digest, salt]) == told
}

/// MGF1 (appendix B.2.1).
fn mask(hash: Hash, seed: &[u8], length: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(length + 64);
    let mut counter = 0_u32;
    while mask.len() < length {
        mask.extend(hash.of(&[seed, &counter.to_be_bytes()]));
        counter += 1;
    }
    mask.truncate(length);
    mask
}

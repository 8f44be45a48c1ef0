//! The DER form of a public key that hosts and libraries take: `SubjectPublicKeyInfo`.
//!
//! Sources: RFC 5280 section 4.1, RFC 3279 section 2.3.1, RFC 5480 section 2.1, RFC 8410 section 4.

use super::der::{bit_string, sequence, unsigned_integer};
use super::key::{Curve, KeyMaterial};

/// `rsaEncryption` (1.2.840.113549.1.1.1) with its `NULL` parameters.
const RSA: [u8; 13] = [
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// `id-ecPublicKey` (1.2.840.10045.2.1).
const EC: [u8; 9] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// `secp256r1` (1.2.840.10045.3.1.7).
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// `secp384r1` (1.3.132.0.34).
const P384: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
/// `secp521r1` (1.3.132.0.35).
const P521: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
/// `id-Ed25519` (1.3.101.112).
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];

/// Encodes a key as the `SubjectPublicKeyInfo` of its type.
pub(super) fn spki_der(material: &KeyMaterial) -> Vec<u8> {
    match material {
        KeyMaterial::Rsa { modulus, exponent } => {
            let key = sequence(&[&unsigned_integer(modulus), &unsigned_integer(exponent)]);
            sequence(&[&sequence(&[&RSA]), &bit_string(&key)])
        }
        KeyMaterial::Ec { curve, point } => {
            let curve: &[u8] = match curve {
                Curve::P256 => &P256,
                Curve::P384 => &P384,
                Curve::P521 => &P521,
            };
            sequence(&[&sequence(&[&EC, curve]), &bit_string(point)])
        }
        KeyMaterial::Ed25519(key) => sequence(&[&sequence(&[&ED25519]), &bit_string(key)]),
    }
}

//! The DER form of a public key that hosts and libraries take: `SubjectPublicKeyInfo`.
//!
//! Sources: RFC 5280 section 4.1, RFC 3279 section 2.3, RFC 5480 section 2.1, RFC 8410 section 4.

use der::asn1::{AnyRef, BitString, ObjectIdentifier, UintRef};
use der::{Encode, Sequence};
use spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::key::{Curve, KeyMaterial};

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

fn oid(curve: Curve) -> ObjectIdentifier {
    match curve {
        Curve::P256 => P256,
        Curve::P384 => P384,
        Curve::P521 => P521,
    }
}

#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

/// Encodes a key as the `SubjectPublicKeyInfo` of its type.
pub(super) fn spki_der(material: &KeyMaterial) -> der::Result<Vec<u8>> {
    match material {
        KeyMaterial::Rsa { modulus, exponent } => {
            let key = RsaPublicKey {
                modulus: UintRef::new(modulus)?,
                exponent: UintRef::new(exponent)?,
            };
            wrap(RSA_ENCRYPTION, Some(AnyRef::NULL), &key.to_der()?)
        }
        KeyMaterial::Ec { curve, point } => {
            wrap(EC_PUBLIC_KEY, Some(AnyRef::from(&oid(*curve))), point)
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

//! The signature arithmetic of the filter: Envoy's own function where it can, pure Rust where it
//! cannot.
//!
//! Envoy's `verify_signature` does RSA PKCS#1 v1.5 and ECDSA in `BoringSSL`, 5 to 60 times faster than
//! Wasm. It knows no PSS and no Ed25519, and it would accept SHA-1: the hash is chosen here, from
//! the algorithm, and never taken from a token.

use edgeward_core::jose::{Algorithm, BadSignature, KeyMaterial, PublicKey, SignatureCheck, der};
use edgeward_filter_pss::Hash;

/// Calls the host's `verify_signature` with a serialised `VerifySignatureArguments`; whether it
/// answered that the signature holds.
pub trait VerifySignature {
    /// See above.
    fn verify_signature(&self, arguments: &[u8]) -> bool;
}

/// Checks signatures by the host `H` or in the module.
pub struct FilterCheck<H>(pub H);

impl<H: VerifySignature> SignatureCheck for FilterCheck<H> {
    fn check(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        let by_host = |hash: &str, signature: &[u8]| {
            let arguments = verify_signature_arguments(hash, key.spki_der(), signature, signed);
            if self.0.verify_signature(&arguments) {
                Ok(())
            } else {
                Err(BadSignature)
            }
        };
        match algorithm {
            Algorithm::Rs256 => by_host("sha256", signature),
            Algorithm::Rs384 => by_host("sha384", signature),
            Algorithm::Rs512 => by_host("sha512", signature),
            Algorithm::Es256 => by_host("sha256", &ecdsa_der(signature, 32)?),
            Algorithm::Es384 => by_host("sha384", &ecdsa_der(signature, 48)?),
            Algorithm::Es512 => by_host("sha512", &ecdsa_der(signature, 66)?),
            Algorithm::Ps256 => pss(Hash::Sha256, key, signed, signature),
            Algorithm::Ps384 => pss(Hash::Sha384, key, signed, signature),
            Algorithm::Ps512 => pss(Hash::Sha512, key, signed, signature),
            Algorithm::EdDsa => ed25519(key, signed, signature),
        }
    }
}

fn ed25519(key: &PublicKey, signed: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
    let KeyMaterial::Ed25519(key) = key.material() else {
        return Err(BadSignature);
    };
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| BadSignature)?;
    let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| BadSignature)?;
    key.verify_strict(signed, &signature)
        .map_err(|_| BadSignature)
}

fn pss(hash: Hash, key: &PublicKey, signed: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
    let KeyMaterial::Rsa { modulus, exponent } = key.material() else {
        return Err(BadSignature);
    };
    let holds = edgeward_filter_pss::verifies(hash, [modulus, exponent], signed, signature);
    if holds { Ok(()) } else { Err(BadSignature) }
}

/// A JWS has `r || s` (RFC 7518 section 3.4); the host wants the ASN.1 form (RFC 3279 section 2.2.3).
fn ecdsa_der(signature: &[u8], coordinate: usize) -> Result<Vec<u8>, BadSignature> {
    if signature.len() != 2 * coordinate {
        return Err(BadSignature);
    }
    let (r, s) = signature.split_at(coordinate);
    Ok(der::sequence(&[
        &der::unsigned_integer(r),
        &der::unsigned_integer(s),
    ]))
}

/// `message VerifySignatureArguments { string hash_function = 1; bytes public_key = 2;
/// bytes signature = 3; bytes text = 4; }` (Envoy, `foreign.cc`).
fn verify_signature_arguments(hash: &str, key: &[u8], signature: &[u8], text: &[u8]) -> Vec<u8> {
    let mut message =
        Vec::with_capacity(hash.len() + key.len() + signature.len() + text.len() + 24);
    for (tag, field) in [
        (0x0a, hash.as_bytes()),
        (0x12, key),
        (0x1a, signature),
        (0x22, text),
    ] {
        message.push(tag);
        push_varint(field.len(), &mut message);
        message.extend_from_slice(field);
    }
    message
}

fn push_varint(mut number: usize, message: &mut Vec<u8>) {
    while number >= 0x80 {
        message.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    message.push(u8::try_from(number).unwrap_or_default());
}

/// The host's `VerifySignatureResult { bool result = 1; }` that says yes, and nothing else.
pub const VERIFIED: [u8; 2] = [0x08, 0x01];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_of_another_length_never_reaches_the_host() {
        for length in [0, 1, 63, 65, 96] {
            assert!(ecdsa_der(&vec![1; length], 32).is_err(), "{length}");
        }
        let der = ecdsa_der(&[[0xff; 32], [0x01; 32]].concat(), 32).unwrap();
        assert_eq!(
            der[..5],
            [0x30, 69, 0x02, 33, 0x00],
            "a high bit is kept unsigned"
        );
    }

    #[test]
    fn the_host_is_told_hash_key_signature_and_text() {
        let message = verify_signature_arguments("sha256", &[1], &[2; 200], &[3]);
        assert_eq!(message[..11], *b"\x0a\x06sha256\x12\x01\x01");
        assert_eq!(message[11..14], [0x1a, 0xc8, 0x01]);
        assert!(message.ends_with(&[0x22, 1, 3]));
    }
}

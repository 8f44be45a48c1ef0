//! What Edgeward says of one signature: by the PDP's check and by the filter's, which must agree.
//!
//! The filter's host is played by aws-lc-rs, which is given exactly the bytes that Envoy would be
//! given; so the encoding of those arguments is under test as well.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};
use edgeward::crypto::AwsLc;
use edgeward_core::jose::{Algorithm, CompactJws, KeySet, KeyUse, PublicKey, SignatureCheck as _};
use edgeward_filter::signature::{FilterCheck, VerifySignature};
use serde_json::Value;

/// The end of one case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Both checks hold the signature good.
    Verified,
    /// Refused, with the first reason.
    Refused(String),
    /// PDP and filter do not agree: never acceptable.
    Disagreement { pdp: bool, filter: bool },
}

impl Verdict {
    pub(crate) fn is_verified(&self) -> bool {
        *self == Self::Verified
    }

    pub(crate) fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Whether this is what a label of `valid` or anything else asks for.
    pub(crate) fn is(&self, label: &str) -> bool {
        match label {
            "valid" => self.is_verified(),
            _ => self.is_refused(),
        }
    }
}

/// A compact JWS under a key set: read, key chosen, signature checked.
pub(crate) fn of_jws(token: &str, keys: &Value) -> Verdict {
    let keys = match KeySet::parse(keys.to_string().as_bytes(), KeyUse::Signature) {
        Ok(keys) => keys,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    let jws = match CompactJws::parse(token) {
        Ok(jws) => jws,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    match keys.select(jws.key_id.as_deref(), jws.algorithm) {
        Ok(key) => of_signature(jws.algorithm, key, jws.signed, &jws.signature),
        Err(error) => Verdict::Refused(error.to_string()),
    }
}

/// One signature by both checks.
pub(crate) fn of_signature(
    algorithm: Algorithm,
    key: &PublicKey,
    signed: &[u8],
    signature: &[u8],
) -> Verdict {
    let pdp = AwsLc.check(algorithm, key, signed, signature).is_ok();
    let filter = FilterCheck(Host)
        .check(algorithm, key, signed, signature)
        .is_ok();
    match (pdp, filter) {
        (true, true) => Verdict::Verified,
        (false, false) => Verdict::Refused("signature does not verify".to_owned()),
        _ => Verdict::Disagreement { pdp, filter },
    }
}

/// Envoy's `verify_signature`, played by aws-lc-rs: the key's type is the SPKI's, as in Envoy.
struct Host;

impl VerifySignature for Host {
    fn verify_signature(&self, arguments: &[u8]) -> bool {
        let [hash, key, signature, text] = fields(arguments);
        let candidates: [&'static dyn VerificationAlgorithm; 2] = match hash {
            b"sha256" => [&RSA_PKCS1_2048_8192_SHA256, &ECDSA_P256_SHA256_ASN1],
            b"sha384" => [&RSA_PKCS1_2048_8192_SHA384, &ECDSA_P384_SHA384_ASN1],
            b"sha512" => [&RSA_PKCS1_2048_8192_SHA512, &ECDSA_P521_SHA512_ASN1],
            other => panic!("the host was asked for the hash {other:?}"),
        };
        candidates.into_iter().any(|check| {
            UnparsedPublicKey::new(check, key)
                .verify(text, signature)
                .is_ok()
        })
    }
}

/// The four length-delimited fields of `VerifySignatureArguments`, in order.
fn fields(mut message: &[u8]) -> [&[u8]; 4] {
    let fields = [0x0a, 0x12, 0x1a, 0x22].map(|tag| {
        let (&found, rest) = message.split_first().expect("a field");
        assert_eq!(found, tag, "protobuf tag");
        let (length, rest) = varint(rest);
        let (field, rest) = rest.split_at(length);
        message = rest;
        field
    });
    assert!(message.is_empty(), "nothing after the last field");
    fields
}

fn varint(bytes: &[u8]) -> (usize, &[u8]) {
    let last = bytes
        .iter()
        .position(|byte| *byte < 0x80)
        .expect("a last byte");
    let (digits, rest) = bytes.split_at(last + 1);
    let number = digits
        .iter()
        .rev()
        .fold(0, |number, digit| (number << 7) | usize::from(digit & 0x7f));
    (number, rest)
}

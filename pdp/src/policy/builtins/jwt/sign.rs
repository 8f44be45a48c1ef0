//! `io.jwt.encode_sign` and `io.jwt.encode_sign_raw`: tokens signed with a key that the policy has.
//!
//! Signatures of ECDSA and PSS differ each time: what rests on one is not remembered (`footprint`).

use std::fmt::Write as _;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use aws_lc_rs::{hmac, rsa};
use edgeward_core::jose::{Algorithm, decode_base64url, der, encode_base64url};
use regorus::Value;
use serde_json::{Map, Value as Json};

use super::super::digests::jws_hmac;
use super::{Arguments, Failed, token};
use crate::crypto::sign_rsa;

/// Header, claims and key are objects.
pub(super) fn encode_sign(a: &Arguments<'_>) -> Result<Value, Failed> {
    let json = |operand: usize| {
        a.object(operand)?;
        Ok(as_go_writes(&a.any(operand).to_string()))
    };
    signed(&json(0)?, &json(1)?, &json(2)?)
}

/// Header, payload and key are texts, taken as they are.
pub(super) fn encode_sign_raw(a: &Arguments<'_>) -> Result<Value, Failed> {
    signed(a.text(0)?, a.text(1)?, a.text(2)?)
}

/// JSON as Go writes it: fit to stand in HTML.
fn as_go_writes(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            }
            other => text.push(other),
        }
    }
    text
}

fn signed(header: &str, payload: &str, key: &str) -> Result<Value, Failed> {
    let members = serde_json::from_str::<Map<String, Json>>(header).unwrap_or_default();
    let text = |name: &str| members.get(name).and_then(Json::as_str);
    let algorithm = text("alg").ok_or_else(|| {
        Failed::refused("missing or invalid 'alg' header: jwsbb: header \"alg\" not found")
    })?;
    let json = serde_json::from_str::<serde::de::IgnoredAny>(payload);
    // A header without a type is taken for one of a token.
    if text("typ").is_none_or(|name| name == "JWT") && json.is_err() {
        return Err(Failed::refused("type is JWT but payload is not JSON"));
    }
    let key = token::object(key.as_bytes())
        .map_err(|why| Failed::Refused(format!("failed to parse a JWK key (set): {why}")))?;
    let message = format!(
        "{}.{}",
        encode_base64url(header.as_bytes()),
        encode_base64url(payload.as_bytes())
    );
    let signature = signature(algorithm, &Private(&key), message.as_bytes())?;
    Ok(Value::from(format!(
        "{message}.{}",
        encode_base64url(&signature)
    )))
}

fn signature(algorithm: &str, key: &Private<'_>, message: &[u8]) -> Result<Vec<u8>, Failed> {
    if let Some(algorithm) = jws_hmac(algorithm) {
        key.is_of("oct")?;
        let secret = hmac::Key::new(algorithm, &key.bytes("k")?);
        return Ok(hmac::sign(&secret, message).as_ref().to_vec());
    }
    let of_key = Algorithm::ALL.into_iter().find(|a| a.as_str() == algorithm);
    let of_key = of_key.ok_or_else(|| Failed::refused("unknown JWS algorithm"))?;
    let curve = match of_key {
        Algorithm::Es256 => Some(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => Some(&ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::Es512 => Some(&ECDSA_P521_SHA512_FIXED_SIGNING),
        _ => None,
    };
    match (of_key, curve) {
        (_, Some(curve)) => {
            key.is_of("EC")?;
            let point = [vec![4], key.bytes("x")?, key.bytes("y")?].concat();
            let pair =
                EcdsaKeyPair::from_private_key_and_public_key(curve, &key.bytes("d")?, &point);
            let pair = pair.map_err(|_| no_key())?;
            let signature = pair.sign(&SystemRandom::new(), message);
            signature
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| no_key())
        }
        (Algorithm::EdDsa, _) => {
            key.is_of("OKP")?;
            let pair = Ed25519KeyPair::from_seed_and_public_key(&key.bytes("d")?, &key.bytes("x")?);
            let signature = pair.map_err(|_| no_key())?.try_sign(message);
            signature
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| no_key())
        }
        _ => {
            key.is_of("RSA")?;
            sign_rsa(&key.rsa()?, of_key, message).map_err(|_| no_key())
        }
    }
}

fn no_key() -> Failed {
    Failed::refused("not a private key of this algorithm")
}

/// A private JWK (RFC 7518 section 6).
struct Private<'k>(&'k Map<String, Json>);

impl Private<'_> {
    fn is_of(&self, kind: &str) -> Result<(), Failed> {
        match self.0.get("kty").and_then(Json::as_str) {
            Some(own) if own == kind => Ok(()),
            _ => Err(no_key()),
        }
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, Failed> {
        let text = self.0.get(name).and_then(Json::as_str);
        let text = text.ok_or_else(|| Failed::Refused(format!("the key has no `{name}`")))?;
        decode_base64url(text)
            .map_err(|_| Failed::Refused(format!("the key's `{name}` is no base64url")))
    }

    /// RFC 8017 appendix A.1.2.
    fn rsa(&self) -> Result<rsa::KeyPair, Failed> {
        let mut parts = vec![der::unsigned_integer(&[])];
        for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
            parts.push(der::unsigned_integer(&self.bytes(name)?));
        }
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        rsa::KeyPair::from_der(&der::sequence(&parts)).map_err(|_| no_key())
    }
}

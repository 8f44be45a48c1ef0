//! `io.jwt.verify_*`: whether a signature is of the algorithm named by the function. Neither the token's
//! claims nor, as in OPA, the algorithm in its header are looked at.

use aws_lc_rs::hmac;
use regorus::Value;
use serde_json::Value as Json;

use super::super::digests::jws_hmac;
use super::keys::{keys, verified};
use super::token::Token;
use super::{Arguments, Failed};

/// By a public key.
pub(super) fn by_key(algorithm: &'static str, a: &Arguments<'_>) -> Result<Value, Failed> {
    let token = Token::parse(a.text(0)?)?;
    let keys = keys(a.text(1)?)?;
    let signature = token.signature()?;
    let header = token.header()?;
    let text = |name: &str| header.get(name).and_then(Json::as_str).unwrap_or_default();
    let named = (text("alg"), text("kid"));
    let holds = verified(&keys, algorithm, named, &token.signed(), &signature);
    Ok(Value::from(holds))
}

/// By a secret.
pub(super) fn by_secret(algorithm: &'static str, a: &Arguments<'_>) -> Result<Value, Failed> {
    let token = Token::parse(a.text(0)?)?;
    let secret = a.text(1)?;
    let holds = has_mac(algorithm, secret, &token.signed(), &token.signature()?);
    Ok(Value::from(holds))
}

/// Whether `mac` is the one of `signed`; never for an algorithm that is none of a secret.
pub(super) fn has_mac(algorithm: &str, secret: &str, signed: &[u8], mac: &[u8]) -> bool {
    jws_hmac(algorithm).is_some_and(|algorithm| {
        let key = hmac::Key::new(algorithm, secret.as_bytes());
        hmac::verify(&key, signed, mac).is_ok()
    })
}

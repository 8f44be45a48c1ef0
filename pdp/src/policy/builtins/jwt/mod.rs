//! `io.jwt.*`: tokens that a policy holds, beside the caller's own, which is verified before any policy.
//!
//! Signatures are checked by `crate::crypto`, as everywhere: an RSA key below 2048 bits verifies
//! nothing here, though it may in OPA. Not there, for lack of bounds or of need: encryption.
//!
//! Order of reading: `token` (three parts), `keys` (what verifies), `verify`, `decode_verify`, `sign`.

pub(in crate::policy) mod clock;
pub(super) mod decode_verify;
mod keys;
mod sign;
mod token;
mod verify;

use edgeward_core::revocation::hex;
use regorus::Value;
use serde_json::Value as Json;

use super::{Arguments, Builtin, Failed};
use token::Token;

/// What is here, but for [`DECODE_VERIFY`].
pub(super) const ALL: &[Builtin] = &[
    ("io.jwt.decode", 1, decode),
    ("io.jwt.encode_sign", 3, sign::encode_sign),
    ("io.jwt.encode_sign_raw", 3, sign::encode_sign_raw),
    ("io.jwt.verify_eddsa", 2, |a| verify::by_key("EdDSA", a)),
    ("io.jwt.verify_es256", 2, |a| verify::by_key("ES256", a)),
    ("io.jwt.verify_es384", 2, |a| verify::by_key("ES384", a)),
    ("io.jwt.verify_es512", 2, |a| verify::by_key("ES512", a)),
    ("io.jwt.verify_hs256", 2, |a| verify::by_secret("HS256", a)),
    ("io.jwt.verify_hs384", 2, |a| verify::by_secret("HS384", a)),
    ("io.jwt.verify_hs512", 2, |a| verify::by_secret("HS512", a)),
    ("io.jwt.verify_ps256", 2, |a| verify::by_key("PS256", a)),
    ("io.jwt.verify_ps384", 2, |a| verify::by_key("PS384", a)),
    ("io.jwt.verify_ps512", 2, |a| verify::by_key("PS512", a)),
    ("io.jwt.verify_rs256", 2, |a| verify::by_key("RS256", a)),
    ("io.jwt.verify_rs384", 2, |a| verify::by_key("RS384", a)),
    ("io.jwt.verify_rs512", 2, |a| verify::by_key("RS512", a)),
];

/// The one that reads the clock.
pub(in crate::policy) const DECODE_VERIFY: &str = "io.jwt.decode_verify";

/// Header, payload and signature of a token, or of the one inside. Nothing is verified.
fn decode(a: &Arguments<'_>) -> Result<Value, Failed> {
    let mut text = a.text(0)?.to_owned();
    // Each token is shorter than the one around it.
    loop {
        let token = Token::parse(&text)?;
        let header = token.header()?;
        let payload = token.payload()?;
        let content = match header.get("cty") {
            None => "",
            Some(Json::String(content)) => content,
            Some(_) => return Err(Failed::refused("cty: must be a string")),
        };
        if content == "JWT" {
            let inner = String::from_utf8(payload)
                .map_err(|_| Failed::refused("nested token is not text"))?;
            text = serde_json::from_str(&inner).unwrap_or(inner);
            continue;
        }
        let signature = token.signature()?;
        let payload = token::object(&payload)?;
        return Ok(Value::from(vec![
            token::value(header),
            token::value(payload),
            Value::from(hex(&signature)),
        ]));
    }
}

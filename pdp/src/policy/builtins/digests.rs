//! `crypto.md5`, `crypto.sha1`, `crypto.sha256` and `crypto.hmac.*`: digests in hexadecimal.
//!
//! MD5 and SHA-1 are there because policies compare what others made; nothing of Edgeward rests on them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use edgeward_core::revocation::hex;
use md5::{Digest as _, Md5};
use regorus::Value;

use super::arguments::Arguments;
use super::{Builtin, Failed};

/// The digests and what is made of them.
pub(super) const ALL: &[Builtin] = &[
    ("crypto.md5", 1, |a| {
        Ok(hexed(&md5(&[a.text(0)?.as_bytes()])))
    }),
    ("crypto.sha1", 1, |a| digested(&SHA1_FOR_LEGACY_USE_ONLY, a)),
    ("crypto.sha256", 1, |a| digested(&SHA256, a)),
    ("crypto.hmac.md5", 2, |a| {
        let (message, key) = (a.text(0)?, a.text(1)?);
        Ok(hexed(&hmac_md5(key.as_bytes(), message.as_bytes())))
    }),
    ("crypto.hmac.sha1", 2, |a| {
        mac(HMAC_SHA1_FOR_LEGACY_USE_ONLY, a)
    }),
    ("crypto.hmac.sha256", 2, |a| mac(HMAC_SHA256, a)),
    ("crypto.hmac.sha512", 2, |a| mac(HMAC_SHA512, a)),
    ("crypto.hmac.equal", 2, |a| {
        let (left, right) = (a.text(0)?, a.text(1)?);
        let equal = verify_slices_are_equal(left.as_bytes(), right.as_bytes());
        Ok(Value::from(equal.is_ok()))
    }),
];

/// The bytes of a block of MD5.
const MD5_BLOCK: usize = 64;

fn digested(algorithm: &'static digest::Algorithm, a: &Arguments<'_>) -> Result<Value, Failed> {
    let message = a.text(0)?;
    Ok(hexed(
        digest::digest(algorithm, message.as_bytes()).as_ref(),
    ))
}

/// The message is the first operand, the key the second.
fn mac(algorithm: hmac::Algorithm, a: &Arguments<'_>) -> Result<Value, Failed> {
    let (message, key) = (a.text(0)?, a.text(1)?);
    let key = hmac::Key::new(algorithm, key.as_bytes());
    Ok(hexed(hmac::sign(&key, message.as_bytes()).as_ref()))
}

/// The HMAC of a JWS algorithm (RFC 7518 section 3.2); none for a name that is none.
pub(super) fn jws_hmac(algorithm: &str) -> Option<hmac::Algorithm> {
    match algorithm {
        "HS256" => Some(HMAC_SHA256),
        "HS384" => Some(HMAC_SHA384),
        "HS512" => Some(HMAC_SHA512),
        _ => None,
    }
}

fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut state = Md5::new();
    for part in parts {
        state.update(part);
    }
    state.finalize().into()
}

/// RFC 2104: the library has no HMAC of MD5.
fn hmac_md5(key: &[u8], message: &[u8]) -> [u8; 16] {
    let hashed;
    let key = if key.len() > MD5_BLOCK {
        hashed = md5(&[key]);
        &hashed
    } else {
        key
    };
    let pad = |with: u8| {
        let mut block = [with; MD5_BLOCK];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        block
    };
    let inner = md5(&[&pad(0x36), message]);
    md5(&[&pad(0x5c), &inner])
}

fn hexed(bytes: &[u8]) -> Value {
    Value::from(hex(bytes))
}

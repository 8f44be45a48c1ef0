//! The registered claims, read strictly: a wrong type is an error, never absence (the class of
//! CVE-2026-25537). Times are range-checked; every other claim is passed on untouched.
//!
//! Sources: RFC 7519 section 4.1, RFC 7800 (`cnf`), RFC 8705 section 3.1 (`x5t#S256`).

use serde_json::Value;
use thiserror::Error;

use crate::jose::decode_base64url;
use crate::json::{self, JsonError};
use crate::time::UnixSeconds;

/// 9999-12-31T23:59:59Z: later dates are a mistake or an attack on arithmetic.
const LAST_INSTANT: u64 = 253_402_300_799;
/// The longest subject, token id or audience looked at, in bytes.
const MAX_TEXT_BYTES: usize = 2048;
const MAX_AUDIENCES: usize = 64;

/// Why a payload is not a set of claims Edgeward would believe.
#[derive(Debug, Error)]
pub enum ClaimsError {
    /// Not a JSON object, or a member name twice.
    #[error("payload: {0}")]
    Json(#[from] JsonError),
    /// A claim is there but has the wrong type, is empty, too long or out of range.
    #[error("claim `{0}` has the wrong type or is out of range")]
    Malformed(&'static str),
    /// A claim that must be there is not.
    #[error("claim `{0}` is missing")]
    Missing(&'static str),
}

/// What a token demands of the connection it arrives on (RFC 7800).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// A bearer token: no demand.
    None,
    /// The peer's certificate has this SHA-256 digest (RFC 8705).
    Certificate([u8; 32]),
    /// A proof that a bearer header cannot carry (`DPoP`, WIMSE, a key by value).
    Proof,
}

/// The claims of a token. Not a fact until the signature was checked.
#[derive(Debug, Clone)]
pub struct Claims {
    /// `iss`.
    pub issuer: Option<String>,
    /// `sub`.
    pub subject: String,
    /// `aud`: one or many, in the order given.
    pub audience: Vec<String>,
    /// `exp`.
    pub expires_at: UnixSeconds,
    /// `nbf`.
    pub not_before: Option<UnixSeconds>,
    /// `iat`.
    pub issued_at: Option<UnixSeconds>,
    /// `jti`.
    pub token_id: Option<String>,
    /// `cnf`.
    pub binding: Binding,
    /// `sid`, where it is text (OpenID Connect Front-Channel Logout 1.0 section 3).
    pub session: Option<String>,
    /// All claims as they stand in the token: the text of one JSON object, strictly read.
    pub all: String,
}

impl Claims {
    /// Reads the payload of a token. `sub`, `aud` and `exp` must be there.
    pub fn parse(payload: Vec<u8>) -> Result<Self, ClaimsError> {
        let all =
            String::from_utf8(payload).map_err(|error| JsonError::from(error.utf8_error()))?;
        let names = [
            "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "sid",
        ];
        let [iss, sub, aud, exp, nbf, iat, jti, cnf, sid] = json::pick(all.as_bytes(), names)?;
        Ok(Self {
            issuer: text(iss, "iss")?,
            subject: text(sub, "sub")?.ok_or(ClaimsError::Missing("sub"))?,
            audience: audience(aud)?,
            expires_at: instant(exp, "exp")?.ok_or(ClaimsError::Missing("exp"))?,
            not_before: instant(nbf, "nbf")?,
            issued_at: instant(iat, "iat")?,
            token_id: text(jti, "jti")?,
            binding: binding(cnf)?,
            session: match sid {
                Some(Value::String(session)) => Some(session),
                _ => None,
            },
            all,
        })
    }
}

fn text(claim: Option<Value>, name: &'static str) -> Result<Option<String>, ClaimsError> {
    match claim {
        None => Ok(None),
        Some(Value::String(text)) if is_acceptable(&text) => Ok(Some(text)),
        Some(_) => Err(ClaimsError::Malformed(name)),
    }
}

/// Control characters never belong in a name; they end up in logs and headers.
fn is_acceptable(text: &str) -> bool {
    let has_control = || text.chars().any(char::is_control);
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    !text.is_empty() && text.len() <= MAX_TEXT_BYTES && (is_plain || !has_control())
}

fn audience(claim: Option<Value>) -> Result<Vec<String>, ClaimsError> {
    let malformed = || ClaimsError::Malformed("aud");
    match claim {
        None => Err(ClaimsError::Missing("aud")),
        Some(Value::String(name)) if is_acceptable(&name) => Ok(vec![name]),
        Some(Value::Array(names)) if (1..=MAX_AUDIENCES).contains(&names.len()) => names
            .into_iter()
            .map(|name| match name {
                Value::String(name) if is_acceptable(&name) => Ok(name),
                _ => Err(malformed()),
            })
            .collect(),
        Some(_) => Err(malformed()),
    }
}

/// A `NumericDate`: RFC 7519 allows fractions, which are cut off, so that a token never lives
/// longer than it says.
fn instant(claim: Option<Value>, name: &'static str) -> Result<Option<UnixSeconds>, ClaimsError> {
    let Some(value) = claim else {
        return Ok(None);
    };
    let seconds = match value {
        Value::Number(number) => number.as_u64().or_else(|| whole_seconds(number.as_f64()?)),
        _ => None,
    };
    match seconds {
        Some(seconds) if seconds <= LAST_INSTANT => Ok(Some(UnixSeconds(seconds))),
        _ => Err(ClaimsError::Malformed(name)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the range check before the cast leaves non-negative numbers far below 2^53"
)]
fn whole_seconds(number: f64) -> Option<u64> {
    (0.0..=LAST_INSTANT as f64)
        .contains(&number)
        .then_some(number as u64)
}

fn binding(claim: Option<Value>) -> Result<Binding, ClaimsError> {
    let malformed = || ClaimsError::Malformed("cnf");
    let confirmation = match claim {
        None => return Ok(Binding::None),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(malformed()),
    };
    match confirmation.get("x5t#S256") {
        // Exactly this one method; a second one would be a demand that nobody checks.
        Some(Value::String(digest)) if confirmation.len() == 1 => {
            let digest = decode_base64url(digest).map_err(|_| malformed())?;
            Ok(Binding::Certificate(
                digest.try_into().map_err(|_| malformed())?,
            ))
        }
        None if !confirmation.is_empty() => Ok(Binding::Proof),
        _ => Err(malformed()),
    }
}

//! A compact JWS, split and decoded but not yet verified.
//!
//! INVARIANT: nothing of a [`CompactJws`] is a fact until a signature over `signed` was checked;
//! `crate::token::verify` is the only reader that turns one into an identity.

use serde_json::Value;
use thiserror::Error;

use super::Algorithm;
use super::base64url;
use crate::json::{self, JsonError};

/// The longest token looked at, in bytes. Checked before anything is split or decoded.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The longest `kid` looked at, in bytes.
pub const MAX_KID_BYTES: usize = 512;
/// Header parameters that would steer key choice or change what is signed. Never honoured, and a
/// token that carries one is refused, so that no other verifier can read it another way.
const FORBIDDEN: [&str; 9] = [
    "crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc", "epk",
];
/// The header parameters that are looked at.
const HEADER: [&str; 12] = {
    let [a, b, c, d, e, f, g, h, i] = FORBIDDEN;
    ["alg", "typ", "kid", a, b, c, d, e, f, g, h, i]
};

/// Why a text is not a compact JWS that Edgeward would look at.
#[derive(Debug, Error)]
pub enum JwsError {
    /// Longer than [`MAX_TOKEN_BYTES`].
    #[error("token is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// Not three parts with a dot between each.
    #[error("token does not have three parts")]
    NotThreeParts,
    /// A part is not canonical unpadded base64url.
    #[error("{part} is not canonical base64url")]
    Encoding {
        /// `header`, `payload` or `signature`.
        part: &'static str,
    },
    /// The header is not a JSON object, or has a member twice.
    #[error("header: {0}")]
    Header(#[source] JsonError),
    /// `alg`, `typ` or `kid` has the wrong type, or `alg` is missing.
    #[error("header member `{member}` is missing or has the wrong type")]
    HeaderMember {
        /// The member's name.
        member: &'static str,
    },
    /// `alg` names nothing Edgeward verifies (`none`, HMAC, JWE, other case forms).
    #[error("header `alg` is not supported")]
    UnsupportedAlgorithm,
    /// The header has a parameter that Edgeward never honours.
    #[error("header parameter `{parameter}` is not honoured")]
    ForbiddenParameter {
        /// The parameter's name.
        parameter: &'static str,
    },
}

/// A compact JWS: header read strictly, payload and signature decoded, nothing verified.
#[derive(Debug)]
pub struct CompactJws<'a> {
    /// The header's `alg`.
    pub algorithm: Algorithm,
    /// The header's `typ`, as written.
    pub token_type: Option<String>,
    /// The header's `kid`.
    pub key_id: Option<String>,
    /// The bytes the signature is over: header, dot, payload, as received.
    pub signed: &'a [u8],
    /// The decoded payload.
    pub payload: Vec<u8>,
    /// The decoded signature.
    pub signature: Vec<u8>,
}

impl<'a> CompactJws<'a> {
    /// Splits and decodes `token`. Sizes are checked first; JSON serialisations have no third part.
    pub fn parse(token: &'a str) -> Result<Self, JwsError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JwsError::TooLong);
        }
        Self::parse_of_any_length(token)
    }

    /// As [`Self::parse`], for what is no token of a caller and was bounded by whoever read it.
    pub fn parse_of_any_length(token: &'a str) -> Result<Self, JwsError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(JwsError::NotThreeParts)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::NotThreeParts)?;
        if payload.contains('.') {
            return Err(JwsError::NotThreeParts);
        }
        let header = decode(header, "header")?;
        let [algorithm, token_type, key_id, forbidden @ ..] =
            json::pick(&header, HEADER).map_err(JwsError::Header)?;
        let mut parameters = FORBIDDEN.into_iter().zip(&forbidden);
        if let Some((parameter, _)) = parameters.find(|(_, value)| value.is_some()) {
            return Err(JwsError::ForbiddenParameter { parameter });
        }
        let algorithm = text_member(algorithm, "alg")?
            .ok_or(JwsError::HeaderMember { member: "alg" })?
            .parse()
            .map_err(|_| JwsError::UnsupportedAlgorithm)?;
        let key_id = text_member(key_id, "kid")?;
        if (key_id.as_ref()).is_some_and(|kid| kid.is_empty() || kid.len() > MAX_KID_BYTES) {
            return Err(JwsError::HeaderMember { member: "kid" });
        }
        Ok(Self {
            algorithm,
            token_type: text_member(token_type, "typ")?,
            key_id,
            signed: signed.as_bytes(),
            payload: decode(payload, "payload")?,
            signature: decode(signature, "signature")?,
        })
    }
}

fn decode(part: &str, name: &'static str) -> Result<Vec<u8>, JwsError> {
    base64url::decode(part).map_err(|_| JwsError::Encoding { part: name })
}

/// A string member, absent only when it is not there: `null` is the wrong type, not absence.
fn text_member(value: Option<Value>, member: &'static str) -> Result<Option<String>, JwsError> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwsError::HeaderMember { member }),
    }
}

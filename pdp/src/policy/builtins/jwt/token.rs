//! A compact JWS (RFC 7515 section 7.1) as OPA reads one: less strict than `edgeward_core::jose`, which
//! reads the tokens that Edgeward itself trusts.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use regorus::Value;
use serde_json::{Map, Value as Json};

use super::Failed;
use crate::policy::value::from_json;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Its three parts, still encoded.
pub(super) struct Token<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl<'t> Token<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, Failed> {
        let parts: Vec<&str> = text.split('.').collect();
        match *parts.as_slice() {
            [_] => Err(Failed::refused("encoded JWT had no period separators")),
            [header, payload, signature] => Ok(Self {
                header,
                payload,
                signature,
            }),
            _ => Err(Failed::Refused(format!(
                "encoded JWT must have 3 sections, found {}",
                parts.len()
            ))),
        }
    }

    pub(super) fn header(&self) -> Result<Map<String, Json>, Failed> {
        object(&decoded("header", self.header)?)
            .map_err(|why| Failed::Refused(format!("bad JWT header: {why}")))
    }

    pub(super) fn payload(&self) -> Result<Vec<u8>, Failed> {
        decoded("payload", self.payload)
    }

    pub(super) fn signature(&self) -> Result<Vec<u8>, Failed> {
        decoded("signature", self.signature)
    }

    /// What the signature is of.
    pub(super) fn signed(&self) -> Vec<u8> {
        format!("{}.{}", self.header, self.payload).into_bytes()
    }
}

fn decoded(part: &str, text: &str) -> Result<Vec<u8>, Failed> {
    LENIENT
        .decode(text)
        .map_err(|error| Failed::Refused(format!("JWT {part} had invalid encoding: {error}")))
}

/// A JSON object.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Json>, Failed> {
    match serde_json::from_slice(bytes) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err(Failed::refused("decoded JSON type was not an Object")),
        Err(error) => Err(Failed::Refused(format!("invalid JSON: {error}"))),
    }
}

/// A JSON object as the policy sees it.
pub(super) fn value(members: Map<String, Json>) -> Value {
    from_json(Json::Object(members))
}

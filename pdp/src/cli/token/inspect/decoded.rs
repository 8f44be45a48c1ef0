//! A token taken apart, as far as it can be: more is read here than any verifier would take.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use edgeward_core::jose::decode_base64url;
use edgeward_core::json;
use serde_json::{Map, Value};

use super::findings::Finding;

/// What a text turned out to be.
pub(super) enum Decoded {
    /// A signed JWT.
    Jwt(Jwt),
    /// A compact JWE: five parts, of which only the header can be read.
    Encrypted(Map<String, Value>),
    /// A signed `GetCallerIdentity` of AWS.
    AwsRequest,
    /// Anything else.
    Opaque,
}

/// The readable parts of a JWT.
pub(super) struct Jwt {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    /// How long the signature is, in bytes. The bytes themselves stay unseen.
    pub(super) signature_bytes: usize,
    /// What no strict reader would take.
    pub(super) flaws: Vec<Finding>,
}

impl Decoded {
    pub(super) fn of(token: &str) -> Self {
        let is_aws = token.starts_with("k8s-aws-v1.")
            || (token.starts_with('{') && token.contains("\"iam_http_request_method\""));
        if is_aws {
            return Self::AwsRequest;
        }
        let parts: Vec<&str> = token.split('.').collect();
        let mut flaws = Vec::new();
        match parts.as_slice() {
            [header, claims, signature] => {
                let header = object(header, "header", &mut flaws);
                let claims = object(claims, "payload", &mut flaws);
                let (Some(header), Some(claims)) = (header, claims) else {
                    return Self::Opaque;
                };
                let signature = bytes(signature, "signature", &mut flaws);
                Self::Jwt(Jwt {
                    header,
                    claims,
                    signature_bytes: signature.map_or(0, |signature| signature.len()),
                    flaws,
                })
            }
            [header, _, _, _, _] => match object(header, "header", &mut flaws) {
                Some(header) => Self::Encrypted(header),
                None => Self::Opaque,
            },
            _ => Self::Opaque,
        }
    }
}

fn object(part: &str, name: &'static str, flaws: &mut Vec<Finding>) -> Option<Map<String, Value>> {
    let bytes = bytes(part, name, flaws)?;
    if let Ok(members) = json::parse_object(&bytes) {
        return Some(members);
    }
    let members = serde_json::from_slice(&bytes).ok()?;
    let detail = format!("{name}: a member is there twice; the last one is shown");
    flaws.push(Finding::new("duplicate-member", detail));
    Some(members)
}

fn bytes(part: &str, name: &'static str, flaws: &mut Vec<Finding>) -> Option<Vec<u8>> {
    if let Ok(bytes) = decode_base64url(part) {
        return Some(bytes);
    }
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let bytes = GeneralPurpose::new(&URL_SAFE, lenient).decode(part).ok()?;
    let detail = format!("{name} is not canonical base64url: verifiers refuse it");
    flaws.push(Finding::new("encoding-not-canonical", detail));
    Some(bytes)
}

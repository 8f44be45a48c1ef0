//! A SPIFFE trust bundle: the keys by which one trust domain's SVIDs are known.
//!
//! What this is not: fetching or rolling over (the PDP's), or X.509 path validation (Envoy's).
//!
//! Source: `SPIFFE_Trust_Domain_and_Bundle.md` section 4 (repository state 2026-07-01). An empty
//! `keys` revokes everything: it parses, and then nothing verifies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::jose::{KeySet, KeySetError, KeyUse};
use crate::json;

/// Why a document is not a SPIFFE bundle.
#[derive(Debug, Error)]
pub enum BundleError {
    /// The JWK Set around it, or one of its JWT-SVID keys.
    #[error(transparent)]
    Keys(#[from] KeySetError),
    /// A bundle parameter of the wrong type.
    #[error("`{0}` is not a non-negative integer")]
    Parameter(&'static str),
    /// An `x509-svid` entry without exactly one certificate in `x5c`. A `kid`, which publishers must
    /// not set, is no error: consumers are not told to look at it (`X509-SVID.md` section 6.2).
    #[error("keys[{0}]: an `x509-svid` entry must have exactly one certificate in `x5c`")]
    X509Entry(usize),
}

/// The keys of one trust domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpiffeBundle {
    /// `spiffe_sequence`: grows with every change.
    pub sequence: Option<u64>,
    /// `spiffe_refresh_hint`, in seconds.
    pub refresh_hint: Option<u64>,
    /// The keys of JWT-SVIDs.
    pub jwt_keys: KeySet,
    /// The DER certificates that sign X.509-SVIDs.
    pub x509_authorities: Vec<Vec<u8>>,
}

impl SpiffeBundle {
    /// Reads a bundle from its bytes.
    pub fn parse(document: &[u8]) -> Result<Self, BundleError> {
        let members = json::parse_object(document).map_err(KeySetError::from)?;
        Self::from_members(&members)
    }

    /// Reads a document that was parsed already (and strictly).
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, BundleError> {
        Ok(Self {
            sequence: counter(members, "spiffe_sequence")?,
            refresh_hint: counter(members, "spiffe_refresh_hint")?,
            jwt_keys: KeySet::from_members(members, KeyUse::JwtSvid)?,
            x509_authorities: x509_authorities(members)?,
        })
    }
}

fn counter(members: &Map<String, Value>, name: &'static str) -> Result<Option<u64>, BundleError> {
    match members.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(BundleError::Parameter(name)),
    }
}

fn x509_authorities(members: &Map<String, Value>) -> Result<Vec<Vec<u8>>, BundleError> {
    let entries = members
        .get("keys")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let mut authorities = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        if entry.get("use").and_then(Value::as_str) != Some("x509-svid") {
            continue;
        }
        let certificate = match entry
            .get("x5c")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
        {
            Some([Value::String(certificate)]) if !certificate.is_empty() => {
                STANDARD.decode(certificate).ok()
            }
            _ => None,
        };
        authorities.push(certificate.ok_or(BundleError::X509Entry(index))?);
    }
    Ok(authorities)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_x509_entry_is_known_by_its_one_certificate_whether_or_not_it_has_a_kid() {
        let parse = |entry: &str| {
            let entry = format!(r#"{{"keys":[{{"use":"x509-svid","kty":"EC"{entry}}}]}}"#);
            SpiffeBundle::parse(entry.as_bytes())
        };
        for entry in [r#","x5c":["AQI="]"#, r#","x5c":["AQI="],"kid":"a""#] {
            let bundle = parse(entry).unwrap();
            assert_eq!(bundle.x509_authorities, [[1, 2]]);
            assert!(bundle.jwt_keys.is_empty(), "an authority became a JWT key");
        }
        for entry in ["", r#","x5c":[]"#, r#","x5c":["AQI=","AQI="]"#] {
            let refused = parse(entry).unwrap_err().to_string();
            assert!(refused.contains("keys[0]: "), "{entry}: {refused}");
            assert!(refused.contains("exactly one certificate"), "{refused}");
        }
    }
}

//! What a PEP must do when it lets a request pass. Checked when it is read: one that cannot be met
//! never becomes an [`Obligations`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::headers;
use crate::request::field_value;

const MAX_HEADERS: usize = 32;
const MAX_HEADER_VALUE_BYTES: usize = 8 * 1024;

/// What the PEP must do when it lets a request pass. One that it does not know is a deny: an
/// obligation that nobody meets is no obligation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawObligations")]
pub struct Obligations {
    /// Headers to set on the request, replacing any of that name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub request_headers: BTreeMap<String, String>,
    /// Headers to set on the response, replacing any of that name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub response_headers: BTreeMap<String, String>,
}

impl Obligations {
    /// Headers to set, checked.
    pub fn new(
        request_headers: BTreeMap<String, String>,
        response_headers: BTreeMap<String, String>,
    ) -> Result<Self, ObligationError> {
        for map in [&request_headers, &response_headers] {
            check_headers(map)?;
        }
        Ok(Self {
            request_headers,
            response_headers,
        })
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.request_headers.is_empty() && self.response_headers.is_empty()
    }
}

/// An obligation that cannot be met as written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ObligationError {
    /// A header name that may not be set (not a lower-case token, or one that steers a hop).
    #[error("obligation sets header `{0}`, which may not be set")]
    HeaderName(String),
    /// A value with a control character, or too long.
    #[error("obligation sets header `{0}` to a value with a control character or above 8 KiB")]
    HeaderValue(String),
    /// More than 32 headers.
    #[error("obligation sets more than {MAX_HEADERS} headers")]
    TooManyHeaders,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawObligations {
    #[serde(default)]
    request_headers: BTreeMap<String, String>,
    #[serde(default)]
    response_headers: BTreeMap<String, String>,
}

impl TryFrom<RawObligations> for Obligations {
    type Error = ObligationError;

    fn try_from(raw: RawObligations) -> Result<Self, ObligationError> {
        Self::new(raw.request_headers, raw.response_headers)
    }
}

fn check_headers(map: &BTreeMap<String, String>) -> Result<(), ObligationError> {
    if map.len() > MAX_HEADERS {
        return Err(ObligationError::TooManyHeaders);
    }
    for (name, value) in map {
        if !headers::may_be_set(name) {
            return Err(ObligationError::HeaderName(name.clone()));
        }
        if value.len() > MAX_HEADER_VALUE_BYTES || field_value(value.as_bytes()).is_err() {
            return Err(ObligationError::HeaderValue(name.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obligations(text: &str) -> Result<Obligations, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn an_obligation_that_cannot_be_met_is_an_error() {
        for text in [
            r#"{"unknown":{}}"#,
            r#"{"request_headers":{":path":"/x"}}"#,
            r#"{"request_headers":{"host":"x"}}"#,
            r#"{"request_headers":{"X-Upper":"x"}}"#,
            r#"{"request_headers":{"a b":"x"}}"#,
            r#"{"response_headers":{"x":"a\r\nb: c"}}"#,
            r#"{"request_headers":{"x":1}}"#,
            r#"{"request_headers":null}"#,
            "null",
        ] {
            assert!(obligations(text).is_err(), "{text}");
        }
        assert!(obligations("{}").unwrap().is_empty());
    }
}

//! What was decided, and what must be done with it.
//!
//! INVARIANT: there is no third value, no default and no way from a bare `bool` to a [`Decision`].
//! Whoever holds an [`Decision::Allow`] holds the decision's id.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::headers;
use crate::request::field_value;

const MAX_ID_BYTES: usize = 128;
const MAX_HEADERS: usize = 32;
const MAX_HEADER_VALUE_BYTES: usize = 8 * 1024;

/// Names one decision, everywhere: header, log, metrics, evidence.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DecisionId(String);

/// The text cannot be a decision id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("decision id must be 1 to {MAX_ID_BYTES} characters of `A-Za-z0-9._:-`")]
pub struct DecisionIdError;

impl DecisionId {
    /// The id of the `number`th decision that a holder of `lease` makes by itself; `kind` says what
    /// made it: `identity`, `posture`, `refused`. Such as `identity-3f2a…-1c`.
    pub fn numbered(kind: LocalKind, lease: &Lease, number: u64) -> Self {
        Self(format!("{}-{}-{number:x}", kind.as_str(), lease.0))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DecisionId {
    type Err = DecisionIdError;

    fn from_str(text: &str) -> Result<Self, DecisionIdError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for DecisionId {
    type Error = DecisionIdError;

    fn try_from(text: String) -> Result<Self, DecisionIdError> {
        let allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
        if text.is_empty() || text.len() > MAX_ID_BYTES || !text.bytes().all(allowed) {
            return Err(DecisionIdError);
        }
        Ok(Self(text))
    }
}

impl From<DecisionId> for String {
    fn from(id: DecisionId) -> Self {
        id.0
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What made a decision that no PDP made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalKind {
    /// The route asks for an identity only.
    Identity,
    /// The PDP did not answer, and the route's posture let the request pass.
    Posture,
    /// The request was refused before any PDP was asked.
    Refused,
    /// A PDP decided, but did not name its decision.
    Unnamed,
}

impl LocalKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Posture => "posture",
            Self::Refused => "refused",
            Self::Unnamed => "unnamed",
        }
    }
}

/// Unique to one answer of the sync feed: tells the decisions of one worker from all others'. At
/// most 64 characters of `A-Za-z0-9`. The default, `unsynced`, is used before the first feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lease(String);

impl Default for Lease {
    fn default() -> Self {
        Self("unsynced".to_owned())
    }
}

impl TryFrom<String> for Lease {
    type Error = DecisionIdError;

    fn try_from(text: String) -> Result<Self, DecisionIdError> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if (1..=64).contains(&text.len()) && plain {
            Ok(Self(text))
        } else {
            Err(DecisionIdError)
        }
    }
}

impl From<Lease> for String {
    fn from(lease: Lease) -> Self {
        lease.0
    }
}

/// What the PEP must do when it lets a request pass. One that it does not know is a deny: an
/// obligation that nobody meets is no obligation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// The answer to one question.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The request may pass, once every obligation is met.
    Allow {
        /// Names the decision.
        id: DecisionId,
        /// Why, as stable codes.
        reasons: Vec<String>,
        /// What must be done.
        obligations: Obligations,
    },
    /// The request may not pass.
    Deny {
        /// Names the decision.
        id: DecisionId,
        /// Why, as stable codes.
        reasons: Vec<String>,
    },
}

impl Decision {
    /// Names the decision.
    pub fn id(&self) -> &DecisionId {
        match self {
            Self::Allow { id, .. } | Self::Deny { id, .. } => id,
        }
    }

    /// Why, as stable codes.
    pub fn reasons(&self) -> &[String] {
        match self {
            Self::Allow { reasons, .. } | Self::Deny { reasons, .. } => reasons,
        }
    }

    /// Whether the request may pass.
    pub fn is_allow(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }
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

    #[test]
    fn a_decision_id_is_safe_to_write_anywhere() {
        for text in ["", "a b", "a\"", "a\n", &"a".repeat(129)] {
            assert!(text.parse::<DecisionId>().is_err(), "{text:?}");
        }
        assert!("d-01.X_:9".parse::<DecisionId>().is_ok());
    }
}

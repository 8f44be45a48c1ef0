//! What was decided, and what must be done with it.
//!
//! INVARIANT: there is no third value, no default and no way from a bare `bool` to a [`Decision`].
//! Whoever holds an [`Decision::Allow`] holds the decision's id.

mod obligations;
mod premises;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use obligations::{ObligationError, Obligations};
pub use premises::Premises;

const MAX_ID_BYTES: usize = 128;

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
        // By hand: every request has one, and formatting is dear in the filter's module.
        let mut id = String::with_capacity(lease.0.len() + 32);
        for part in [kind.as_str(), "-", &lease.0, "-"] {
            id.push_str(part);
        }
        let digits = (64 - number.leading_zeros()).div_ceil(4).max(1);
        for digit in (0..digits).rev() {
            let value = u32::try_from((number >> (digit * 4)) & 0xf).unwrap_or_default();
            id.extend(char::from_digit(value, 16));
        }
        Self(id)
    }

    /// The id of the `number`th decision that a holder of `lease` takes from its memory: it names
    /// the decision that was remembered. None where both do not fit into one id.
    pub fn cached(lease: &Lease, number: u64, original: &Self) -> Option<Self> {
        Self::reused(LocalKind::Cached, lease, number, original)
    }

    /// As before; `kind` says how it came to be reused.
    pub fn reused(kind: LocalKind, lease: &Lease, number: u64, original: &Self) -> Option<Self> {
        let Self(mut id) = Self::numbered(kind, lease, number);
        id.push('.');
        id.push_str(&original.0);
        (id.len() <= MAX_ID_BYTES).then_some(Self(id))
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
    /// The same question was decided before, and what that decision rests on still stands.
    Cached,
    /// So it was, but the time of that decision is over, the PDP did not answer, and the route's
    /// posture allows it.
    Stale,
}

impl LocalKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Posture => "posture",
            Self::Refused => "refused",
            Self::Unnamed => "unnamed",
            Self::Cached => "cached",
            Self::Stale => "stale",
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

impl Lease {
    /// The lease.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Lease> for String {
    fn from(lease: Lease) -> Self {
        lease.0
    }
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

    /// The same decision under another id.
    #[inline(never)]
    pub fn under(&self, id: DecisionId) -> Self {
        match self {
            Self::Allow {
                reasons,
                obligations,
                ..
            } => Self::Allow {
                id,
                reasons: reasons.clone(),
                obligations: obligations.clone(),
            },
            Self::Deny { reasons, .. } => Self::Deny {
                id,
                reasons: reasons.clone(),
            },
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

    #[test]
    fn a_numbered_decision_says_kind_lease_and_number() {
        let lease = Lease::try_from("3f2a".to_owned()).unwrap();
        for (number, hex) in [
            (0, "0"),
            (1, "1"),
            (16, "10"),
            (0x1c, "1c"),
            (u64::MAX, "ffffffffffffffff"),
        ] {
            let id = DecisionId::numbered(LocalKind::Identity, &lease, number);
            assert_eq!(id.as_str(), format!("identity-3f2a-{hex}"));
        }
    }

    #[test]
    fn a_cached_decision_names_the_one_that_was_remembered() {
        let lease = Lease::try_from("3f2a".to_owned()).unwrap();
        let original: DecisionId = "0199-d".parse().unwrap();
        let id = DecisionId::cached(&lease, 7, &original).unwrap();
        assert_eq!(id.as_str(), "cached-3f2a-7.0199-d");
        assert!(id.as_str().parse::<DecisionId>().is_ok());
        let id = DecisionId::reused(LocalKind::Stale, &lease, 8, &original).unwrap();
        assert_eq!(id.as_str(), "stale-3f2a-8.0199-d");
        let long: DecisionId = "d".repeat(MAX_ID_BYTES).parse().unwrap();
        assert_eq!(DecisionId::cached(&lease, 7, &long), None);
    }

    #[test]
    fn a_decision_id_is_safe_to_write_anywhere() {
        for text in ["", "a b", "a\"", "a\n", &"a".repeat(129)] {
            assert!(text.parse::<DecisionId>().is_err(), "{text:?}");
        }
        assert!("d-01.X_:9".parse::<DecisionId>().is_ok());
    }
}

//! What the entry point answered, read strictly: `{allow, reasons[], obligations{…}, ttl,
//! valid_until}` or a bare boolean. Anything else is a [`Failure`], and a failure denies.
//!
//! INVARIANT: a [`Verdict`] that allows comes from a well-formed answer that said so.

use edgeward_core::decision::Obligations;
use edgeward_core::json::Object;
use edgeward_core::time::UnixSeconds;
use jiff::Timestamp;
use regorus::Value;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use super::bounded::check_size;

/// Reason codes one answer may carry.
const MAX_REASONS: usize = 32;
/// Characters of one reason code.
const MAX_REASON: usize = 64;

/// A well-formed answer of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Verdict {
    /// Whether the request may pass.
    pub allow: bool,
    /// Why, as kebab-case codes.
    pub reasons: Vec<String>,
    /// What must be done with an allow.
    pub obligations: Obligations,
    /// For how many seconds the answer may be remembered.
    pub ttl: Option<u64>,
    /// Until when it may be remembered.
    pub valid_until: Option<UnixSeconds>,
}

/// Why there is no verdict. Each denies under its own code.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// The entry point has no value for this input.
    #[error("the entry point is undefined")]
    Undefined,
    /// The value is not of the shape above.
    #[error("the entry point's value is not a decision: {0}")]
    ResultInvalid(String),
    /// A rule failed.
    #[error("evaluation failed: {0}")]
    Error(String),
    /// Evaluation took longer than it may.
    #[error("evaluation took longer than it may")]
    Timeout,
    /// Evaluation took more memory than it may.
    #[error("evaluation took more memory than it may")]
    Memory,
}

impl Failure {
    /// The reason code of the deny.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Undefined => "policy-undefined",
            Self::ResultInvalid(_) => "policy-result-invalid",
            Self::Error(_) => "policy-error",
            Self::Timeout => "policy-timeout",
            Self::Memory => "policy-memory",
        }
    }
}

impl Verdict {
    /// Reads the entry point's value.
    pub fn read(value: &Value) -> Result<Self, Failure> {
        let invalid = |what: &dyn std::fmt::Display| Failure::ResultInvalid(what.to_string());
        match value {
            Value::Undefined => Err(Failure::Undefined),
            Value::Bool(allow) => Ok(Self::bare(*allow)),
            Value::Object(_) => {
                check_size(value).map_err(|_| Failure::Memory)?;
                let json = serde_json::to_value(value).map_err(|e| invalid(&e))?;
                let Object(raw) =
                    serde_json::from_value::<Object<RawVerdict>>(json).map_err(|e| invalid(&e))?;
                raw.check().map_err(Failure::ResultInvalid)
            }
            _ => Err(invalid(&"neither an object nor a boolean")),
        }
    }

    /// Until when the policy lets it be remembered, where it says so; made at `now`. Whichever of
    /// its two ways to say it ends first.
    pub fn ends(&self, now: UnixSeconds) -> Option<UnixSeconds> {
        let ttl = self.ttl.map(|ttl| now.plus(ttl));
        ttl.into_iter().chain(self.valid_until).min()
    }

    fn bare(allow: bool) -> Self {
        Self {
            allow,
            reasons: Vec::new(),
            obligations: Obligations::default(),
            ttl: None,
            valid_until: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVerdict {
    allow: bool,
    #[serde(default)]
    reasons: Vec<String>,
    #[serde(default, deserialize_with = "obligations")]
    obligations: Obligations,
    #[serde(default, deserialize_with = "present")]
    ttl: Option<u64>,
    #[serde(default, deserialize_with = "instant")]
    valid_until: Option<UnixSeconds>,
}

impl RawVerdict {
    fn check(self) -> Result<Verdict, String> {
        let Self {
            allow,
            reasons,
            obligations,
            ttl,
            valid_until,
        } = self;
        if reasons.len() > MAX_REASONS {
            return Err(format!("`reasons` has more than {MAX_REASONS} codes"));
        }
        if let Some(reason) = reasons.iter().find(|reason| !is_code(reason)) {
            let shown: String = reason.chars().take(MAX_REASON).collect();
            return Err(format!(
                "`reasons` holds `{shown}`, which is no kebab-case code of at most {MAX_REASON} characters"
            ));
        }
        Ok(Verdict {
            allow,
            reasons,
            obligations,
            ttl,
            valid_until,
        })
    }
}

fn is_code(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    text.len() <= MAX_REASON && text.split('-').all(word)
}

/// `serde` would read null as absent; here absent is absent and null is a mistake.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    reader: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(reader).map(Some)
}

fn obligations<'de, D: Deserializer<'de>>(reader: D) -> Result<Obligations, D::Error> {
    Object::deserialize(reader).map(|Object(obligations)| obligations)
}

fn instant<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<UnixSeconds>, D::Error> {
    use serde::de::Error as _;
    let value = serde_json::Value::deserialize(reader)?;
    let seconds = match &value {
        serde_json::Value::Number(number) => number.as_u64(),
        serde_json::Value::String(text) => text
            .parse::<Timestamp>()
            .ok()
            .and_then(|at| u64::try_from(at.as_second()).ok()),
        _ => None,
    };
    let seconds = seconds
        .ok_or_else(|| D::Error::custom("`valid_until` is neither RFC 3339 nor Unix seconds"))?;
    Ok(Some(UnixSeconds(seconds)))
}

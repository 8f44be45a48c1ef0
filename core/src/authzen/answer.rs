//! The answer, as the PDP writes it and the filter reads it.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::decision::{Decision, DecisionId, Obligations};
use crate::json::{self, JsonError, Object};
use crate::time::UnixSeconds;

/// The answer. Unknown members are ignored, as the standard demands; a member of ours that has the
/// wrong type spoils the whole answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct EvaluationResponse {
    /// Whether the request may pass.
    pub decision: bool,
    /// Edgeward's part.
    #[serde(
        default,
        deserialize_with = "object",
        skip_serializing_if = "Option::is_none"
    )]
    pub context: Option<ResponseContext>,
}

/// What Edgeward's PDP says beside the decision.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ResponseContext {
    /// Names the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<DecisionId>,
    /// Why, as stable codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// What must be done with an allow.
    #[serde(
        default,
        deserialize_with = "obligations",
        skip_serializing_if = "Obligations::is_empty"
    )]
    pub obligations: Obligations,
    /// Until when the decision may be remembered, where the policy says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<UnixSeconds>,
    /// The policy that decided.
    #[serde(
        default,
        deserialize_with = "object",
        skip_serializing_if = "Option::is_none"
    )]
    pub policy: Option<PolicyReference>,
}

/// A derived reader would take an array for an object, and null for an absent member.
fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    reader: D,
) -> Result<Option<T>, D::Error> {
    Object::deserialize(reader).map(|Object(value)| Some(value))
}

fn obligations<'de, D: Deserializer<'de>>(reader: D) -> Result<Obligations, D::Error> {
    Object::deserialize(reader).map(|Object(obligations)| obligations)
}

/// Names a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyReference {
    /// Its revision.
    pub revision: String,
}

/// The body is not an answer, so it cannot allow.
#[derive(Debug, Error)]
pub enum AnswerError {
    /// Not strict JSON; also where only a member that nobody reads is not.
    #[error("not an access evaluation response: {0}")]
    Json(#[from] JsonError),
    /// JSON of another shape, or an obligation that cannot be met.
    #[error("not an access evaluation response: {0}")]
    Shape(#[from] serde_json::Error),
}

/// Reads an answer. `fallback` names the decision where the PDP, which may be another vendor's,
/// does not.
pub fn read_answer(body: &[u8], fallback: DecisionId) -> Result<Decision, AnswerError> {
    let answer = Value::Object(json::parse_object(body)?);
    let answer = EvaluationResponse::deserialize(answer)?;
    let ResponseContext {
        id,
        reasons,
        obligations,
        ..
    } = answer.context.unwrap_or_default();
    let id = id.unwrap_or(fallback);
    Ok(if answer.decision {
        Decision::Allow {
            id,
            reasons,
            obligations,
        }
    } else {
        Decision::Deny { id, reasons }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Result<Decision, AnswerError> {
        read_answer(body.as_bytes(), "fallback".parse().unwrap())
    }

    #[test]
    fn only_a_well_formed_answer_allows() {
        for body in [
            "",
            "true",
            "{}",
            "[]",
            r#"{"decision":"true"}"#,
            r#"{"decision":1}"#,
            r#"{"decision":null}"#,
            r#"{"decision":true,"decision":true}"#,
            r#"{"decision":false,"decision":true}"#,
            r#"{"decision":true} {"decision":true}"#,
            "[true]",
            r#"{"decision":true,"context":[]}"#,
            r#"{"decision":true,"context":null}"#,
            r#"{"decision":true,"context":{"obligations":[]}}"#,
            r#"{"decision":true,"context":{"obligations":null}}"#,
            r#"{"decision":true,"context":{"id":7}}"#,
            r#"{"decision":true,"context":{"id":"a b"}}"#,
            r#"{"decision":true,"context":{"obligations":{"mfa":true}}}"#,
            r#"{"decision":true,"context":{"reasons":"x"}}"#,
            r#"{"decision":true,"context":{"policy":["r1"]}}"#,
            r#"{"decision":true,"context":{"policy":null}}"#,
            r#"{"decision":true,"context":{"policy":{}}}"#,
            r#"{"decision":true,"context":{"valid_until":"2026-01-01T00:00:00Z"}}"#,
            r#"{"decision":true,"more":1,"more":2}"#,
            r#"{"decision":true,"more":"\ud800"}"#,
            r#"{"decision":true,"context":{"obligations":{"request_headers":{"x-a":"1","x-a":"2"}}}}"#,
        ] {
            assert!(read(body).is_err(), "{body}");
        }
        assert!(read(r#"{"decision":true,"more":{}}"#).unwrap().is_allow());
        assert!(
            !read(r#"{"decision":false,"context":{"why":{}}}"#)
                .unwrap()
                .is_allow()
        );
    }

    proptest! {
        #[test]
        fn random_bytes_never_allow(body in "\\PC{0,60}|[{}\":truefalsdcin, ]{0,60}") {
            if let Ok(decision) = read(&body) {
                let value: serde_json::Value = serde_json::from_str(&body).unwrap();
                prop_assert_eq!(decision.is_allow(), value["decision"] == true);
            }
        }
    }
}

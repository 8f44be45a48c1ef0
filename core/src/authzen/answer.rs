//! The answer, as the PDP writes it and the filter reads it.

use serde::Serialize;
use thiserror::Error;

use crate::decision::{Decision, DecisionId, Obligations, Premises};
use crate::members::{MemberError, Members};
use crate::time::UnixSeconds;

/// The answer, as it is written. [`read_answer`] is its reader: not derived, see `crate::members`.
#[derive(Debug, Serialize)]
pub struct EvaluationResponse {
    /// Whether the request may pass.
    pub decision: bool,
    /// Edgeward's part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<ResponseContext>,
}

/// What Edgeward's PDP says beside the decision.
#[derive(Debug, Default, Serialize)]
pub struct ResponseContext {
    /// Names the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<DecisionId>,
    /// Why, as stable codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// What must be done with an allow.
    #[serde(skip_serializing_if = "Obligations::is_empty")]
    pub obligations: Obligations,
    /// Until when the decision may be remembered, where the policy says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<UnixSeconds>,
    /// The policy that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyReference>,
    /// What the decision rests on; without them it must not be remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub premises: Option<Premises>,
}

/// Names a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyReference {
    /// Its revision.
    pub revision: String,
}

/// The body is not an answer, so it cannot allow: not strict JSON (also where only a member that
/// nobody reads is not), JSON of another shape, or an obligation that cannot be met.
#[derive(Debug, Error)]
#[error("not an access evaluation response: {0}")]
pub struct AnswerError(#[from] MemberError);

/// An answer that was read.
#[derive(Debug)]
pub struct Answer {
    /// What was decided.
    pub decision: Decision,
    /// What it rests on, where it may be remembered.
    pub premises: Option<Premises>,
}

/// Reads an answer. Unknown members are ignored, as the standard demands; a member of ours that
/// has the wrong type spoils the whole answer. `fallback` names the decision where the PDP, which
/// may be another vendor's, does not.
pub fn read_answer(
    body: &[u8],
    fallback: impl FnOnce() -> DecisionId,
) -> Result<Answer, AnswerError> {
    let mut answer = Members::parse(body, "answer")?;
    let allow = answer.required_flag("decision")?;
    let mut context = answer.object("context")?;
    let id = context.parsed("id")?.unwrap_or_else(fallback);
    let reasons = context.list("reasons")?.unwrap_or_default();
    let obligations = obligations(&mut context)?;
    if context.has("valid_until") {
        context.required_number("valid_until")?;
    }
    if context.has("policy") {
        context.object("policy")?.required_text("revision")?;
    }
    let premises = premises(&mut context)?;
    let decision = if allow {
        Decision::Allow {
            id,
            reasons,
            obligations,
        }
    } else {
        Decision::Deny { id, reasons }
    };
    Ok(Answer { decision, premises })
}

/// A premise that is not known here is an error: who does not know what a decision rests on cannot
/// tell when it falls.
fn premises(context: &mut Members) -> Result<Option<Premises>, MemberError> {
    if !context.has("premises") {
        return Ok(None);
    }
    let mut read = context.object("premises")?;
    let premises = Premises {
        program: read.required_text("program")?,
        now: UnixSeconds(read.required_number("now")?),
        until: UnixSeconds(read.required_number("until")?),
    };
    read.finish()?;
    Ok(Some(premises))
}

/// An obligation that is not known here is an error: one that nobody meets is none.
fn obligations(context: &mut Members) -> Result<Obligations, MemberError> {
    let mut read = context.object("obligations")?;
    let request_headers = read.texts("request_headers")?;
    let response_headers = read.texts("response_headers")?;
    read.finish()?;
    Obligations::new(request_headers, response_headers)
        .map_err(|error| context.error("obligations", error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Result<Decision, AnswerError> {
        let answer = read_answer(body.as_bytes(), || "fallback".parse().unwrap())?;
        Ok(answer.decision)
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
            r#"{"decision":true,"context":{"premises":null}}"#,
            r#"{"decision":true,"context":{"premises":{"program":"p"}}}"#,
            r#"{"decision":true,"context":{"premises":{"program":"p","now":0,"until":"1"}}}"#,
            r#"{"decision":true,"context":{"premises":{"program":"p","until":1}}}"#,
            r#"{"decision":true,"context":{"premises":{"program":"p","now":0,"until":1,"risk":1}}}"#,
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

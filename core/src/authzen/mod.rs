//! The question and the answer on the wire: an `AuthZEN` 1.0 access evaluation.
//!
//! A question is written here (by the filter) and read by the PDP as plain JSON, for it is the
//! policy's `input` as it stands. An answer is written by the PDP and read here, strictly: only a
//! well-formed one can allow.
//!
//! Source: OpenID `AuthZEN` Authorization API 1.0, sections 5 and 6; Edgeward's shapes are
//! DESIGN section 4.

mod answer;
mod question;

pub use answer::{
    Answer, AnswerError, EvaluationResponse, PolicyReference, ResponseContext, read_answer,
};
pub use question::{
    Action, Context, EvaluationRequest, HttpProperties, MultiMap, Resource, Source, Tls, anonymous,
    subject_of_peer, subject_of_token,
};

/// Whether a `Content-Type` is JSON's, with or without parameters: on both ways nothing else is
/// read. Two values joined by a comma are none.
pub fn is_json(content_type: &[u8]) -> bool {
    let end = content_type.iter().position(|byte| *byte == b';');
    let essence = content_type.get(..end.unwrap_or(content_type.len()));
    essence.is_some_and(|essence| {
        essence
            .trim_ascii()
            .eq_ignore_ascii_case(b"application/json")
    })
}

/// The path of the evaluation endpoint.
pub const EVALUATION_PATH: &str = "/access/v1/evaluation";
/// The same, for a question that our PDP shall evaluate anew and on the whole input as well, so that
/// it sees whether the policy's footprint leaves something out.
pub const COMPARED_EVALUATION: &str = "/access/v1/evaluation?compare=1";
/// The path of the endpoint for many questions at once.
pub const EVALUATIONS_PATH: &str = "/access/v1/evaluations";
/// The path of the endpoint that says which subjects may.
pub const SEARCH_SUBJECT_PATH: &str = "/access/v1/search/subject";
/// The path of the endpoint that says which resources one may do something to.
pub const SEARCH_RESOURCE_PATH: &str = "/access/v1/search/resource";
/// The path of the endpoint that says what one may do.
pub const SEARCH_ACTION_PATH: &str = "/access/v1/search/action";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_is_json_in_any_case_and_with_any_parameter() {
        for kind in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json ;charset=utf-8",
        ] {
            assert!(is_json(kind.as_bytes()), "{kind}");
        }
        for kind in [
            "",
            ";",
            "text/html",
            "text/plain; application/json",
            "application/jsonx",
            "application/problem+json",
            "application/json,text/html",
            "application/json, application/json",
        ] {
            assert!(!is_json(kind.as_bytes()), "{kind}");
        }
    }
}

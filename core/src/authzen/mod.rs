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

pub use answer::{AnswerError, EvaluationResponse, PolicyReference, ResponseContext, read_answer};
pub use question::{
    Action, Context, EvaluationRequest, HttpProperties, MultiMap, Resource, Source, Tls, anonymous,
    subject_of_peer, subject_of_token,
};

/// The path of the evaluation endpoint.
pub const EVALUATION_PATH: &str = "/access/v1/evaluation";

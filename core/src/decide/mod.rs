//! The short way from a filter to its own PDP: the question as the bytes of its projection, the
//! answer as few bytes as it takes. `AuthZEN` (`crate::authzen`) is the way for everybody, also for
//! a filter whose PDP is another vendor's or has no footprint to tell; a sample of questions goes
//! that way too, so that the footprint is tried on whole ones.
//!
//! Why two: written and read as JSON, one question cost Envoy's worker as much as the call itself.
//!
//! A question is [`VERSION`], the name of the program that the filter takes to be in force, what a
//! PDP must know of any question ([`about`]), and the projection onto the program's footprint, each
//! a value as in `crate::cache_key`. Where another program is in force the PDP answers 409, and the
//! filter asks by `AuthZEN`. What an answer is made of stands in
//! `answer.rs`.
//!
//! Several questions are one after the other in one body, and so are the answers, in their order: a call
//! costs Envoy more than all that is asked by it. Of those there may be fewer: a question that takes
//! long does not keep the others waiting, which are asked again.
//!
//! INVARIANT: only a body that is read to its end, without a byte too many, is one of questions or of
//! answers.

mod answer;
mod question;
mod reader;

use thiserror::Error;

use crate::cache_key::KeyError;
use crate::footprint::Footprint;

pub use answer::{Verdict, read_answer, read_answers, write_answer};
pub use question::{Question, read_question, read_questions, write_question};

/// The path of the door.
pub const DECIDE_PATH: &str = "/edgeward/v1/decide";
/// The content type of a question.
pub const QUESTION_TYPE: &str = "application/vnd.edgeward.question";
/// The content type of an answer.
pub const ANSWER_TYPE: &str = "application/vnd.edgeward.answer";
/// The most questions in one body.
pub const MAX_QUESTIONS: usize = 32;
/// The first byte of both: the version of these shapes, and a byte that no JSON and no text has.
pub const VERSION: u8 = 0xf9;

/// Why bytes are neither question nor answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not in the form that filter and PDP speak")]
pub struct WireError;

impl From<KeyError> for WireError {
    fn from(_: KeyError) -> Self {
        Self
    }
}

/// What every question says beside what the policy reads: by what it can be revoked, and what the
/// record of a decision names.
pub fn about() -> Footprint {
    let mut about = Footprint::nothing();
    for path in [
        &["action", "name"][..],
        &["context", "tls", "peer"],
        &["resource", "id"],
        &["subject", "id"],
        &["subject", "properties", "claims", "jti"],
        &["subject", "properties", "claims", "sid"],
        &["subject", "properties", "issuer"],
        &["subject", "properties", "trust_domain"],
    ] {
        about.widen(path.iter().copied());
    }
    about
}

#[cfg(test)]
mod tests;

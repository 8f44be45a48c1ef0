//! The reading of the PDP's answer. It remembers and enforces nothing.

use edgeward_core::decide::Verdict;
use edgeward_core::decision::{Decision, DecisionId, Premises};
use edgeward_core::{authzen, decide};

use crate::caching::Pending;
use crate::step::Door;

/// What the PDP answered.
pub(crate) struct Answer {
    pub(crate) decision: Decision,
    /// What it rests on, where it may be remembered.
    pub(crate) premises: Option<Premises>,
}

/// Reads the answer in `body` to what was asked at `door`; none if that is no answer. `pending` is what
/// it may be remembered by, `fallback` names the decision where the PDP does not.
pub(crate) fn read(
    door: Option<Door>,
    pending: Option<&Pending>,
    body: &[u8],
    fallback: impl FnOnce() -> DecisionId,
) -> Option<Answer> {
    if door != Some(Door::Decide) {
        let answer = authzen::read_answer(body, fallback).ok()?;
        return Some(Answer {
            decision: answer.decision,
            premises: answer.premises,
        });
    }
    let verdict = decide::read_answer(body).ok()?;
    Some(answer_of(verdict, pending))
}

/// The answer of our own PDP to the question of `pending`.
pub(crate) fn answer_of(verdict: Verdict, pending: Option<&Pending>) -> Answer {
    let premises = verdict.holds.zip(pending);
    let premises = premises.map(|((now, until), pending)| Premises {
        program: pending.program.clone(),
        now,
        until,
    });
    Answer {
        decision: verdict.decision,
        premises,
    }
}

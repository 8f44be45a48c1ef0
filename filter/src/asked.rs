//! A question that is being asked, and the reading of its answer. It remembers and enforces nothing.

use edgeward_core::decision::{Decision, DecisionId, Premises};
use edgeward_core::{authzen, decide};

use crate::caching::Pending;
use crate::step::Door;

/// What is needed to read the PDP's answer, and to remember it where that may be done.
#[derive(Debug)]
pub struct Asked {
    /// Where it was asked: the form of the answer depends on it.
    pub door: Door,
    /// The key for what will be answered, where that may be remembered.
    pub pending: Option<Pending>,
}

impl Asked {
    /// The decision in `body`, and what it rests on; none if that is no answer.
    /// `fallback` names it where the PDP does not.
    pub fn read(
        &self,
        body: &[u8],
        fallback: impl FnOnce() -> DecisionId,
    ) -> Option<(Decision, Option<Premises>)> {
        if self.door != Door::Decide {
            let answer = authzen::read_answer(body, fallback).ok()?;
            return Some((answer.decision, answer.premises));
        }
        let verdict = decide::read_answer(body).ok()?;
        let premises = verdict.holds.zip(self.pending.as_ref());
        let premises = premises.map(|((now, until), pending)| Premises {
            program: pending.program.clone(),
            now,
            until,
        });
        Some((verdict.decision, premises))
    }
}

//! One question settled, whatever the door: decided, counted, recorded.
//!
//! Every decision has an id and leaves one log record without claims, headers or query.

use std::sync::Arc;
use std::time::Instant;

use edgeward_core::decision::{Decision, DecisionId, Obligations, Premises};
use edgeward_core::time::UnixSeconds;

use super::asked::Asked;
use super::decide::Decided;
use super::reply::Refusal;
use super::worker::WorkerState;
use crate::policy::{Failure, Verdict};

/// Characters of an id that a log record shows.
const MAX_SHOWN: usize = 256;

/// What a question came to.
pub(super) struct Settled {
    pub(super) id: DecisionId,
    pub(super) answer: Answer,
    pub(super) revision: Arc<str>,
    pub(super) premises: Option<Premises>,
}

/// Settles a question of `now`, by `decide`.
pub(super) fn settle<'b>(
    worker: &WorkerState,
    now: UnixSeconds,
    decide: impl FnOnce() -> Result<(Decided, Asked<'b>), Refusal>,
) -> Result<Settled, Refusal> {
    let started = Instant::now();
    let (decided, asked) = decide()?;
    let took = started.elapsed();
    let Decided {
        id,
        outcome,
        revision,
        premises,
    } = decided;
    worker.state().metrics.decided(&outcome, took);
    let answer = Answer::of(outcome, now);
    let asked = [&*asked.subject, &*asked.action, &*asked.resource];
    answer.log(&id, &revision, asked, took.as_micros());
    Ok(Settled {
        id,
        answer,
        revision,
        premises,
    })
}

/// A decision as it is told.
pub(super) struct Answer {
    pub(super) allow: bool,
    pub(super) reasons: Vec<String>,
    pub(super) obligations: Obligations,
    pub(super) valid_until: Option<UnixSeconds>,
}

impl Answer {
    /// What is answered to a question of `now`.
    fn of(outcome: Result<Arc<Verdict>, Failure>, now: UnixSeconds) -> Self {
        match outcome {
            Ok(verdict) => Self {
                valid_until: verdict.ends(now),
                allow: verdict.allow,
                reasons: verdict.reasons.clone(),
                obligations: if verdict.allow {
                    verdict.obligations.clone()
                } else {
                    Obligations::default()
                },
            },
            Err(failure) => {
                tracing::warn!(code = failure.code(), error = %failure, "policy gave no decision");
                Self {
                    allow: false,
                    reasons: vec![failure.code().to_owned()],
                    obligations: Obligations::default(),
                    valid_until: None,
                }
            }
        }
    }

    /// The same, under its id.
    pub(super) fn named(self, id: DecisionId) -> Decision {
        if self.allow {
            Decision::Allow {
                id,
                reasons: self.reasons,
                obligations: self.obligations,
            }
        } else {
            Decision::Deny {
                id,
                reasons: self.reasons,
            }
        }
    }

    /// The record of the decision: denies at info, allows at debug.
    fn log(&self, id: &DecisionId, revision: &str, asked: [&str; 3], micros: u128) {
        // The caller chose these, and how long they are.
        let [subject, action, resource] = asked.map(shown);
        let reasons = self.reasons.join(",");
        if self.allow {
            tracing::debug!(target: "edgeward::decision", %id, decision = true, subject, action,
                resource, reasons, revision, micros, "decided");
        } else {
            tracing::info!(target: "edgeward::decision", %id, decision = false, subject, action,
                resource, reasons, revision, micros, "decided");
        }
    }
}

/// As much of `text` as a log record needs.
fn shown(text: &str) -> &str {
    let end = text
        .char_indices()
        .nth(MAX_SHOWN)
        .map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default()
}

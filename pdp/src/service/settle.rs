//! One question settled, whatever the door: decided, counted, recorded.
//!
//! Every decision has an id and leaves one log record without claims, headers or query.

use std::sync::Arc;
use std::time::{Duration, Instant};

use edgeward_core::decision::{Decision, DecisionId, Lease, LocalKind, Obligations, Premises};
use edgeward_core::refusal;
use edgeward_core::time::UnixSeconds;

use super::asked::Asked;
use super::clock;
use super::decide::Decided;
use super::identifiers;
use super::inventory;
use super::put::Put;
use super::reply::Refusal;
use super::revoked;
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

/// Settles what is `put` now.
pub(super) fn settle(worker: &WorkerState, put: Put<'_>) -> Result<Settled, Refusal> {
    let (settled, weighed) = weigh(worker, put)?;
    let Weighed {
        asked,
        counted,
        took,
    } = weighed;
    worker.state().metrics.decided(counted, took);
    let Answer { allow, reasons, .. } = &settled.answer;
    let asked = [&*asked.subject, &*asked.action, &*asked.resource];
    let said = (*allow, &*reasons.join(","));
    record(&settled.id, &settled.revision, said, asked, took);
    Ok(settled)
}

/// What there is to count and to record of a question.
pub(super) struct Weighed<'q> {
    asked: Asked<'q>,
    counted: Result<bool, &'static str>,
    took: Duration,
}

impl Weighed<'_> {
    /// Whether the policy allows, or the code of its failure.
    pub(super) fn said(&self) -> Result<bool, &'static str> {
        self.counted
    }
}

/// Decides what is `put` now, and leaves no record of it: one instant, which the policy is told and its
/// answer is dated by.
pub(super) fn weigh<'q>(
    worker: &WorkerState,
    put: Put<'q>,
) -> Result<(Settled, Weighed<'q>), Refusal> {
    let now = clock::now();
    let revocations = worker.state().revocations.snapshot();
    let judge = |asked: &Asked<'_>, revision: &str| {
        revoked::judge(&revocations.revocations, asked, revision)
    };
    let started = Instant::now();
    let (decided, asked) = worker
        .decider()
        .decide(put, now, &worker.state().atoms, judge)?;
    let took = started.elapsed();
    inventory::note(worker, &asked, now);
    let Decided {
        id,
        outcome,
        revision,
        premises,
    } = decided;
    let counted = outcome.as_ref().map(|verdict| verdict.allow);
    let counted = counted.map_err(Failure::code);
    let settled = Settled {
        id,
        answer: Answer::of(outcome, now),
        revision,
        premises,
    };
    let weighed = Weighed {
        asked,
        counted,
        took,
    };
    Ok((settled, weighed))
}

/// Refuses a request before any policy is asked, for the reason `code`; `asked` is its path, its
/// method and its host as they came. Counted and recorded as a decision is.
pub(super) fn refused(
    worker: &WorkerState,
    refusal: refusal::Refusal,
    code: &str,
    asked: [&str; 3],
) -> DecisionId {
    worker.state().metrics.refused(refusal);
    let unnamed = || DecisionId::numbered(LocalKind::Refused, &Lease::default(), 0);
    let named = identifiers::number().and_then(identifiers::decision_id);
    let id = named.unwrap_or_else(|_| unnamed());
    let [path, action, resource] = asked.map(shown);
    tracing::info!(target: "edgeward::decision", %id, decision = false, action, resource, path,
        reasons = code, "refused");
    id
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
}

/// The record of a decision and its reasons: denies at info, allows at debug.
pub(super) fn record(
    id: &DecisionId,
    revision: &str,
    (allow, reasons): (bool, &str),
    asked: [&str; 3],
    took: Duration,
) {
    // The caller chose these, and how long they are.
    let [subject, action, resource] = asked.map(shown);
    let micros = took.as_micros();
    if allow {
        tracing::debug!(target: "edgeward::decision", %id, decision = true, subject, action,
            resource, reasons, revision, micros, "decided");
    } else {
        tracing::info!(target: "edgeward::decision", %id, decision = false, subject, action,
            resource, reasons, revision, micros, "decided");
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

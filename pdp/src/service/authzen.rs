//! The decision door: `POST /access/v1/evaluation` (`AuthZEN` 1.0, section 6).
//!
//! A deny is a 200 with `decision: false`; a 4xx is about the call. Every decision has an id and
//! leaves one log record without claims, headers or query.

use std::rc::Rc;
use std::time::Instant;

use edgeward_core::authzen::{EvaluationResponse, PolicyReference, ResponseContext};
use edgeward_core::decision::{DecisionId, Obligations};
use edgeward_core::time::UnixSeconds;
use http::{HeaderName, Request, StatusCode};
use hyper::body::Incoming;

use super::body::json_body;
use super::clock;
use super::decide::Decided;
use super::question::Question;
use super::reply::{self, Refusal, Reply};
use super::revoked;
use super::worker::WorkerState;
use crate::policy::{Failure, Verdict};

/// Characters of an id that a log record shows.
const MAX_SHOWN: usize = 256;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers an evaluation request, and repeats its `X-Request-ID`.
pub(super) async fn answer(worker: &Rc<WorkerState>, request: Request<Incoming>) -> Reply {
    let request_id = request.headers().get(&REQUEST_ID).cloned();
    let mut reply = match decide(worker, request).await {
        Ok(reply) => reply,
        Err(refusal) => {
            tracing::debug!(?refusal, "evaluation request refused");
            refusal.into()
        }
    };
    if let Some(request_id) = request_id {
        reply.headers_mut().insert(REQUEST_ID, request_id);
    }
    reply
}

async fn decide(worker: &Rc<WorkerState>, request: Request<Incoming>) -> Result<Reply, Refusal> {
    let body = json_body(worker, request, worker.limits().body).await?;
    // One instant: what the policy is told, and what its answer is dated by.
    let now = clock::now();
    let question = Question::read(&body, || clock::text_of(now))?;
    let started = Instant::now();
    let Question {
        input,
        subject,
        action,
        resource,
    } = question;
    let decided = match revoked::judge(worker, &input) {
        Some(denied) => Decided::aside(denied, worker.decider().revision()),
        None => worker.decider().decide(input, now),
    };
    let took = started.elapsed();
    let Decided {
        id,
        outcome,
        revision,
        premises,
    } = decided.map_err(|_| Refusal::Broken)?;
    worker.state().metrics.decided(&outcome, took);
    let answer = Answer::of(outcome, now);
    answer.log(
        &id,
        &revision,
        [&subject, &action, &resource],
        took.as_micros(),
    );
    let response = EvaluationResponse {
        decision: answer.allow,
        context: Some(ResponseContext {
            id: Some(id),
            reasons: answer.reasons,
            obligations: answer.obligations,
            valid_until: answer.valid_until,
            policy: Some(PolicyReference {
                revision: revision.to_string(),
            }),
            premises,
        }),
    };
    Ok(reply::json(StatusCode::OK, &response))
}

struct Answer {
    allow: bool,
    reasons: Vec<String>,
    obligations: Obligations,
    valid_until: Option<UnixSeconds>,
}

impl Answer {
    /// What is answered to a question of `now`.
    fn of(outcome: Result<Verdict, Failure>, now: UnixSeconds) -> Self {
        match outcome {
            Ok(verdict) => Self {
                valid_until: verdict.ends(now),
                allow: verdict.allow,
                reasons: verdict.reasons,
                obligations: if verdict.allow {
                    verdict.obligations
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

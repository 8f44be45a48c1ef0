//! One request, from its headers to its end: events in, steps out. No host call, no clock.
//!
//! ```text
//! receive ──► Gather ──► identify ──► Ask / Queue / Wait ──► answered ──► Forward
//!    │                      │                                   │
//!    └──► Reply / Forward   └──► Reply / Forward                └──► Reply
//! ```
//!
//! What becomes of an answer is in [`crate::outcome`], how a request waits in [`crate::waiting`].
//!
//! INVARIANT: [`Step::Forward`] carries the id of the decision that lets the request pass, unless
//! the route is switched off. Every error, in any state, is a [`Step::Reply`].

use std::rc::Rc;

use edgeward_core::decision::{Decision, DecisionId, LocalKind, Obligations};
use edgeward_core::headers::{DECISION_ID, FORWARDED_CLIENT_CERT, SUBJECT};
use edgeward_core::jose::SignatureCheck;
use edgeward_core::revocation::Kind;

use crate::caller::Caller;
use crate::feed::NotReady;
use crate::flight::{Flight, Waiter};
use crate::identify::{Facts, Field, Identification, IdentityRefusal};
use crate::intake::{Intake, take_in};
use crate::question::{self, Question};
use crate::reply::{Refusal, Reply, is_grpc};
use crate::routes::Mode;
use crate::stats::Counter;
use crate::step::{Changes, Door, Step};
use crate::worker::Worker;

/// One request.
#[derive(Debug, Default)]
pub struct Exchange {
    pub(crate) stream: u32,
    grpc: bool,
    /// Which revocations its caller was found good under.
    pub(crate) good_under: u32,
    /// Which of the PDP's doors is being asked at, if one is: the form of its answer depends on it.
    pub(crate) door: Option<Door>,
    /// The flight that it leads.
    pub(crate) flight: Option<Rc<Flight>>,
    /// Whether it has waited for another's answer: it does so once.
    pub(crate) waited: bool,
    /// Whether it is in a [`Waiter`]: what it asks is the root's to ask.
    pub(crate) held: bool,
    /// Its place among those who wait.
    pub(crate) place: Option<Rc<()>>,
    pub(crate) state: State,
}

#[derive(Debug, Default)]
pub(crate) enum State {
    #[default]
    Fresh,
    TakenIn(Box<Intake>),
    Asked(Box<Intake>, Caller),
    /// What was asked for is held there.
    Waiting(Rc<Waiter>),
    /// Nobody is there any more, but others may wait for the answer.
    Left,
    Ended,
}

impl Exchange {
    /// One of the stream that the host knows by this number.
    pub fn of(stream: u32) -> Self {
        Self {
            stream,
            ..Self::default()
        }
    }

    /// The request's headers have arrived.
    pub fn receive(&mut self, worker: &mut Worker, fields: Vec<Field>) -> Step {
        self.grpc = is_grpc(&fields);
        let intake = match take_in(fields, &worker.config) {
            Ok(intake) => intake,
            Err(refusal) => {
                return self.refuse(worker, Refusal::NotCanonical, refusal.code(), false);
            }
        };
        if intake.settings.mode == Mode::Off {
            return self.forward(worker, intake.changes);
        }
        let tls = intake.has_field(FORWARDED_CLIENT_CERT);
        self.state = State::TakenIn(Box::new(intake));
        Step::Gather { tls }
    }

    /// The connection's facts are known.
    pub fn identify(
        &mut self,
        worker: &mut Worker,
        facts: &Facts<'_>,
        check: &impl SignatureCheck,
    ) -> Step {
        let State::TakenIn(intake) = std::mem::take(&mut self.state) else {
            return self.refuse(worker, Refusal::Unavailable, "filter-out-of-order", false);
        };
        let trust = match worker.synced.trust(worker.config.max_staleness) {
            Ok(trust) => trust,
            Err(reason) => {
                return self.refuse(worker, Refusal::Unavailable, not_ready_code(reason), false);
            }
        };
        let caller = Identification {
            config: &worker.config,
            trust,
            revoked: worker.synced.revoked(),
            memory: &mut worker.memory,
            wanted: &mut worker.wanted,
            tally: &mut worker.tally,
            check,
        }
        .caller(&intake.fields, facts, intake.settings.anonymous);
        self.good_under = worker.synced.revoked().generation;
        match caller {
            Ok(caller) if intake.settings.mode == Mode::Identity => {
                let id = local_id(worker, LocalKind::Identity);
                self.let_pass(worker, *intake, &caller, &id, Obligations::default())
            }
            // Denied as the PDP would deny it, whatever is remembered of its decisions.
            Ok(_) if worker.synced.revoked().policy => {
                worker.tally.count(Counter::CacheMissRevoked);
                self.refuse(worker, Refusal::Denied, Kind::Policy.code(), false)
            }
            Ok(caller) => self.ask(worker, intake, caller, facts),
            Err(refusal) => {
                if matches!(refusal, IdentityRefusal::Revoked(_)) {
                    worker.tally.count(Counter::CacheMissRevoked);
                }
                let shown = intake.has_field(&worker.config.token_header);
                self.refuse(worker, Refusal::Unauthenticated, refusal.code(), shown)
            }
        }
    }

    /// The host could not make the changes: the request does not go on without them.
    pub fn unapplied(&mut self, worker: &mut Worker) -> Step {
        self.refuse(worker, Refusal::Unavailable, "changes-not-applied", false)
    }

    fn ask(
        &mut self,
        worker: &mut Worker,
        intake: Box<Intake>,
        caller: Caller,
        facts: &Facts<'_>,
    ) -> Step {
        match question::put(worker, &intake, &caller, facts) {
            Question::Decided(decision) => self.enforce(worker, *intake, &caller, decision),
            Question::Open(ask, pending) => {
                self.state = State::Asked(intake, caller);
                self.door = Some(ask.door);
                if let Some(pending) = pending
                    && self.waits(worker, pending)
                {
                    return Step::Wait;
                }
                worker.tally.count(Counter::PdpAsked);
                self.asks(worker, ask)
            }
            Question::Unwritable => {
                self.refuse(worker, Refusal::Unavailable, "question-unwritable", false)
            }
        }
    }

    pub(crate) fn enforce(
        &mut self,
        worker: &mut Worker,
        intake: Intake,
        caller: &Caller,
        decision: Decision,
    ) -> Step {
        match decision {
            Decision::Allow {
                id, obligations, ..
            } => self.let_pass(worker, intake, caller, &id, obligations),
            Decision::Deny { id, reasons } => self.deny(worker, id, reasons),
        }
    }

    pub(crate) fn let_pass(
        &mut self,
        worker: &mut Worker,
        intake: Intake,
        caller: &Caller,
        id: &DecisionId,
        obligations: Obligations,
    ) -> Step {
        let Obligations {
            request_headers,
            response_headers,
        } = obligations;
        if !request_headers
            .keys()
            .all(|name| worker.config.may_set_on_request(name))
        {
            let reasons = vec!["obligation-not-allowed".to_owned()];
            return self.deny(worker, id.clone(), reasons);
        }
        let mut changes = intake.changes;
        if !worker.config.forward_token && intake.has_token {
            changes.remove.push(worker.config.token_header.clone());
        }
        if let Some(peer) = caller.peer() {
            changes.remove.retain(|name| name != FORWARDED_CLIENT_CERT);
            changes
                .set
                .push((FORWARDED_CLIENT_CERT.to_owned(), peer.xfcc.clone()));
        }
        changes.set.extend(request_headers);
        changes.set.push((DECISION_ID.to_owned(), id.to_string()));
        changes
            .set
            .push((SUBJECT.to_owned(), caller.subject().to_owned()));
        changes.on_response.extend(response_headers);
        self.forward(worker, changes)
    }

    /// Over: whoever waits for its answer has to go on without.
    fn end(&mut self) {
        self.state = State::Ended;
        self.flight = None;
        self.place = None;
    }

    fn forward(&mut self, worker: &mut Worker, changes: Changes) -> Step {
        self.end();
        worker.tally.count(Counter::Forwarded);
        Step::Forward(changes)
    }

    fn deny(&mut self, worker: &mut Worker, id: DecisionId, reasons: Vec<String>) -> Step {
        self.end();
        worker.tally.count(Counter::Denied);
        Step::Reply(Reply::denied(id, reasons, self.grpc))
    }

    pub(crate) fn refuse(
        &mut self,
        worker: &mut Worker,
        refusal: Refusal,
        code: &str,
        shown: bool,
    ) -> Step {
        self.end();
        worker.tally.count(match refusal {
            Refusal::NotCanonical => Counter::NotCanonical,
            Refusal::Unauthenticated => Counter::Unauthenticated,
            Refusal::Denied => Counter::Denied,
            Refusal::Unavailable => Counter::Unavailable,
        });
        Step::Reply(Reply {
            refusal,
            code: code.to_owned(),
            decision_id: local_id(worker, LocalKind::Refused),
            reasons: Vec::new(),
            credential_shown: shown,
            grpc: self.grpc,
        })
    }
}

fn not_ready_code(reason: NotReady) -> &'static str {
    match reason {
        NotReady::NeverSynced => "not-ready",
        NotReady::Stale => "feed-stale",
    }
}

pub(crate) fn local_id(worker: &mut Worker, kind: LocalKind) -> DecisionId {
    worker.synced.next_decision_id(kind)
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;

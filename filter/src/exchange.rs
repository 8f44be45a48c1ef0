//! One request, from its headers to its end: events in, steps out. No host call, no clock.
//!
//! ```text
//! receive ──► Gather ──► identify ──► Ask ──► answered ──► Forward
//!    │                      │                    │
//!    └──► Reply / Forward   └──► Reply / Forward └──► Reply
//! ```
//!
//! INVARIANT: [`Step::Forward`] carries the id of the decision that lets the request pass, unless
//! the route is switched off. Every error, in any state, is a [`Step::Reply`].

use edgeward_core::decision::{Decision, DecisionId, LocalKind, Obligations};
use edgeward_core::headers::{DECISION_ID, FORWARDED_CLIENT_CERT, SUBJECT};
use edgeward_core::jose::SignatureCheck;
use edgeward_core::revocation::Kind;

use crate::asked::Asked;
use crate::caching;
use crate::feed::NotReady;
use crate::identify::{Caller, Facts, Field, Identification};
use crate::intake::{Intake, take_in};
use crate::question::{self, Question};
use crate::reply::{Refusal, Reply, is_code};
use crate::routes::{Mode, Posture};
use crate::stats::Counter;
use crate::step::{Changes, Door, PdpFailure, Step};
use crate::worker::Worker;

/// One request.
#[derive(Debug, Default)]
pub struct Exchange {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Fresh,
    TakenIn(Box<Intake>),
    Asked(Box<Intake>, Caller, Asked),
    Ended,
}

impl Exchange {
    /// The request's headers have arrived.
    pub fn receive(&mut self, worker: &mut Worker, fields: Vec<Field>) -> Step {
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
        match caller {
            Ok(caller) if intake.settings.mode == Mode::Identity => {
                let id = local_id(worker, LocalKind::Identity);
                self.let_pass(worker, *intake, &caller, &id, Obligations::default())
            }
            // Denied as the PDP would deny it, whatever is remembered of its decisions.
            Ok(_) if worker.synced.revoked().policy => {
                self.refuse(worker, Refusal::Denied, Kind::Policy.code(), false)
            }
            Ok(caller) => self.ask(worker, intake, caller, facts),
            Err(refusal) => {
                let shown = intake.has_field(&worker.config.token_header);
                self.refuse(worker, Refusal::Unauthenticated, refusal.code(), shown)
            }
        }
    }

    /// The PDP has answered with this status and body.
    pub fn answered(&mut self, worker: &mut Worker, status: &str, body: &[u8]) -> Step {
        match status {
            "200" => {}
            // The PDP decides by another program than the one that we know, or is another PDP.
            "404" | "409" if self.door() == Some(Door::Decide) => return self.ask_whole(worker),
            "" | "503" => return self.failed(worker, PdpFailure::Unavailable),
            "504" => return self.failed(worker, PdpFailure::Timeout),
            _ => return self.failed(worker, PdpFailure::Invalid),
        }
        let State::Asked(_, _, asked) = &self.state else {
            return self.failed(worker, PdpFailure::Invalid);
        };
        let Some((decision, premises)) = asked.read(body, || local_id(worker, LocalKind::Unnamed))
        else {
            return self.failed(worker, PdpFailure::Invalid);
        };
        let State::Asked(intake, caller, asked) = std::mem::take(&mut self.state) else {
            return self.refuse(worker, Refusal::Unavailable, "filter-out-of-order", false);
        };
        if let Some(pending) = asked.pending {
            let (cache, settings) = (&mut worker.cache, &worker.config.cache);
            caching::remember(cache, settings, pending, &decision, premises.as_ref());
        }
        self.enforce(worker, *intake, &caller, decision)
    }

    /// Which of the PDP's doors is being asked at, if one is: the form of its answer depends on it.
    pub fn door(&self) -> Option<Door> {
        match &self.state {
            State::Asked(_, _, asked) => Some(asked.door),
            _ => None,
        }
    }

    /// From the connection's facts on again, but with the whole question.
    fn ask_whole(&mut self, worker: &mut Worker) -> Step {
        let State::Asked(mut intake, ..) = std::mem::take(&mut self.state) else {
            return self.refuse(worker, Refusal::Unavailable, "filter-out-of-order", false);
        };
        intake.ask_whole = true;
        let tls = intake.has_field(FORWARDED_CLIENT_CERT);
        self.state = State::TakenIn(intake);
        Step::Gather { tls }
    }

    /// The PDP gave no answer: the route's posture decides, and it denies unless told otherwise.
    pub fn failed(&mut self, worker: &mut Worker, failure: PdpFailure) -> Step {
        worker.tally.count(Counter::PdpFailed);
        let (posture, code) = match (&self.state, failure) {
            (State::Asked(intake, ..), PdpFailure::Unavailable) => {
                (intake.settings.posture.pdp_unavailable, "pdp-unavailable")
            }
            (State::Asked(intake, ..), PdpFailure::Timeout) => {
                (intake.settings.posture.pdp_timeout, "pdp-timeout")
            }
            (_, PdpFailure::Invalid) => (Posture::Deny, "pdp-answer-invalid"),
            (_, _) => (Posture::Deny, "filter-out-of-order"),
        };
        match std::mem::take(&mut self.state) {
            State::Asked(intake, caller, _)
                if posture == Posture::Identity && !matches!(caller, Caller::Anonymous(_)) =>
            {
                worker.tally.count(Counter::PostureUsed);
                let id = local_id(worker, LocalKind::Posture);
                self.let_pass(worker, *intake, &caller, &id, Obligations::default())
            }
            _ => self.refuse(worker, Refusal::Unavailable, code, false),
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
                worker.tally.count(Counter::PdpAsked);
                let door = ask.door;
                self.state = State::Asked(intake, caller, Asked { door, pending });
                Step::Ask(ask)
            }
            Question::Unwritable => {
                self.refuse(worker, Refusal::Unavailable, "question-unwritable", false)
            }
        }
    }

    fn enforce(
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

    fn let_pass(
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

    fn forward(&mut self, worker: &mut Worker, changes: Changes) -> Step {
        self.state = State::Ended;
        worker.tally.count(Counter::Forwarded);
        Step::Forward(changes)
    }

    fn deny(&mut self, worker: &mut Worker, id: DecisionId, reasons: Vec<String>) -> Step {
        self.state = State::Ended;
        worker.tally.count(Counter::Denied);
        let code = reasons.first().filter(|reason| is_code(reason)).cloned();
        Step::Reply(Reply {
            refusal: Refusal::Denied,
            code: code.unwrap_or_else(|| "denied".to_owned()),
            decision_id: id,
            reasons,
            credential_shown: false,
        })
    }

    fn refuse(&mut self, worker: &mut Worker, refusal: Refusal, code: &str, shown: bool) -> Step {
        self.state = State::Ended;
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
        })
    }
}

fn not_ready_code(reason: NotReady) -> &'static str {
    match reason {
        NotReady::NeverSynced => "not-ready",
        NotReady::Stale => "feed-stale",
    }
}

fn local_id(worker: &mut Worker, kind: LocalKind) -> DecisionId {
    worker.synced.next_decision_id(kind)
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;

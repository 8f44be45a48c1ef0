//! What becomes of the PDP's answer, or of there being none: for the request that asked, and for
//! those that waited for the answer to the same question.
//!
//! An answer is told to those who waited only as a remembered decision would be reused: its premises
//! stand at this instant, the feed is fresh, and nothing was revoked since they came. Else each is
//! asked for on its own. That the PDP gave no answer is told to all at once, and each route's posture
//! holds for its own: asking again for each of them would be no safer, and would be the herd that a
//! PDP in trouble can bear least.

use std::rc::Rc;
use std::time::Duration;

use edgeward_core::decide::Verdict;
use edgeward_core::decision::{Decision, LocalKind, Obligations};
use edgeward_core::time::UnixSeconds;

use crate::asked::{self, Answer};
use crate::cache::CachedDecision;
use crate::caching::{self, Pending};
use crate::caller::Caller;
use crate::exchange::{Exchange, State, local_id};
use crate::flight::Flight;
use crate::reply::Refusal;
use crate::routes::Posture;
use crate::stats::Counter;
use crate::step::{Door, PdpFailure, Step};
use crate::worker::Worker;

impl Exchange {
    /// The PDP has answered with this status and body.
    pub fn answered(
        &mut self,
        worker: &mut Worker,
        now: UnixSeconds,
        status: &str,
        body: &[u8],
    ) -> Step {
        // The PDP decides by another program than the one that we know, or is another PDP.
        if matches!(status, "404" | "409") && self.door == Some(Door::Decide) {
            return self.ask_whole();
        }
        let pending = self.flight.as_ref().map(|flight| &flight.pending);
        let outcome = match status {
            "200" => {
                let fallback = || local_id(worker, LocalKind::Unnamed);
                asked::read(self.door, pending, body, fallback).ok_or(PdpFailure::Invalid)
            }
            "" | "429" | "503" => Err(PdpFailure::Unavailable),
            "504" => Err(PdpFailure::Timeout),
            _ => Err(PdpFailure::Invalid),
        };
        self.conclude(worker, now, outcome)
    }

    /// The PDP has decided what was asked at [`Door::Decide`].
    pub(crate) fn decided(
        &mut self,
        worker: &mut Worker,
        now: UnixSeconds,
        verdict: Verdict,
    ) -> Step {
        let pending = self.flight.as_ref().map(|flight| &flight.pending);
        let answer = asked::answer_of(verdict, pending);
        self.conclude(worker, now, Ok(answer))
    }

    /// Which of the PDP's doors is being asked at, if one is: the form of its answer depends on it.
    pub fn door(&self) -> Option<Door> {
        self.door
    }

    /// The PDP gave no answer: the route's posture decides, and it denies unless told otherwise.
    pub fn failed(&mut self, worker: &mut Worker, now: UnixSeconds, failure: PdpFailure) -> Step {
        self.conclude(worker, now, Err(failure))
    }

    #[inline(never)]
    fn conclude(
        &mut self,
        worker: &mut Worker,
        now: UnixSeconds,
        outcome: Result<Answer, PdpFailure>,
    ) -> Step {
        let flight = self.flight.take();
        if outcome.is_err() {
            worker.tally.count(Counter::PdpFailed);
        }
        if let Some(flight) = &flight {
            land(worker, flight, now, &outcome);
        }
        let pending = flight.as_ref().map(|flight| &flight.pending);
        self.settle(worker, now, pending, outcome.map(|answer| answer.decision))
    }

    /// Enforces what was decided, or the posture where nothing was.
    fn settle(
        &mut self,
        worker: &mut Worker,
        now: UnixSeconds,
        pending: Option<&Pending>,
        outcome: Result<Decision, PdpFailure>,
    ) -> Step {
        let (intake, caller) = match std::mem::take(&mut self.state) {
            State::Asked(intake, caller) => (intake, caller),
            State::Left => return Step::Wait,
            _ => return self.refuse(worker, Refusal::Unavailable, "filter-out-of-order", false),
        };
        let failure = match outcome {
            Ok(decision) => return self.enforce(worker, *intake, &caller, decision),
            Err(failure) => failure,
        };
        let postures = intake.settings.posture;
        let (posture, code) = match failure {
            PdpFailure::Unavailable => (postures.pdp_unavailable, "pdp-unavailable"),
            PdpFailure::Timeout => (postures.pdp_timeout, "pdp-timeout"),
            PdpFailure::Invalid => (Posture::Deny, "pdp-answer-invalid"),
        };
        match posture {
            Posture::Identity if !matches!(caller, Caller::Anonymous(_)) => {
                worker.tally.count(Counter::PostureUsed);
                let id = local_id(worker, LocalKind::Posture);
                return self.let_pass(worker, *intake, &caller, &id, Obligations::default());
            }
            Posture::ServeStale(grace) => {
                let good_under = self.good_under;
                let stale = pending
                    .and_then(|pending| decided_before(worker, pending, good_under, now, grace));
                if let Some(decision) = stale {
                    return self.enforce(worker, *intake, &caller, decision);
                }
            }
            Posture::Identity | Posture::Deny => {}
        }
        self.refuse(worker, Refusal::Unavailable, code, false)
    }
}

/// Remembers what was answered, and tells those who waited for it.
fn land(
    worker: &mut Worker,
    flight: &Rc<Flight>,
    now: UnixSeconds,
    outcome: &Result<Answer, PdpFailure>,
) {
    let cached = outcome.as_ref().ok().and_then(|answer| {
        let in_force = worker.synced.caching()?;
        let settings = &worker.config.cache;
        caching::remember(
            &mut worker.cache,
            settings,
            in_force,
            &flight.pending,
            &answer.decision,
            answer.premises.as_ref(),
            now,
        )
    });
    if outcome.is_ok() && cached.is_none() {
        worker.flights.answer_unshared(&flight.pending);
    }
    for waiter in worker.flights.land(flight) {
        let Some(waiter) = waiter.upgrade() else {
            continue;
        };
        let mut exchange = waiter.exchange.borrow_mut();
        let told = match (outcome, &cached) {
            (Err(failure), _) => Some(Err(*failure)),
            (Ok(_), Some(cached)) => share(worker, cached, exchange.good_under, now).map(Ok),
            (Ok(_), None) => None,
        };
        if let Some(told) = told {
            let pending = Some(&flight.pending);
            let step = exchange.settle(worker, now, pending, told);
            worker.flights.resume(Rc::clone(&waiter), step);
        } else {
            worker.flights.leave_alone(&waiter);
        }
    }
}

/// What was decided, for one that waited; none unless a request that came now would reuse it.
fn share(
    worker: &mut Worker,
    cached: &CachedDecision,
    good_under: u32,
    now: UnixSeconds,
) -> Option<Decision> {
    let synced = &mut worker.synced;
    let revoked = synced.revoked();
    let stands = cached.holds_at(now)
        && synced.caching()?.generation == cached.generation
        && synced.is_fresh(worker.config.cache.max_staleness)
        && revoked.generation == good_under
        && !revoked.policy;
    if !stands {
        return None;
    }
    let id = synced.next_reused_id(LocalKind::Cached, cached.decision.id())?;
    worker.tally.count(Counter::CacheShared);
    Some(cached.decision.under(id))
}

/// What was decided of this question before, where the posture lets it hold for `grace` seconds beyond
/// its time. What ended it otherwise ends it here: another program, a revocation. Nor may the feed,
/// which would tell so, be older than that.
fn decided_before(
    worker: &mut Worker,
    pending: &Pending,
    good_under: u32,
    now: UnixSeconds,
    grace: u64,
) -> Option<Decision> {
    let synced = &mut worker.synced;
    let max_age = worker.config.max_staleness.min(Duration::from_secs(grace));
    let revoked = synced.revoked();
    if !synced.is_fresh(max_age) || revoked.generation != good_under || revoked.policy {
        return None;
    }
    let cached = caching::look_up_late(&worker.cache, synced.caching()?, pending, now, grace)?;
    let id = synced.next_reused_id(LocalKind::Stale, cached.decision.id())?;
    worker.tally.count(Counter::PostureStale);
    Some(cached.decision.under(id))
}

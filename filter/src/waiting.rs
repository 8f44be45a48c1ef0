//! How a request is held while the root asks for it, and how it waits for the answer to another's
//! question, and goes on where none comes of it.
//!
//! It waits for another once. When it must go on alone it does so from its connection's facts on, as if it came
//! now: whoever sends it is identified anew, and what is remembered by then may answer it. The steps
//! are left in [`crate::flight::Flights::resumed`], because the callback that they come from is
//! another stream's, or the root's.

use std::rc::Rc;

use edgeward_core::decide;
use edgeward_core::headers::FORWARDED_CLIENT_CERT;
use edgeward_core::time::UnixSeconds;

use crate::caching::Pending;
use crate::exchange::{Exchange, State};
use crate::flight::{Asker, Call, Seat, Waiter};
use crate::step::{Ask, Door, PdpFailure, Step};
use crate::worker::Worker;

impl Exchange {
    /// How it waits, or waited, for the answer to another's question.
    pub fn waiter(&self) -> Option<&Rc<Waiter>> {
        match &self.state {
            State::Waiting(waiter) => Some(waiter),
            _ => None,
        }
    }

    /// Takes part in the flight of this question; whether it waits there for its answer.
    #[inline(never)]
    pub(crate) fn waits(&mut self, worker: &mut Worker, pending: Pending) -> bool {
        if let Some(flight) = &self.flight {
            flight.pending.ask_again(&pending);
            return false;
        }
        // Where no decision is remembered, or none could be reused now, each asks.
        let settings = &worker.config.cache;
        let fresh = worker.synced.is_fresh(settings.max_staleness);
        let shared = !self.waited && !self.held && fresh;
        match worker.flights.seat(pending, shared) {
            Seat::Lead(flight) => {
                self.flight = Some(flight);
                false
            }
            Seat::Wait(flight) => {
                self.waited = true;
                let held = std::mem::replace(self, Self::of(self.stream));
                self.state = State::Waiting(worker.flights.wait(&flight, held));
                true
            }
        }
    }

    /// Has `ask` asked: with the others of this turn, where it may be.
    pub(crate) fn asks(&mut self, worker: &mut Worker, ask: Ask) -> Step {
        if self.held || ask.door != Door::Decide || !worker.batch.is_open() {
            return Step::Ask(ask);
        }
        let stream = self.stream;
        let waiter = Waiter::of(std::mem::replace(self, Self::of(stream)));
        worker.batch.put(&waiter, ask.body);
        self.state = State::Waiting(waiter);
        Step::Queue
    }

    /// From the connection's facts on again.
    pub(crate) fn again(&mut self) -> Step {
        let mut tls = false;
        if let State::Asked(intake, _) = std::mem::take(&mut self.state) {
            tls = intake.has_field(FORWARDED_CLIENT_CERT);
            self.state = State::TakenIn(intake);
        }
        Step::Gather { tls }
    }

    /// As before, but with the whole question.
    pub(crate) fn ask_whole(&mut self) -> Step {
        if let State::Asked(intake, _) = &mut self.state {
            intake.ask_whole = true;
        }
        self.again()
    }
}

/// Goes on with one that waits for nobody any more, if there is one: from its connection's facts on
/// again, for what has changed since must hold for it. To be called by the root, whose calls outlive
/// every request. What comes of it is in [`crate::flight::Flights::resumed`].
pub fn go_on(worker: &mut Worker) -> bool {
    let Some((waiter, flight)) = worker.flights.next_alone() else {
        return false;
    };
    let step = {
        let mut exchange = waiter.exchange.borrow_mut();
        exchange.flight = flight;
        exchange.again()
    };
    worker.flights.resume(waiter, step);
    true
}

/// What the root would ask for `waiter` could not be sent.
pub fn unasked(worker: &mut Worker, waiter: &Rc<Waiter>, now: UnixSeconds) {
    let mut exchange = waiter.exchange.borrow_mut();
    let step = exchange.failed(worker, now, PdpFailure::Unavailable);
    worker.flights.resume(Rc::clone(waiter), step);
}

/// The PDP has answered a call of the root, with this status and body. What comes of it is in
/// [`crate::flight::Flights::resumed`].
pub fn call_answered(worker: &mut Worker, call: Call, now: UnixSeconds, status: &str, body: &[u8]) {
    let door = call.door;
    let several = call.askers.len();
    if several == 1 {
        for asker in call.askers {
            tell(worker, asker, door, |exchange, worker| {
                exchange.answered(worker, now, status, body)
            });
        }
        return;
    }
    // All of it is well-formed, or none of it is an answer.
    let verdicts = match status {
        "200" => decide::read_answers(body, several).unwrap_or_default(),
        _ => Vec::new(),
    };
    // Some took the PDP long, or all together are too much for it: what is left is asked one by one.
    let alone = !verdicts.is_empty() || status == "413";
    let mut verdicts = verdicts.into_iter();
    for asker in call.askers {
        let verdict = verdicts.next();
        tell(worker, asker, door, |exchange, worker| match verdict {
            Some(verdict) => exchange.decided(worker, now, verdict),
            None if alone => exchange.again(),
            None => exchange.answered(worker, now, status, b""),
        });
    }
}

/// Goes on with `asker`, by `answer`.
fn tell(
    worker: &mut Worker,
    asker: Asker,
    door: Option<Door>,
    answer: impl FnOnce(&mut Exchange, &mut Worker) -> Step,
) {
    if let Some(waiter) = asker.waiter.upgrade() {
        let step = {
            let mut exchange = waiter.exchange.borrow_mut();
            exchange.flight = asker.flight;
            answer(&mut exchange, worker)
        };
        worker.flights.resume(waiter, step);
    } else {
        // Its client has left; the answer is still for those who wait.
        let mut nobody = Exchange::default();
        nobody.state = State::Left;
        nobody.flight = asker.flight;
        nobody.door = door;
        let _ = answer(&mut nobody, worker);
    }
}

//! Single flight: of questions that are the same, one is asked, and the others wait for its answer.
//!
//! Who asks leads the flight for as long as its request lives, or the root's call for it. When its client
//! leaves before, nothing comes of it, and on its tick the root goes on with whoever has waited longest: a
//! call of the root is answered whoever leaves, so that this befalls a waiter once. What becomes of an answer is
//! [`crate::outcome`]'s to say.
//!
//! INVARIANT: the request that waits holds the only lasting strong reference to its [`Waiter`]. One
//! that ends is forgotten thereby, and nothing is done for it.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use edgeward_core::time::UnixSeconds;

use crate::caching::Pending;
use crate::exchange::Exchange;
use crate::step::{Door, Step};

/// The most requests that wait in one worker; who comes later asks for itself.
pub const MAX_WAITERS: usize = 1024;
/// The most flights that others can join.
const MAX_FLIGHTS: usize = 1024;
/// How many questions are known whose answers are for nobody else; a power of two.
const UNSHARED_SLOTS: usize = 32;

/// A question that is being asked, and who waits for its answer.
#[derive(Debug)]
pub struct Flight {
    pub(crate) pending: Pending,
    waiters: RefCell<Vec<Weak<Waiter>>>,
}

/// A request that waits for the answer to another's question, which is its own as well.
#[derive(Debug)]
pub struct Waiter {
    /// The host's number of its stream.
    pub stream: u32,
    /// Headers for the response, left here by whoever let the request go.
    pub on_response: RefCell<Vec<(String, String)>>,
    /// As if it had asked.
    pub exchange: RefCell<Exchange>,
}

impl Waiter {
    /// Holds the request of `exchange`.
    pub(crate) fn of(mut exchange: Exchange) -> Rc<Self> {
        exchange.held = true;
        Rc::new(Self {
            stream: exchange.stream,
            on_response: RefCell::default(),
            exchange: RefCell::new(exchange),
        })
    }
}

/// A call of the root, by which it asks for requests that are held.
#[derive(Debug)]
pub struct Call {
    token: u32,
    /// Where it asks.
    pub(crate) door: Option<Door>,
    /// When, in microseconds since 1970.
    pub(crate) asked_at: u64,
    /// For whom, in the order of the questions.
    pub(crate) askers: Vec<Asker>,
}

/// One that the root asks for.
#[derive(Debug)]
pub(crate) struct Asker {
    pub(crate) waiter: Weak<Waiter>,
    /// The flight that it leads: with the call it outlives who asked.
    pub(crate) flight: Option<Rc<Flight>>,
}

/// All flights of one worker.
#[derive(Debug, Default)]
pub struct Flights {
    flying: Vec<Rc<Flight>>,
    /// Who waited for an answer that was not for it.
    alone: Vec<Weak<Waiter>>,
    calls: Vec<Call>,
    resumed: Vec<(Rc<Waiter>, Step)>,
    places: Rc<()>,
    unshared: [u64; UNSHARED_SLOTS],
}

/// How a question gets its answer.
pub(crate) enum Seat {
    /// By asking.
    Lead(Rc<Flight>),
    /// By waiting for the one who asks.
    Wait(Rc<Flight>),
}

impl Flights {
    /// The question of `pending` is to be asked, or is being asked already. Where nothing is to be
    /// `shared` it is asked, and nobody waits for it.
    #[inline(never)]
    pub(crate) fn seat(&mut self, pending: Pending, shared: bool) -> Seat {
        if !shared || self.unshared.get(slot(&pending)) == Some(&pending.hash) {
            return Seat::Lead(Flight::of(pending));
        }
        let mut flying = self.flying.iter();
        let Some(flight) = flying.find(|flight| flight.pending.asks_as(&pending)) else {
            let flight = Flight::of(pending);
            if self.flying.len() < MAX_FLIGHTS {
                self.flying.push(Rc::clone(&flight));
            }
            return Seat::Lead(flight);
        };
        // Not where somebody waits: who comes and leaves again and again must not keep the root away.
        if !is_led(flight) && !flight.waiters.borrow().iter().any(is_alive) {
            flight.pending.ask_again(&pending);
            Seat::Lead(Rc::clone(flight))
        } else if self.waiting() < MAX_WAITERS {
            Seat::Wait(Rc::clone(flight))
        } else {
            Seat::Lead(Flight::of(pending))
        }
    }

    /// Has the request of `exchange` wait for `flight`.
    pub(crate) fn wait(&mut self, flight: &Flight, mut exchange: Exchange) -> Rc<Waiter> {
        exchange.place = Some(Rc::clone(&self.places));
        let waiter = Waiter::of(exchange);
        let mut waiters = flight.waiters.borrow_mut();
        if waiters.len() == waiters.capacity() {
            // Before it grows: clients that come and leave must not make it.
            waiters.retain(is_alive);
        }
        waiters.push(Rc::downgrade(&waiter));
        waiter
    }

    /// The answer to `flight` is there, or there will be none: hands over who waited for it.
    pub(crate) fn land(&mut self, flight: &Rc<Flight>) -> Vec<Weak<Waiter>> {
        let mut flying = self.flying.iter();
        if let Some(place) = flying.position(|other| Rc::ptr_eq(other, flight)) {
            self.flying.swap_remove(place);
        }
        flight.waiters.take()
    }

    /// Has `waiter` go on alone, on the root's tick.
    pub(crate) fn leave_alone(&mut self, waiter: &Rc<Waiter>) {
        self.alone.push(Rc::downgrade(waiter));
    }

    /// The answer to `pending` is for nobody but who asked: nobody waits for the next.
    pub(crate) fn answer_unshared(&mut self, pending: &Pending) {
        if let Some(place) = self.unshared.get_mut(slot(pending)) {
            *place = pending.hash;
        }
    }

    /// Who has to go on because nobody else asks for it any more, with the flight that it leads then.
    pub(crate) fn next_alone(&mut self) -> Option<(Rc<Waiter>, Option<Rc<Flight>>)> {
        while let Some(waiter) = self.alone.pop() {
            if let Some(waiter) = waiter.upgrade() {
                return Some((waiter, None));
            }
        }
        while let Some(place) = self.flying.iter().position(|flight| !is_led(flight)) {
            let flight = Rc::clone(self.flying.get(place)?);
            let longest = {
                let mut waiters = flight.waiters.borrow_mut();
                waiters.retain(is_alive);
                (!waiters.is_empty()).then(|| waiters.remove(0))
            };
            if let Some(waiter) = longest.and_then(|waiter| waiter.upgrade()) {
                return Some((waiter, Some(flight)));
            }
            self.flying.swap_remove(place);
        }
        None
    }

    /// The root has asked at `door` for `waiters`, by the host's number `token`, at this instant in
    /// microseconds since 1970.
    pub fn sent(&mut self, token: u32, asked_at: u64, door: Door, waiters: &[Rc<Waiter>]) {
        let askers = waiters.iter().map(|waiter| {
            let flight = waiter.exchange.borrow_mut().flight.take();
            if let Some(flight) = &flight {
                flight.pending.ask_at(UnixSeconds(asked_at / 1_000_000));
            }
            Asker {
                waiter: Rc::downgrade(waiter),
                flight,
            }
        });
        self.calls.push(Call {
            token,
            door: Some(door),
            asked_at,
            askers: askers.collect(),
        });
    }

    /// The call of that number, which is then over.
    pub fn ended(&mut self, token: u32) -> Option<Call> {
        let mut calls = self.calls.iter();
        let place = calls.position(|call| call.token == token)?;
        Some(self.calls.swap_remove(place))
    }

    /// Leaves `step` to be carried out for `waiter`.
    pub(crate) fn resume(&mut self, waiter: Rc<Waiter>, step: Step) {
        self.resumed.push((waiter, step));
    }

    /// A request that need wait no longer, and what is to be done for it.
    pub fn resumed(&mut self) -> Option<(Rc<Waiter>, Step)> {
        self.resumed.pop()
    }

    /// How many requests wait.
    pub fn waiting(&self) -> usize {
        Rc::strong_count(&self.places) - 1
    }
}

impl Flight {
    fn of(pending: Pending) -> Rc<Self> {
        Rc::new(Self {
            pending,
            waiters: RefCell::default(),
        })
    }
}

/// Whether somebody beside the table holds it: the one who asks.
fn is_led(flight: &Rc<Flight>) -> bool {
    Rc::strong_count(flight) > 1
}

/// Whether its client is still there.
fn is_alive(waiter: &Weak<Waiter>) -> bool {
    waiter.strong_count() > 0
}

fn slot(pending: &Pending) -> usize {
    usize::try_from(pending.hash % UNSHARED_SLOTS as u64).unwrap_or_default()
}

#[cfg(test)]
#[path = "flight_tests.rs"]
mod tests;

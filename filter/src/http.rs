//! One HTTP stream: callbacks to the machine, steps back to the host. No logic of its own, but for
//! what must happen when a step cannot be carried out: the request is refused.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use edgeward_core::time::UnixSeconds;

use crate::exchange::Exchange;
use crate::flight::Waiter;
use crate::host::{self, PdpCall};
use crate::identify::Facts;
use crate::reply::Reply;
use crate::root::Shared;
use crate::signature::FilterCheck;
use crate::stats::Counter;
use crate::step::{Ask, Changes, PdpFailure, Step};
use crate::waiting;
use crate::worker::Worker;

/// One HTTP stream.
pub(crate) struct Http {
    shared: Rc<RefCell<Shared>>,
    exchange: Exchange,
    asked_at: u64,
    on_response: Vec<(String, String)>,
}

/// Where a step is carried out: decides how a request is let go or held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// In `on_http_request_headers`: by what is returned.
    Headers,
    /// In a callback, while the request is held: by a call.
    Held,
}

impl Http {
    pub(crate) fn new(shared: Rc<RefCell<Shared>>, stream: u32) -> Self {
        Self {
            shared,
            exchange: Exchange::of(stream),
            asked_at: 0,
            on_response: Vec::new(),
        }
    }

    fn take(&mut self, step: Step, phase: Phase) -> Action {
        match step {
            Step::Gather { tls } => {
                let facts = facts(tls);
                let step = {
                    let worker = &mut self.shared.borrow_mut().worker;
                    self.exchange
                        .identify(worker, &facts, &FilterCheck(host::Envoy))
                };
                self.take(step, phase)
            }
            Step::Ask(ask) => self.ask(&ask, phase),
            Step::Queue => {
                let shared = &mut self.shared.borrow_mut();
                if let Some(queue) = shared.queue
                    && shared.worker.batch.must_call()
                {
                    host::call_root(queue);
                }
                Action::Pause
            }
            Step::Wait => Action::Pause,
            Step::Forward(changes) => {
                if let Some(on_response) = let_go(changes, phase) {
                    self.on_response = on_response;
                    return Action::Continue;
                }
                let step = {
                    let worker = &mut self.shared.borrow_mut().worker;
                    self.exchange.unapplied(worker)
                };
                self.take(step, phase)
            }
            Step::Reply(reply) => {
                answer(&reply);
                Action::Pause
            }
        }
    }

    fn ask(&mut self, ask: &Ask, phase: Phase) -> Action {
        let sent = {
            let config = &self.shared.borrow().worker.config;
            host::call_pdp(&PdpCall::question(config, ask))
        };
        self.asked_at = host::now_microseconds();
        let step = {
            let worker = &mut self.shared.borrow_mut().worker;
            if sent.is_ok() {
                worker.tally.count(Counter::PdpCalled);
                return Action::Pause;
            }
            let now = seconds(self.asked_at);
            self.exchange.failed(worker, now, PdpFailure::Unavailable)
        };
        let action = self.take(step, phase);
        resume(&self.shared);
        action
    }
}

/// Carries out the steps of requests that waited. What is done after this in the same callback may
/// be done to another stream than the callback's own.
pub(crate) fn resume(shared: &RefCell<Shared>) {
    let next = || shared.borrow_mut().worker.flights.resumed();
    while let Some((waiter, step)) = next() {
        if host::act_for(waiter.stream).is_err() {
            // Nothing may be done in its name to whatever stream is in force now.
            log::warn!("a request that waited could not be gone on with");
            continue;
        }
        go_on(shared, &waiter, step);
    }
}

fn go_on(shared: &RefCell<Shared>, waiter: &Rc<Waiter>, step: Step) {
    let step = match step {
        Step::Gather { tls } => {
            let facts = facts(tls);
            let worker = &mut shared.borrow_mut().worker;
            let mut exchange = waiter.exchange.borrow_mut();
            exchange.identify(worker, &facts, &FilterCheck(host::Envoy))
        }
        // Only in a callback of the root: `waiting::go_on`.
        Step::Ask(ask) => {
            return ask_for(
                &mut shared.borrow_mut().worker,
                &ask,
                std::slice::from_ref(waiter),
            );
        }
        Step::Forward(changes) => {
            if let Some(on_response) = let_go(changes, Phase::Held) {
                waiter.on_response.replace(on_response);
                return;
            }
            let worker = &mut shared.borrow_mut().worker;
            waiter.exchange.borrow_mut().unapplied(worker)
        }
        Step::Reply(reply) => {
            return answer(&reply);
        }
        // Whoever is held asks by the root, and waits once.
        Step::Queue | Step::Wait => return,
    };
    go_on(shared, waiter, step);
}

/// Asks for those who left their questions in this turn. To be called by the root, whose calls outlive
/// every request.
pub(crate) fn ask_together(shared: &RefCell<Shared>) {
    {
        let worker = &mut shared.borrow_mut().worker;
        while let Some((ask, askers)) = worker.batch.next_call() {
            ask_for(worker, &ask, &askers);
        }
    }
    resume(shared);
}

fn ask_for(worker: &mut Worker, ask: &Ask, askers: &[Rc<Waiter>]) {
    let now = host::now_microseconds();
    if let Ok(token) = host::call_pdp(&PdpCall::question(&worker.config, ask)) {
        worker.tally.count(Counter::PdpCalled);
        worker.flights.sent(token, now, ask.door, askers);
        return;
    }
    for asker in askers {
        waiting::unasked(worker, asker, seconds(now));
    }
}

fn facts(tls: bool) -> Facts<'static> {
    Facts {
        now: host::now(),
        source: &host::source_address,
        tls: if tls { host::tls_facts() } else { None },
    }
}

/// Makes the changes and lets the request go; what is to be set on its response. None, and it stays,
/// where one cannot be made.
#[inline(never)]
fn let_go(changes: Changes, phase: Phase) -> Option<Vec<(String, String)>> {
    let mut removed = changes.remove.iter();
    let mut set = changes.set.iter();
    let applied = removed
        .try_for_each(|name| host::remove_request_header(name))
        .and_then(|()| set.try_for_each(|(name, value)| host::set_request_header(name, value)));
    if applied.is_err() {
        return None;
    }
    if changes.reroute {
        host::clear_route_cache();
    }
    if phase == Phase::Held && host::resume_request().is_err() {
        // Nothing to be done: the stream is gone, or its timer ends it.
        log::warn!("a decided request could not be resumed");
    }
    Some(changes.on_response)
}

fn answer(reply: &Reply) {
    if host::send(reply).is_err() {
        // The request stays held, and the stream's timer ends it: it never goes on.
        log::warn!("a refused request could not be answered");
    }
}

pub(crate) fn seconds(microseconds: u64) -> UnixSeconds {
    UnixSeconds(microseconds / 1_000_000)
}

impl Context for Http {
    fn on_http_call_response(&mut self, _: u32, headers: usize, body_size: usize, _: usize) {
        let status = host::answer_status(headers);
        let body = host::answer_to(self.exchange.door(), headers, body_size);
        let now = host::now_microseconds();
        let step = {
            let mut shared = self.shared.borrow_mut();
            shared.meters.record_pdp(now.saturating_sub(self.asked_at));
            let now = seconds(now);
            self.exchange
                .answered(&mut shared.worker, now, &status, &body)
        };
        self.take(step, Phase::Held);
        resume(&self.shared);
    }
}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let fields = host::request_fields();
        let step = self
            .exchange
            .receive(&mut self.shared.borrow_mut().worker, fields);
        self.take(step, Phase::Headers)
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        let mut on_response = std::mem::take(&mut self.on_response);
        if let Some(waiter) = self.exchange.waiter() {
            on_response = waiter.on_response.take();
        }
        for (name, value) in on_response {
            if host::set_response_header(&name, &value).is_err() {
                log::warn!("an obligation's response header could not be set");
            }
        }
        Action::Continue
    }
}

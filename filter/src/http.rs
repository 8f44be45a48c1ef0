//! One HTTP stream: callbacks to the machine, steps back to the host. No logic of its own, but for
//! what must happen when a step cannot be carried out: the request is refused.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use edgeward_core::authzen::{COMPARED_EVALUATION, EVALUATION_PATH};
use edgeward_core::decide::{DECIDE_PATH, QUESTION_TYPE};

use crate::exchange::Exchange;
use crate::host;
use crate::identify::{Facts, Field};
use crate::reply::Reply;
use crate::root::Shared;
use crate::signature::FilterCheck;
use crate::step::{Ask, Changes, Door, PdpFailure, Step};

/// One HTTP stream.
pub(crate) struct Http {
    shared: Rc<RefCell<Shared>>,
    exchange: Exchange,
    grpc: bool,
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
    pub(crate) fn new(shared: Rc<RefCell<Shared>>) -> Self {
        Self {
            shared,
            exchange: Exchange::default(),
            grpc: false,
            asked_at: 0,
            on_response: Vec::new(),
        }
    }

    fn take(&mut self, step: Step, phase: Phase) -> Action {
        match step {
            Step::Gather { tls } => {
                let facts = Facts {
                    now: host::now(),
                    source: &host::source_address,
                    tls: if tls { host::tls_facts() } else { None },
                };
                let step = {
                    let worker = &mut self.shared.borrow_mut().worker;
                    self.exchange
                        .identify(worker, &facts, &FilterCheck(host::Envoy))
                };
                self.take(step, phase)
            }
            Step::Ask(ask) => self.ask(&ask, phase),
            Step::Forward(changes) => self.forward(changes, phase),
            Step::Reply(reply) => self.reply(&reply),
        }
    }

    fn ask(&mut self, ask: &Ask, phase: Phase) -> Action {
        let (path, kind) = match ask.door {
            Door::Decide => (DECIDE_PATH, QUESTION_TYPE),
            Door::Evaluation => (EVALUATION_PATH, host::JSON),
            Door::Compare => (COMPARED_EVALUATION, host::JSON),
        };
        let sent = {
            let config = &self.shared.borrow().worker.config;
            host::call_pdp(&host::PdpCall {
                cluster: &config.cluster,
                authority: &config.authority,
                path,
                kind,
                body: Some(&ask.body),
                timeout: config.pdp_timeout,
            })
        };
        self.asked_at = host::now_microseconds();
        if sent.is_ok() {
            return Action::Pause;
        }
        let step = {
            let worker = &mut self.shared.borrow_mut().worker;
            self.exchange.failed(worker, PdpFailure::Unavailable)
        };
        self.take(step, phase)
    }

    fn forward(&mut self, changes: Changes, phase: Phase) -> Action {
        let Changes {
            remove,
            set,
            reroute,
            on_response,
        } = changes;
        self.on_response = on_response;
        let applied = remove
            .iter()
            .try_for_each(|name| host::remove_request_header(name))
            .and_then(|()| {
                set.iter()
                    .try_for_each(|(name, value)| host::set_request_header(name, value))
            });
        if applied.is_err() {
            let step = {
                let worker = &mut self.shared.borrow_mut().worker;
                self.exchange.unapplied(worker)
            };
            return self.take(step, phase);
        }
        if reroute {
            host::clear_route_cache();
        }
        if phase == Phase::Held && host::resume_request().is_err() {
            // Nothing to be done: the stream is gone, or its timer ends it.
            log::warn!("a decided request could not be resumed");
        }
        Action::Continue
    }

    fn reply(&mut self, reply: &Reply) -> Action {
        if host::send(reply, self.grpc).is_err() {
            // The request stays held, and the stream's timer ends it: it never goes on.
            log::warn!("a refused request could not be answered");
        }
        Action::Pause
    }
}

impl Context for Http {
    fn on_http_call_response(&mut self, _: u32, headers: usize, body_size: usize, _: usize) {
        let status = host::answer_status(headers);
        let body = match self.exchange.door() {
            Some(Door::Decide) => host::answer_body(body_size),
            _ => host::answer_json(headers, body_size),
        };
        let elapsed = host::now_microseconds().saturating_sub(self.asked_at);
        let step = {
            let mut shared = self.shared.borrow_mut();
            shared.meters.record_pdp(elapsed);
            self.exchange.answered(&mut shared.worker, &status, &body)
        };
        self.take(step, Phase::Held);
    }
}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let fields = host::request_fields();
        self.grpc = is_grpc(&fields);
        let step = self
            .exchange
            .receive(&mut self.shared.borrow_mut().worker, fields);
        self.take(step, Phase::Headers)
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        for (name, value) in std::mem::take(&mut self.on_response) {
            if host::set_response_header(&name, &value).is_err() {
                log::warn!("an obligation's response header could not be set");
            }
        }
        Action::Continue
    }
}

/// Whether the caller reads gRPC statuses (gRPC over HTTP/2, "Requests").
fn is_grpc(fields: &[Field]) -> bool {
    fields.iter().any(|(name, value)| {
        name == "content-type"
            && value
                .strip_prefix(b"application/grpc")
                .is_some_and(|rest| rest.first().is_none_or(|byte| matches!(byte, b'+' | b';')))
    })
}

//! The world of `exchange_cache_tests.rs`: a worker, requests of which many are under way at once, a
//! PDP whose answers come late, fail, or come when who asked has left; and what each step must be.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::model::{Counts, NETWORKS, Program, ROUTES, with_atoms};
use super::*;
use crate::feed::TICK;
use crate::step::{Ask, Door};
use crate::waiting;
use edgeward_core::decide;
use edgeward_core::footprint::Footprint;

#[path = "exchange_cache_checks.rs"]
mod checks;
#[path = "exchange_cache_pdp.rs"]
mod pdp;

/// Signed once.
static TOKENS_SIGNED: LazyLock<Vec<String>> = LazyLock::new(tokens);

/// What the PDP holds, and what the filter was last told of it.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) program: Program,
    pub(super) key: u8,
    pub(super) revoked: Option<usize>,
}

/// A request under way.
struct Open {
    exchange: Exchange,
    token: usize,
    question: Value,
}

/// Questions on their way to the PDP: one of a stream, or a call of the root's.
struct Asked {
    by: Result<u32, u32>,
    questions: Vec<Value>,
    ask: Ask,
    /// Decided when they were asked; they may as well be decided when they are answered.
    early: Option<Vec<Made>>,
}

/// A decision of the PDP.
#[derive(Clone)]
struct Made {
    number: usize,
    question: Value,
    program: Program,
    until: u64,
    decided: (bool, String),
    body: Vec<u8>,
}

pub(super) struct World {
    pub(super) worker: Worker,
    pub(super) pdp: State,
    told: State,
    /// Every program that it was told of, and what that reads.
    known: BTreeMap<String, Footprint>,
    pub(super) now: u64,
    stale_ticks: u32,
    streams: u32,
    calls: u32,
    open: BTreeMap<u32, Open>,
    asked: Vec<Asked>,
    made: Vec<Made>,
    pub(super) counts: Counts,
}

impl World {
    /// In which questions of one turn go together, or each goes alone.
    pub(super) fn new(program: Program, together: bool) -> Self {
        let state = State {
            program,
            key: SIGNING,
            revoked: None,
        };
        let mut world = Self {
            worker: Worker::new(Config::parse(CONFIG.as_bytes()).unwrap()),
            pdp: state.clone(),
            told: state,
            known: BTreeMap::new(),
            now: NOW,
            stale_ticks: 0,
            streams: 0,
            calls: 0,
            open: BTreeMap::new(),
            asked: Vec::new(),
            made: Vec::new(),
            counts: Counts::default(),
        };
        if together {
            world.worker.batch.open();
        }
        world.feed();
        world
    }

    pub(super) fn feed(&mut self) {
        self.told = self.pdp.clone();
        let State {
            program,
            key,
            revoked,
        } = &self.told;
        self.known.insert(program.name(), program.vary.clone());
        let key = SigningKey::from_bytes(&[*key; 32]).verifying_key();
        let text = FEED.replace("KEY", &encode_base64url(key.as_bytes()));
        let mut feed: Value = serde_json::from_str(&text).unwrap();
        feed["caching"] = json!({"program": program.name(), "vary": program.vary,
            "networks": NETWORKS, "routes": ROUTES});
        let revoked = revoked.map(|subject| format!("subject https://i|w{subject}"));
        feed["revocations"] = json!(revoked.into_iter().collect::<Vec<_>>());
        self.worker
            .take_feed("200", feed.to_string().as_bytes())
            .unwrap();
        self.stale_ticks = 0;
    }

    /// Time without a feed.
    pub(super) fn quiet(&mut self) {
        for _ in 0..11 {
            self.worker.synced.tick(TICK);
        }
        self.stale_ticks += 11;
    }

    pub(super) fn request(
        &mut self,
        token: usize,
        path: &str,
        header: Option<&str>,
    ) -> Result<(), TestCaseError> {
        let authorization = TOKENS_SIGNED[token].clone();
        let mut more = vec![("authorization", authorization.as_str())];
        more.extend(header.map(|value| ("x-h", value)));
        self.streams += 1;
        let mut exchange = Exchange::of(self.streams);
        let facts = Facts {
            now: UnixSeconds(self.now),
            ..facts()
        };
        let gather = exchange.receive(&mut self.worker, request(path, &more));
        prop_assert!(
            matches!(gather, Step::Gather { tls: false }),
            "{:?}",
            gather
        );
        let step = exchange.identify(&mut self.worker, &facts, &FilterCheck(NoHost));
        let open = Open {
            exchange,
            token,
            question: question(token, path, header),
        };
        self.identified(self.streams, open, step)
    }

    /// A request of this stream goes on, its caller being known.
    fn identified(&mut self, stream: u32, open: Open, step: Step) -> Result<(), TestCaseError> {
        if self.is_refused(open.token, &step)? {
            return Ok(());
        }
        match step {
            Step::Ask(ask) => {
                self.ask(Ok(stream), vec![open.question.clone()], ask)?;
                self.open.insert(stream, open);
            }
            Step::Queue | Step::Wait => {
                self.open.insert(stream, open);
            }
            step => {
                self.counts.reused += 1;
                self.check_reused(&open, &step)?;
            }
        }
        Ok(())
    }

    /// The turn of the event loop is over: the root asks for those who left their questions.
    pub(super) fn turn(&mut self) -> Result<(), TestCaseError> {
        let is_called = self.worker.batch.must_call();
        let mut calls = 0;
        while let Some((ask, askers)) = self.worker.batch.next_call() {
            calls += 1;
            self.calls += 1;
            self.counts.together += usize::from(askers.len() > 1);
            self.worker
                .flights
                .sent(self.calls, self.now * 1_000_000, ask.door, &askers);
            let questions = askers
                .iter()
                .map(|asker| &self.open[&asker.stream].question);
            let questions = questions.cloned().collect();
            self.ask(Err(self.calls), questions, ask)?;
        }
        prop_assert!(is_called || calls == 0, "questions would be left behind");
        Ok(())
    }

    fn end(
        &mut self,
        by: Result<u32, u32>,
        status: &str,
        body: &[u8],
    ) -> Result<(), TestCaseError> {
        let now = UnixSeconds(self.now);
        match by {
            Ok(stream) => {
                // As the host does it: the answer for a stream that is gone is dropped.
                if let Some(mut open) = self.open.remove(&stream) {
                    let step = open.exchange.answered(&mut self.worker, now, status, body);
                    if matches!(step, Step::Gather { .. }) {
                        let facts = Facts { now, ..facts() };
                        let check = FilterCheck(NoHost);
                        let step = open.exchange.identify(&mut self.worker, &facts, &check);
                        self.identified(stream, open, step)?;
                    } else {
                        self.check(&open, &step, status)?;
                    }
                }
            }
            Err(call) => {
                let call = self.worker.flights.ended(call).unwrap();
                waiting::call_answered(&mut self.worker, call, now, status, body);
            }
        }
        self.resume(status)
    }

    /// The client of one request leaves.
    pub(super) fn leave(&mut self, which: usize) {
        let streams: Vec<u32> = self.open.keys().copied().collect();
        if let Some(stream) = streams.get(which % streams.len().max(1)) {
            self.open.remove(stream);
        }
    }

    /// The root's tick: it goes on with those for whom nobody asks any more.
    pub(super) fn tick(&mut self) -> Result<(), TestCaseError> {
        while waiting::go_on(&mut self.worker) {
            self.resume("")?;
        }
        Ok(())
    }

    /// Carries out the steps of those that waited, `status` having come.
    fn resume(&mut self, status: &str) -> Result<(), TestCaseError> {
        while let Some((waiter, mut step)) = self.worker.flights.resumed() {
            let mut anew = false;
            if matches!(step, Step::Gather { .. }) {
                anew = true;
                let facts = Facts {
                    now: UnixSeconds(self.now),
                    ..facts()
                };
                let mut exchange = waiter.exchange.borrow_mut();
                step = exchange.identify(&mut self.worker, &facts, &FilterCheck(NoHost));
            }
            let open = self.open.remove(&waiter.stream);
            let open = open.ok_or_else(|| TestCaseError::fail("resumed after its client left"))?;
            if anew && self.is_refused(open.token, &step)? {
                continue;
            }
            if let Step::Ask(ask) = step {
                self.calls += 1;
                let asker = std::slice::from_ref(&waiter);
                self.worker
                    .flights
                    .sent(self.calls, self.now * 1_000_000, ask.door, asker);
                self.ask(Err(self.calls), vec![open.question.clone()], ask)?;
                self.open.insert(waiter.stream, open);
                continue;
            }
            self.check(&open, &step, if anew { "200" } else { status })?;
        }
        Ok(())
    }

    /// Every request that is still under way comes to its end once the PDP answers.
    pub(super) fn finish(mut self) -> Result<Counts, TestCaseError> {
        for _ in 0..5 {
            self.turn()?;
            while !self.asked.is_empty() {
                self.answer(0, true)?;
            }
            self.tick()?;
        }
        prop_assert!(self.open.is_empty(), "{} are left behind", self.open.len());
        prop_assert_eq!(self.worker.flights.waiting(), 0);
        Ok(self.counts)
    }
}

//! The plugin in one worker: its configuration, the sync feed, and what all streams share.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use edgeward_core::missing_keys::UNKNOWN_KEYS_PATH;

use crate::config::Config;
use crate::feed::{FIRST_TICK, POLL_TIMEOUT, TICK};
use crate::host::{self, JSON, PdpCall};
use crate::http::{Http, ask_together, resume, seconds};
use crate::stats::{CACHE_BYTES, CACHE_ENTRIES, Counter, PDP_MICROSECONDS, REUSED_AGE_SECONDS};
use crate::waiting;
use crate::wanted::REPORT_TIMEOUT;
use crate::worker::Worker;

/// What all streams of a worker share. Callbacks never overlap, and no borrow is held across one.
pub(crate) struct Shared {
    pub(crate) worker: Worker,
    pub(crate) meters: Meters,
    /// By which streams have the root called.
    pub(crate) queue: Option<u32>,
}

impl Shared {
    fn new(config: Config) -> Self {
        let mut worker = Worker::new(config);
        let queue = host::open_queue();
        if queue.is_some() {
            worker.batch.open();
        }
        Self {
            worker,
            meters: Meters::define(),
            queue,
        }
    }

    /// Tells Envoy what was counted: on the tick, because each counter is a call of the host.
    pub(crate) fn report(&mut self) {
        for (counter, number) in self.worker.tally.drain() {
            self.meters.add(counter, number);
        }
        let cache = &mut self.worker.cache;
        if let (Some(id), Some(age)) = (self.meters.reused_age, cache.take_reused_age()) {
            host::record(id, age);
        }
        self.meters.entries.tell(cache.len());
        self.meters.bytes.tell(cache.bytes());
    }
}

/// The ids by which Envoy knows the counters.
pub(crate) struct Meters {
    counters: Vec<Option<u32>>,
    pdp_microseconds: Option<u32>,
    reused_age: Option<u32>,
    entries: Gauge,
    bytes: Gauge,
}

/// One worker's share of a gauge, which Envoy keeps for all of them: what changed is added to it.
struct Gauge {
    id: Option<u32>,
    told: usize,
}

impl Gauge {
    fn define(name: &str) -> Self {
        Self {
            id: host::define_gauge(name),
            told: 0,
        }
    }

    fn tell(&mut self, value: usize) {
        let number = |value| i64::try_from(value).unwrap_or(i64::MAX);
        let change = number(value) - number(self.told);
        if let Some(id) = self.id
            && change != 0
        {
            host::add(id, change);
            self.told = value;
        }
    }
}

impl Meters {
    fn define() -> Self {
        Self {
            counters: Counter::ALL
                .iter()
                .map(|c| host::define_counter(c.as_str()))
                .collect(),
            pdp_microseconds: host::define_histogram(PDP_MICROSECONDS),
            reused_age: host::define_histogram(REUSED_AGE_SECONDS),
            entries: Gauge::define(CACHE_ENTRIES),
            bytes: Gauge::define(CACHE_BYTES),
        }
    }

    fn add(&self, counter: usize, number: u32) {
        if let Some(Some(id)) = self.counters.get(counter) {
            host::add(*id, i64::from(number));
        }
    }

    pub(crate) fn record_pdp(&self, microseconds: u64) {
        if let Some(id) = self.pdp_microseconds {
            host::record(id, microseconds);
        }
    }
}

/// The plugin in one worker. Without a configuration there is no plugin: Envoy refuses it.
#[derive(Default)]
pub(crate) struct Root {
    shared: Option<Rc<RefCell<Shared>>>,
}

impl Root {
    /// Does what is to be done now and then.
    fn tick(shared: &mut Shared) {
        let period = if shared.worker.synced.has_synced() {
            TICK
        } else {
            FIRST_TICK
        };
        let path = shared.worker.synced.tick(period);
        Self::poll(shared, path);
        let report = shared.worker.wanted.tick(period);
        Self::report_keys(&mut shared.worker, report);
        shared.report();
    }

    /// Sends `path` to the PDP, if it is time to.
    fn poll(shared: &mut Shared, path: Option<String>) {
        let Some(path) = path else { return };
        let config = &shared.worker.config;
        let sent = host::call_pdp(&PdpCall {
            cluster: &config.cluster,
            authority: &config.authority,
            path: &path,
            kind: JSON,
            body: None,
            timeout: POLL_TIMEOUT,
        });
        if sent.is_err() {
            shared.worker.synced.poll_failed();
            shared.worker.tally.count(Counter::SyncFailed);
        }
    }

    /// Sends `report`, if there is one: keys that tokens named and nobody has.
    fn report_keys(worker: &mut Worker, report: Option<Vec<u8>>) {
        let Some(report) = report else { return };
        let sent = host::call_pdp(&PdpCall {
            cluster: &worker.config.cluster,
            authority: &worker.config.authority,
            path: UNKNOWN_KEYS_PATH,
            kind: JSON,
            body: Some(&report),
            timeout: REPORT_TIMEOUT,
        });
        match sent {
            Ok(call) => worker.wanted.sent(call),
            Err(_) => worker.tally.count(Counter::KeysNotReported),
        }
    }

    /// The PDP's answer to a report: nothing comes of it here but a count.
    fn keys_reported(worker: &mut Worker, status: &str) {
        worker.tally.count(if status == "204" {
            Counter::KeysReported
        } else {
            Counter::KeysNotReported
        });
    }

    /// The PDP's answer to a poll of the feed.
    fn polled(shared: &mut Shared, status: &str, body: &[u8]) {
        let worker = &mut shared.worker;
        let first = !worker.synced.has_synced();
        match worker.take_feed(status, body) {
            Ok(()) => {
                worker.tally.count(Counter::SyncSucceeded);
                if first {
                    host::tick_every(TICK);
                }
                let path = worker.synced.tick(std::time::Duration::ZERO);
                Self::poll(shared, path);
            }
            Err(error) => {
                worker.tally.count(Counter::SyncFailed);
                log::warn!("sync feed: {error}");
            }
        }
    }

    /// The PDP's answer to whatever the root asked.
    fn answered(shared: &mut Shared, token: u32, headers: usize, body_size: usize) {
        let status = host::answer_status(headers);
        let worker = &mut shared.worker;
        if let Some(call) = worker.flights.ended(token) {
            // Told on the tick what comes of it, as for streams: this is the way of every question.
            let body = host::answer_to(call.door, headers, body_size);
            let now = host::now_microseconds();
            shared.meters.record_pdp(now.saturating_sub(call.asked_at));
            waiting::call_answered(worker, call, seconds(now), &status, &body);
            return;
        }
        if worker.wanted.ended(token) {
            Self::keys_reported(worker, &status);
        } else {
            Self::polled(shared, &status, &host::answer_json(headers, body_size));
        }
        shared.report();
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, call: u32, headers: usize, body_size: usize, _: usize) {
        let Some(shared) = &self.shared else { return };
        Self::answered(&mut shared.borrow_mut(), call, headers, body_size);
        resume(shared);
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        match Config::parse(&host::plugin_configuration()) {
            Ok(config) => {
                self.shared = Some(Rc::new(RefCell::new(Shared::new(config))));
                host::tick_every(FIRST_TICK);
                true
            }
            Err(error) => {
                log::error!("{error}");
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let Some(shared) = &self.shared else { return };
        Self::tick(&mut shared.borrow_mut());
        // Nothing is there, unless the call of the root was lost.
        ask_together(shared);
        while waiting::go_on(&mut shared.borrow_mut().worker) {
            resume(shared);
        }
    }

    fn on_queue_ready(&mut self, queue: u32) {
        host::called_by(queue);
        if let Some(shared) = &self.shared {
            ask_together(shared);
        }
    }

    fn create_http_context(&self, stream: u32) -> Option<Box<dyn HttpContext>> {
        let shared = self.shared.as_ref()?;
        Some(Box::new(Http::new(Rc::clone(shared), stream)))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

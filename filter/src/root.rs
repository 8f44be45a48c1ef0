//! The plugin in one worker: its configuration, the sync feed, and what all streams share.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use edgeward_core::missing_keys::UNKNOWN_KEYS_PATH;

use crate::config::Config;
use crate::feed::{FIRST_TICK, POLL_TIMEOUT, TICK};
use crate::host::{self, JSON, PdpCall};
use crate::http::Http;
use crate::stats::{Counter, PDP_MICROSECONDS};
use crate::wanted::REPORT_TIMEOUT;
use crate::worker::Worker;

/// What all streams of a worker share. Callbacks never overlap, and no borrow is held across one.
pub(crate) struct Shared {
    pub(crate) worker: Worker,
    pub(crate) meters: Meters,
}

impl Shared {
    fn new(config: Config) -> Self {
        Self {
            worker: Worker::new(config),
            meters: Meters::define(),
        }
    }

    /// Tells Envoy what was counted: on the tick, because each counter is a call of the host.
    pub(crate) fn report(&mut self) {
        for (counter, number) in self.worker.tally.drain() {
            self.meters.add(counter, number);
        }
    }
}

/// The ids by which Envoy knows the counters.
pub(crate) struct Meters {
    counters: Vec<Option<u32>>,
    pdp_microseconds: Option<u32>,
}

impl Meters {
    fn define() -> Self {
        Self {
            counters: Counter::ALL
                .iter()
                .map(|c| host::define_counter(c.as_str()))
                .collect(),
            pdp_microseconds: host::define_histogram(PDP_MICROSECONDS),
        }
    }

    fn add(&self, counter: usize, number: u32) {
        if let Some(Some(id)) = self.counters.get(counter) {
            host::add(*id, number);
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
}

impl Context for Root {
    fn on_http_call_response(&mut self, call: u32, headers: usize, body_size: usize, _: usize) {
        let Some(shared) = &self.shared else { return };
        let shared = &mut *shared.borrow_mut();
        let worker = &mut shared.worker;
        if worker.wanted.ended(call) {
            Self::keys_reported(worker, &host::answer_status(headers));
            shared.report();
            return;
        }
        let first = !worker.synced.has_synced();
        match worker.take_feed(
            &host::answer_status(headers),
            &host::answer_json(headers, body_size),
        ) {
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
        shared.report();
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
        let shared = &mut *shared.borrow_mut();
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

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        let shared = self.shared.as_ref()?;
        Some(Box::new(Http::new(Rc::clone(shared))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

//! Worker threads: each has a current-thread runtime, its listeners and its own policy engine.
//!
//! A new policy set is built into an engine on another thread and then swapped in, so that no
//! request waits for it. Nothing here is shared but immutable state, counters and channels.

use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::timeout;

use super::accept::{self, Door};
use super::decide::{Decider, Memory};
use super::ext_authz::VerifiedTokens;
use super::inventory::Noted;
use super::opa::{QueryRoom, Remembered};
use super::throttle::Throttle;
use super::{
    Administrators, ExtAuthzSettings, Limits, OpaApi, Searches, ServeError, ServiceSettings,
    ServiceState, identifiers,
};
use crate::background;
use crate::policy::{PolicySet, STACK_BYTES, Worker};

/// What all workers share.
pub(super) struct Shared {
    settings: ServiceSettings,
    state: ServiceState,
    slots: Arc<Semaphore>,
    throttle: Throttle,
    queries: QueryRoom,
    stop: watch::Receiver<bool>,
    boot_id: String,
}

impl Shared {
    pub(super) fn new(
        settings: ServiceSettings,
        state: ServiceState,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, ServeError> {
        Ok(Self {
            slots: Arc::new(Semaphore::new(settings.limits.connections)),
            throttle: Throttle::new(settings.limits.rate, settings.limits.in_flight),
            queries: QueryRoom::new(),
            boot_id: identifiers::unique().map_err(|_| ServeError::Ended)?,
            settings,
            state,
            stop,
        })
    }
}

/// Searches of one worker at once.
const MAX_SEARCHES: usize = 4;

/// What one worker has for itself.
pub(super) struct WorkerState {
    shared: Arc<Shared>,
    decider: Decider,
    verified_tokens: VerifiedTokens,
    documents: Remembered,
    searching: Arc<Semaphore>,
    noted: Noted,
}

/// A place among the connections; free again when dropped.
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    shared: Arc<Shared>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.shared.state.metrics.connections.dec();
    }
}

impl WorkerState {
    pub(super) fn state(&self) -> &ServiceState {
        &self.shared.state
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.shared.settings.limits
    }

    pub(super) fn sync_max_wait(&self) -> Duration {
        self.shared.settings.sync_max_wait
    }

    pub(super) fn public_url(&self) -> Option<&str> {
        self.shared.settings.public_url.as_deref()
    }

    pub(super) fn administrators(&self) -> &Administrators {
        &self.shared.settings.administrators
    }

    pub(super) fn ext_authz(&self) -> Option<&ExtAuthzSettings> {
        self.shared.settings.ext_authz.as_ref()
    }

    pub(super) fn searches(&self) -> &Searches {
        &self.shared.settings.searches
    }

    pub(super) fn opa_api(&self) -> Option<&OpaApi> {
        self.shared.settings.opa_api.as_ref()
    }

    pub(super) fn boot_id(&self) -> &str {
        &self.shared.boot_id
    }

    pub(super) fn stop(&self) -> watch::Receiver<bool> {
        self.shared.stop.clone()
    }

    /// What decides on this thread.
    pub(super) fn decider(&self) -> &Decider {
        &self.decider
    }

    pub(super) fn verified_tokens(&self) -> &VerifiedTokens {
        &self.verified_tokens
    }

    /// Whom this thread noted for the inventory.
    pub(super) fn noted(&self) -> &Noted {
        &self.noted
    }

    /// What this thread remembers for OPA's API.
    pub(super) fn documents(&self) -> &Remembered {
        &self.documents
    }

    /// Where queries of callers are asked.
    pub(super) fn queries(&self) -> &QueryRoom {
        &self.shared.queries
    }

    /// A place for one more search, unless there are enough: each holds its candidates.
    pub(super) fn place_to_search(&self) -> Option<OwnedSemaphorePermit> {
        self.searching.clone().try_acquire_owned().ok()
    }

    /// How much may be asked.
    pub(super) fn throttle(&self) -> &Throttle {
        &self.shared.throttle
    }

    /// A place for one more connection, unless there are enough.
    pub(super) fn take_slot(&self) -> Option<Slot> {
        let metrics = &self.shared.state.metrics;
        let Ok(permit) = self.shared.slots.clone().try_acquire_owned() else {
            metrics.connections_refused.inc();
            return None;
        };
        metrics.connections.inc();
        Some(Slot {
            _permit: permit,
            shared: self.shared.clone(),
        })
    }

    /// Whether so few places are left that idle connections have to make room.
    pub(super) fn is_crowded(&self) -> bool {
        self.shared.slots.available_permits() < self.shared.settings.limits.connections / 4
    }
}

/// Starts one worker on a thread of its own; it says in the end how many connections it cut.
pub(super) fn start(
    doors: Vec<Door>,
    engine: Worker,
    set: Arc<PolicySet>,
    shared: Arc<Shared>,
) -> Result<oneshot::Receiver<usize>, ServeError> {
    let (sender, receiver) = oneshot::channel();
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServeError::Worker)?;
    let memory = Memory {
        settings: shared.settings.cache,
        cache: shared.state.cache.clone(),
        metrics: shared.state.metrics.clone(),
    };
    let decider = Decider::new(memory, engine, set).map_err(|_| ServeError::Ended)?;
    let run = move || {
        let worker = Rc::new(WorkerState {
            documents: Remembered::share_of(&shared.settings),
            shared,
            decider,
            verified_tokens: VerifiedTokens::default(),
            searching: Arc::new(Semaphore::new(MAX_SEARCHES)),
            noted: Noted::default(),
        });
        let open = LocalSet::new().block_on(&runtime, work(doors, worker));
        let _ = sender.send(open);
    };
    thread::Builder::new()
        .name("edgeward-worker".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(run)
        .map_err(ServeError::Worker)?;
    Ok(receiver)
}

/// Accepts on every door until the stop, then waits for what is open; returns how many were cut.
async fn work(doors: Vec<Door>, worker: Rc<WorkerState>) -> usize {
    let refresh = tokio::task::spawn_local(follow_policies(worker.clone()));
    let mut accepting = JoinSet::new();
    for door in doors {
        accepting.spawn_local(accept::run(door, worker.clone(), worker.stop()));
    }
    let mut open = Vec::new();
    while let Some(ended) = accepting.join_next().await {
        match ended {
            Ok(Ok(connections)) => open.push(connections),
            Ok(Err(error)) => {
                tracing::error!(%error, "listener failed");
                return 0;
            }
            Err(error) => {
                tracing::error!(%error, "accept loop ended");
                return 0;
            }
        }
    }
    let finish = async {
        for connections in &mut open {
            while connections.join_next().await.is_some() {}
        }
    };
    let in_time = timeout(worker.limits().drain, finish).await.is_ok();
    refresh.abort();
    if in_time {
        0
    } else {
        open.iter().map(JoinSet::len).sum()
    }
}

/// Swaps this worker's engine whenever another set comes into force.
async fn follow_policies(worker: Rc<WorkerState>) {
    let mut policies = worker.state().policies.clone();
    loop {
        let set = policies.borrow_and_update().set.clone();
        if set.revision() != &*worker.decider.revision() {
            match build(set.clone()).await {
                Ok(engine) => {
                    worker.queries().keep_only(&set);
                    worker.decider.swap(engine, set);
                }
                // It was built once before it came into force, so only the system can be short.
                Err(error) => {
                    tracing::error!(%error, "a worker keeps its old policies, trying again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            }
        }
        if policies.changed().await.is_err() {
            return;
        }
    }
}

/// Builds an engine on a thread of its own.
pub(super) async fn build(set: Arc<PolicySet>) -> Result<Worker, ServeError> {
    let built = background::spawn("policy-engine", move || set.worker_for_another_thread());
    let built = built.map_err(ServeError::Worker)?.await;
    Ok(built.map_err(|_| ServeError::Ended)??)
}

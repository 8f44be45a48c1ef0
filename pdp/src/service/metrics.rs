//! What the service counts, and the door that shows it (`GET /metrics`, `OpenMetrics` text).
//!
//! Labels come from enums: no path, id, subject or policy's own reason is one. Counting takes no
//! lock.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use super::bundle_metrics::BundleMetrics;
use super::cache_metrics::{CacheMetrics, CacheSize};
use super::histogram::Durations;
use super::inventory_metrics::InventoryMetrics;
use super::opa::DocumentMetrics;
use super::policy_metrics::PolicyMetrics;
use super::reply::{self, Refusal, Reply};
use super::striped::StripedCounter;
use super::throttle::Over;
use super::token::TokenMetrics;
use crate::bundle::Bundles;
use crate::cache::DecisionCache;
use crate::keys::Keyring;
use crate::policy::PolicyState;

/// All series of the service.
pub struct Metrics {
    registry: Registry,
    allows: StripedCounter,
    denies: StripedCounter,
    failures: [StripedCounter; FAILURES.len()],
    refusals: [StripedCounter; 3],
    evaluation: Durations,
    pub(super) cache: CacheMetrics,
    pub(super) documents: DocumentMetrics,
    pub(super) tokens: TokenMetrics,
    /// Of the inventory; whoever keeps it tells its size.
    pub inventory: InventoryMetrics,
    pub(super) connections: Gauge,
    pub(super) connections_refused: Counter,
    over: [Counter; 2],
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    decision: &'static str,
    cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    limit: &'static str,
}

/// Which [`Over`] a call may be.
const LIMITS: [&str; 2] = ["rate", "in_flight"];

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Every series, at zero.
    pub fn new(
        policies: watch::Receiver<PolicyState>,
        keys: Arc<Keyring>,
        cache: Arc<DecisionCache>,
    ) -> Self {
        let mut registry = Registry::with_prefix("edgeward");
        let decisions = Family::<DecisionLabels, StripedCounter>::default();
        let series = |decision, cause| {
            decisions
                .get_or_create(&DecisionLabels { decision, cause })
                .clone()
        };
        let calls_refused = Family::<LimitLabels, Counter>::default();
        let metrics = Self {
            allows: series("allow", "policy"),
            denies: series("deny", "policy"),
            failures: FAILURES.map(|cause| series("deny", cause)),
            refusals: REFUSALS.map(|cause| series("deny", cause)),
            evaluation: Durations::of_work(),
            cache: CacheMetrics::register(&mut registry),
            documents: DocumentMetrics::register(&mut registry),
            tokens: TokenMetrics::register(&mut registry),
            inventory: InventoryMetrics::register(&mut registry),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            over: LIMITS.map(|limit| calls_refused.get_or_create(&LimitLabels { limit }).clone()),
            registry: Registry::default(),
        };
        registry.register(
            "decisions",
            "Decisions by outcome and cause",
            decisions.clone(),
        );
        registry.register(
            "evaluation_duration_seconds",
            "Time from the body of a question to its decision, remembered or made",
            metrics.evaluation.clone(),
        );
        registry.register(
            "connections",
            "Open connections",
            metrics.connections.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections closed at once because the limit was reached",
            metrics.connections_refused.clone(),
        );
        registry.register(
            "calls_refused",
            "Calls refused, unread, because they were over a limit",
            calls_refused,
        );
        registry.register_collector(Box::new(PolicyMetrics::new(policies, keys)));
        registry.register_collector(Box::new(CacheSize(cache)));
        Self {
            registry,
            ..metrics
        }
    }

    /// With the series of policy bundles, before the service starts.
    pub fn tell_of_bundles(&mut self, bundles: Arc<Bundles>) {
        let collector = BundleMetrics::new(bundles);
        self.registry.register_collector(Box::new(collector));
    }

    /// For series of other rooms, before the service starts.
    pub fn registry_mut(&mut self) -> &mut Registry {
        &mut self.registry
    }

    pub(super) fn refused(&self, refusal: edgeward_core::refusal::Refusal) {
        use edgeward_core::refusal::Refusal;
        let [request, identity, unavailable] = &self.refusals;
        let counter = match refusal {
            Refusal::NotCanonical => request,
            Refusal::Unauthenticated => identity,
            Refusal::Denied | Refusal::Unavailable => unavailable,
        };
        counter.inc();
    }

    pub(super) fn over(&self, over: Over) {
        let [rate, in_flight] = &self.over;
        let counter = match over {
            Over::Rate(_) => rate,
            Over::InFlight => in_flight,
        };
        counter.inc();
    }

    /// What a policy said: whether it allows, or the code of its failure.
    pub(super) fn decided(&self, outcome: Result<bool, &'static str>, took: Duration) {
        self.evaluation.took(took);
        let counter = match outcome {
            Ok(true) => Some(&self.allows),
            Ok(false) => Some(&self.denies),
            Err(code) => {
                let place = FAILURES.iter().position(|cause| *cause == code);
                place.and_then(|place| self.failures.get(place))
            }
        };
        if let Some(counter) = counter {
            counter.inc();
        }
    }
}

/// Why a door of another maker's proxy refuses before any policy is asked.
const REFUSALS: [&str; 3] = ["request", "identity", "unavailable"];

/// Codes of `policy::Failure`.
const FAILURES: [&str; 5] = [
    "policy-undefined",
    "policy-result-invalid",
    "policy-error",
    "policy-timeout",
    "policy-memory",
];

pub(super) fn answer(metrics: &Metrics) -> Reply {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &metrics.registry) {
        Ok(()) => reply::reply(
            StatusCode::OK,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            text.into_bytes(),
        ),
        Err(_) => Refusal::Broken.into(),
    }
}

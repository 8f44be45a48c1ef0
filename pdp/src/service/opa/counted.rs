//! What is counted of documents that were asked for, at `/metrics`. No path is a label.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::errors::Trouble;
use crate::policy::{NoAnswer, NoDocument};
use crate::service::histogram::Durations;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    outcome: &'static str,
}

/// What may come of a query.
const QUERY_OUTCOMES: [&str; 5] = ["answered", "timeout", "error", "refused", "unavailable"];

/// The counters; all threads share them.
pub(in crate::service) struct DocumentMetrics {
    defined: Counter,
    undefined: Counter,
    failed: Counter,
    timed_out: Counter,
    remembered: Counter,
    evaluation: Durations,
    queries: Family<Labels, Counter<u64, AtomicU64>>,
}

impl DocumentMetrics {
    /// Every series, at zero.
    pub(in crate::service) fn register(registry: &mut Registry) -> Self {
        let family = Family::<Labels, Counter<u64, AtomicU64>>::default();
        let series = |outcome| family.get_or_create(&Labels { outcome }).clone();
        let metrics = Self {
            defined: series("defined"),
            undefined: series("undefined"),
            failed: series("error"),
            timed_out: series("timeout"),
            remembered: Counter::default(),
            evaluation: Durations::of_work(),
            queries: Family::default(),
        };
        for outcome in QUERY_OUTCOMES {
            drop(metrics.queries.get_or_create(&Labels { outcome }));
        }
        registry.register(
            "documents",
            "Documents asked for by OPA's API, by outcome",
            family,
        );
        registry.register(
            "documents_remembered",
            "Documents among these that were not made anew",
            metrics.remembered.clone(),
        );
        registry.register(
            "document_evaluation_duration_seconds",
            "Time to a document for OPA's API, remembered or made",
            metrics.evaluation.clone(),
        );
        registry.register(
            "queries",
            "Queries asked by OPA's API, by outcome",
            metrics.queries.clone(),
        );
        metrics
    }

    /// One of these was remembered.
    pub(super) fn was_remembered(&self) {
        self.remembered.inc();
    }

    /// A query was asked.
    pub(super) fn queried(&self, outcome: Result<(), &Trouble>) {
        let outcome = match outcome {
            Ok(()) => "answered",
            Err(Trouble::QueriesHeld) => "held",
            Err(Trouble::Query(NoAnswer::Evaluation(NoDocument::Timeout))) => "timeout",
            Err(Trouble::Query(NoAnswer::Evaluation(_))) => "error",
            Err(Trouble::Query(_)) => "refused",
            Err(_) => "unavailable",
        };
        self.queries.get_or_create(&Labels { outcome }).inc();
    }

    /// A document was asked for: whether it is defined, where that is known.
    pub(super) fn read(&self, outcome: Result<bool, &Trouble>, took: Duration) {
        self.evaluation.took(took);
        let counter = match outcome {
            Ok(true) => &self.defined,
            Ok(false) => &self.undefined,
            Err(Trouble::Evaluation(NoDocument::Timeout)) => &self.timed_out,
            Err(_) => &self.failed,
        };
        counter.inc();
    }
}

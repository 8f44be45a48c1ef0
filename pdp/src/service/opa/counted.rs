//! What is counted of documents that were asked for, at `/metrics`. No path is a label.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use regorus::Value;

use super::errors::Trouble;
use crate::policy::NoDocument;
use crate::service::histogram::Durations;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    outcome: &'static str,
}

/// The counters; all threads share them.
pub(in crate::service) struct DocumentMetrics {
    defined: Counter,
    undefined: Counter,
    failed: Counter,
    timed_out: Counter,
    evaluation: Durations,
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
            evaluation: Durations::of_work(),
        };
        registry.register(
            "documents",
            "Documents asked for by OPA's API, by outcome",
            family,
        );
        registry.register(
            "document_evaluation_duration_seconds",
            "Time to evaluate a document for OPA's API",
            metrics.evaluation.clone(),
        );
        metrics
    }

    pub(super) fn read(&self, outcome: &Result<Option<Value>, Trouble>, took: Duration) {
        self.evaluation.took(took);
        let counter = match outcome {
            Ok(Some(_)) => &self.defined,
            Ok(None) => &self.undefined,
            Err(Trouble::Evaluation(NoDocument::Timeout)) => &self.timed_out,
            Err(_) => &self.failed,
        };
        counter.inc();
    }
}

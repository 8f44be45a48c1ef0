//! What is counted of remembered decisions.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::histogram::Durations;
use super::striped::StripedCounter;
use crate::cache::{DecisionCache, LookUp};

/// What a look-up came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Hit,
    Cold,
    Policy,
    Data,
    Expired,
    Busy,
    Uncacheable,
}

impl Found {
    const ALL: [Self; 7] = [
        Self::Hit,
        Self::Cold,
        Self::Policy,
        Self::Data,
        Self::Expired,
        Self::Busy,
        Self::Uncacheable,
    ];

    pub(super) fn of(found: &LookUp) -> Self {
        match found {
            LookUp::Hit(_, _) => Self::Hit,
            LookUp::Cold => Self::Cold,
            LookUp::Policy => Self::Policy,
            LookUp::Data => Self::Data,
            LookUp::Expired => Self::Expired,
            LookUp::Busy => Self::Busy,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Cold => "cold",
            Self::Policy => "policy",
            Self::Data => "data",
            Self::Expired => "expired",
            Self::Busy => "busy",
            Self::Uncacheable => "uncacheable",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    result: &'static str,
}

/// The counters; they are shared by all threads, and counting takes no lock.
pub(super) struct CacheMetrics {
    look_ups: [StripedCounter; Found::ALL.len()],
    age: Durations,
    footprint_missed: Counter,
}

impl CacheMetrics {
    /// Every series, at zero.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let family = Family::<Labels, StripedCounter>::default();
        let metrics = Self {
            look_ups: Found::ALL.map(|found| {
                let result = found.as_str();
                family.get_or_create(&Labels { result }).clone()
            }),
            age: Durations::of_age(),
            footprint_missed: Counter::default(),
        };
        registry.register(
            "cache_look_ups",
            "Questions by whether a remembered decision was reused, and if not, why",
            family,
        );
        registry.register(
            "cache_reused_age_seconds",
            "How long ago the decisions that are reused were made",
            metrics.age.clone(),
        );
        registry.register(
            "footprint_missed",
            "Sampled evaluations that answered otherwise on the whole input: must stay zero",
            metrics.footprint_missed.clone(),
        );
        metrics
    }

    pub(super) fn looked_up(&self, found: Found) {
        if let Some(counter) = self.look_ups.get(found as usize) {
            counter.inc();
        }
    }

    /// A decision was reused that was made so many seconds ago.
    pub(super) fn reused_after(&self, seconds: u64) {
        self.age.is_old(seconds);
    }

    pub(super) fn footprint_missed(&self) {
        self.footprint_missed.inc();
    }
}

/// Reads the size of the cache when somebody asks.
#[derive(Debug)]
pub(super) struct CacheSize(pub(super) Arc<DecisionCache>);

impl Collector for CacheSize {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let cache = &self.0;
        let sizes = [
            ("cache_entries", "Decisions remembered", cache.len() as u64),
            ("cache_bytes", "What they take at the most", cache.bytes()),
        ];
        for (name, help, value) in sizes {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let encoder = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(encoder)?;
        }
        Ok(())
    }
}

//! A histogram that is only added to: fixed bounds, one atomic a bucket, no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Times of work, counted in microseconds.
const WORK: Scale = Scale {
    bounds: [
        10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 20_000, 100_000, 1_000_000,
    ],
    a_second: 1e6,
};
/// Ages, counted in seconds, as far as a decision may be remembered.
const AGE: Scale = Scale {
    bounds: [0, 1, 2, 5, 10, 20, 30, 60, 300, 3_600, 21_600, 86_400],
    a_second: 1.0,
};

/// Upper bounds, and how many of their unit make a second.
#[derive(Clone, Copy, Debug)]
struct Scale {
    bounds: [u64; 12],
    a_second: f64,
}

/// Durations, counted; a clone counts into the same buckets.
#[derive(Clone, Debug)]
pub(super) struct Durations {
    scale: Scale,
    buckets: Arc<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    counts: [AtomicU64; 12],
    beyond: AtomicU64,
    sum: AtomicU64,
}

impl Durations {
    /// For times of work.
    pub(super) fn of_work() -> Self {
        Self::on(WORK)
    }

    /// For ages.
    pub(super) fn of_age() -> Self {
        Self::on(AGE)
    }

    fn on(scale: Scale) -> Self {
        Self {
            scale,
            buckets: Arc::default(),
        }
    }

    /// Counts work that took so long.
    pub(super) fn took(&self, duration: Duration) {
        self.observe(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts what is so many seconds old.
    pub(super) fn is_old(&self, seconds: u64) {
        self.observe(seconds);
    }

    fn observe(&self, value: u64) {
        let bucket = self.scale.bounds.iter().position(|bound| value <= *bound);
        let count = bucket
            .and_then(|bucket| self.buckets.counts.get(bucket))
            .unwrap_or(&self.buckets.beyond);
        count.fetch_add(1, Ordering::Relaxed);
        self.buckets.sum.fetch_add(value, Ordering::Relaxed);
    }
}

impl TypedMetric for Durations {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "bounds and sums are far below 2^53"
        )]
        let seconds = |value: u64| value as f64 / self.scale.a_second;
        let bounds = self.scale.bounds.iter().map(|bound| seconds(*bound));
        let counts = self.buckets.counts.iter().chain([&self.buckets.beyond]);
        let buckets: Vec<(f64, u64)> = bounds
            .chain([f64::INFINITY])
            .zip(counts.map(|count| count.load(Ordering::Relaxed)))
            .collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = seconds(self.buckets.sum.load(Ordering::Relaxed));
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

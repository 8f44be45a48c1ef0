//! A histogram that is only added to: fixed bounds, one atomic a bucket for each thread, no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

use super::striped::{self, PLACES};

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
    places: Arc<[Buckets; PLACES]>,
}

#[derive(Debug, Default)]
#[repr(align(128))]
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
            places: Arc::default(),
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
        let buckets = striped::own(&self.places);
        let count = bucket
            .and_then(|bucket| buckets.counts.get(bucket))
            .unwrap_or(&buckets.beyond);
        count.fetch_add(1, Ordering::Relaxed);
        buckets.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// What is counted in all places of one number.
    fn total(&self, of: impl Fn(&Buckets) -> Option<&AtomicU64>) -> u64 {
        let numbers = self.places.iter().filter_map(of);
        numbers.map(|number| number.load(Ordering::Relaxed)).sum()
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
        let mut buckets: Vec<(f64, u64)> = bounds
            .enumerate()
            .map(|(at, bound)| (bound, self.total(|place| place.counts.get(at))))
            .collect();
        buckets.push((f64::INFINITY, self.total(|place| Some(&place.beyond))));
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = seconds(self.total(|place| Some(&place.sum)));
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

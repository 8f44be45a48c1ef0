//! Numbers that every request counts up: each thread has a place of its own for them, so that no two
//! fetch one line of memory from each other. Who reads a number adds the places up.
//!
//! What this is not: exact while it is read. A sum may miss what is being counted meanwhile.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use prometheus_client::metrics::counter::{Atomic, Counter};

/// So many threads count without meeting each other; more share places.
pub(super) const PLACES: usize = 16;

/// A counter of the hot path.
pub(super) type StripedCounter = Counter<u64, Striped>;

/// One number in many places.
#[derive(Debug, Default)]
pub(super) struct Striped([Place; PLACES]);

/// Two lines of memory, which processors fetch together.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Place(AtomicU64);

/// The one of `places` that is this thread's.
pub(super) fn own<T>(places: &[T; PLACES]) -> &T {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PLACE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % PLACES;
    }
    let [first, ..] = places;
    PLACE.with(|place| places.get(*place)).unwrap_or(first)
}

impl Atomic<u64> for Striped {
    fn inc(&self) -> u64 {
        self.inc_by(1)
    }

    /// Adds; what was there before is that of this thread's place.
    fn inc_by(&self, by: u64) -> u64 {
        own(&self.0).0.fetch_add(by, Ordering::Relaxed)
    }

    fn get(&self) -> u64 {
        let numbers = self.0.iter().map(|place| place.0.load(Ordering::Relaxed));
        numbers.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_threads_count_is_counted_once_each() {
        let counter = StripedCounter::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * PLACES {
                scope.spawn(|| {
                    for _ in 0..100 {
                        counter.inc();
                    }
                });
            }
        });
        assert_eq!(counter.get(), 200 * PLACES as u64);
    }
}

//! The gate before fetches that tokens cause: single flight and rate limited, so that a flood of
//! tokens with invented key ids costs an issuer one fetch per interval.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

/// What became of a token's wish for fresh keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refetch {
    /// The key is there already.
    Known,
    /// A fetch has ended since the wish, well or badly: look at the snapshot again.
    Finished,
    /// Too soon after the last such fetch: the token's key is unknown.
    RateLimited,
    /// There is no such source, or it is not one that is fetched.
    NotFetched,
}

#[derive(Debug)]
struct Flight {
    /// A fetch was asked for or is under way.
    in_flight: bool,
    /// When the last fetch was caused by a token.
    last_caused: Option<Instant>,
}

/// One source's gate.
#[derive(Debug)]
pub(super) struct Gate {
    interval: Duration,
    flight: Mutex<Flight>,
    wish: Notify,
    finished: watch::Sender<u64>,
}

impl Gate {
    /// `interval` is the shortest time between two fetches that tokens cause.
    pub(super) fn new(interval: Duration) -> Self {
        let flight = Flight {
            in_flight: false,
            last_caused: None,
        };
        Self {
            interval,
            flight: Mutex::new(flight),
            wish: Notify::new(),
            finished: watch::Sender::new(0),
        }
    }

    /// Asks for a fetch, or joins the one under way, and waits until it has ended.
    pub(super) async fn refetch(&self) -> Refetch {
        let mut finished = {
            let mut flight = self.lock();
            if !flight.in_flight {
                let now = Instant::now();
                let too_soon = |last: Instant| now.duration_since(last) < self.interval;
                if flight.last_caused.is_some_and(too_soon) {
                    return Refetch::RateLimited;
                }
                flight.last_caused = Some(now);
                flight.in_flight = true;
                self.wish.notify_one();
            }
            // Under the lock: an end that comes from here on is this flight's.
            self.finished.subscribe()
        };
        match finished.changed().await {
            Ok(()) => Refetch::Finished,
            Err(_) => Refetch::NotFetched,
        }
    }

    /// Resolves when a fetch is asked for.
    pub(super) async fn wished(&self) {
        loop {
            self.wish.notified().await;
            // A wish that a fetch begun for another reason has granted already is over.
            if self.lock().in_flight {
                return;
            }
        }
    }

    /// A fetch begins: wishes from now on join it.
    pub(super) fn begin(&self) {
        self.lock().in_flight = true;
    }

    /// The fetch has ended.
    pub(super) fn end(&self) {
        let mut flight = self.lock();
        flight.in_flight = false;
        self.finished
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

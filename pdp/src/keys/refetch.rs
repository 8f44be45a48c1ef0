//! The gate before fetches that tokens cause: single flight and rate limited, so that a flood of
//! tokens with invented key ids costs an issuer one fetch per interval.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// What became of a token's wish for fresh keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refetch {
    /// A fetch was asked for.
    Asked,
    /// A fetch was under way, or asked for, already.
    Joined,
    /// The key is there already.
    Known,
    /// Too soon after the last such fetch: the token's key stays unknown for now.
    RateLimited,
    /// The owner's keys do not come by fetching: inline, or streamed by the Workload API.
    NotFetched,
    /// There is no such issuer or trust domain.
    UnknownOwner,
}

impl Refetch {
    /// Every outcome.
    pub const ALL: [Self; 6] = [
        Self::Asked,
        Self::Joined,
        Self::Known,
        Self::RateLimited,
        Self::NotFetched,
        Self::UnknownOwner,
    ];

    /// The label's value in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Joined => "joined",
            Self::Known => "known",
            Self::RateLimited => "rate_limited",
            Self::NotFetched => "not_fetched",
            Self::UnknownOwner => "unknown_owner",
        }
    }
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
        }
    }

    /// Asks for a fetch, or joins the one under way.
    pub(super) fn refetch(&self) -> Refetch {
        let mut flight = self.lock();
        if flight.in_flight {
            return Refetch::Joined;
        }
        let now = Instant::now();
        let too_soon = |last: Instant| now.duration_since(last) < self.interval;
        if flight.last_caused.is_some_and(too_soon) {
            return Refetch::RateLimited;
        }
        flight.last_caused = Some(now);
        flight.in_flight = true;
        self.wish.notify_one();
        Refetch::Asked
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
        self.lock().in_flight = false;
    }

    /// Whether a fetch was asked for or is under way.
    pub(super) fn is_in_flight(&self) -> bool {
        self.lock().in_flight
    }

    fn lock(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

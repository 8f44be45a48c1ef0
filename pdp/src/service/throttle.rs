//! How much one caller may ask in a second, and how many calls may be in flight at once, whoever asks.
//!
//! A caller is the certificate that it proved, else the address that it connects from (of IPv6 its network
//! of 64 bits); all on a Unix socket are one. Calls over a limit are told when to come back; at the doors
//! where the caller asks for others they are a deny.
//!
//! What this is not: the limit of connections (`accept`), or one of a call's size and time (`Limits`).

use std::net::{IpAddr, Ipv6Addr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use http::header::RETRY_AFTER;
use sha2::{Digest as _, Sha256};

use super::reply::{Refusal, Reply};
use super::tls::ClientCertificate;

/// Callers that are remembered one by one; those beyond them share one rate.
const MAX_CALLERS: usize = 65_536;

/// What one caller may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls a second, on average.
    pub per_second: NonZeroU32,
    /// Calls at once, after a pause.
    pub burst: NonZeroU32,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Caller {
    /// SHA-256 of a client certificate.
    Certificate([u8; 32]),
    Address(IpAddr),
    /// On this machine's own socket.
    Local,
    /// Any of too many.
    Other,
}

impl Caller {
    /// Whoever connects from `address`, which a Unix socket has not.
    pub(super) fn at(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            None => Self::Local,
            Some(IpAddr::V6(address)) => {
                const NETWORK: u128 = !0 << 64;
                let network = Ipv6Addr::from_bits(address.to_bits() & NETWORK);
                Self::Address(network.into())
            }
            Some(address) => Self::Address(address),
        }
    }

    /// Whoever proved to hold `certificate`.
    pub(super) fn with(certificate: &ClientCertificate) -> Self {
        Self::Certificate(Sha256::digest(certificate.der()).into())
    }
}

/// Which limit a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Its caller's rate, for so many seconds.
    Rate(u64),
    /// The number of calls in flight.
    InFlight,
}

impl Over {
    /// The reason code of a deny.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Rate(_) => "pdp-rate-limited",
            Self::InFlight => "pdp-overloaded",
        }
    }

    /// What the caller is told.
    pub(super) fn refusal(self) -> Refusal {
        match self {
            Self::Rate(_) => Refusal::TooMany,
            Self::InFlight => {
                Refusal::Unavailable("too many calls are in flight: try again".to_owned())
            }
        }
    }

    /// `reply`, with when to come back.
    pub(super) fn tell(self, mut reply: Reply) -> Reply {
        let seconds = match self {
            Self::Rate(seconds) => seconds,
            Self::InFlight => 1,
        };
        reply.headers_mut().insert(RETRY_AFTER, seconds.into());
        reply
    }
}

/// The limits, shared by all threads.
pub(super) struct Throttle {
    rates: Option<Rates>,
    in_flight: Option<InFlight>,
}

struct Rates {
    limiter: RateLimiter<Caller, HashMapStateStore<Caller>, DefaultClock>,
    started: Instant,
    /// When those were forgotten last that have not called for a while: seconds since the start.
    swept: AtomicU64,
}

struct InFlight {
    most: NonZeroUsize,
    now: Arc<AtomicUsize>,
}

/// A call in flight, until dropped.
#[must_use]
pub(super) struct Admitted(Option<Arc<AtomicUsize>>);

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some(in_flight) = &self.0 {
            in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Throttle {
    pub(super) fn new(rate: Option<Rate>, in_flight: Option<NonZeroUsize>) -> Self {
        let quota = |rate: Rate| Quota::per_second(rate.per_second).allow_burst(rate.burst);
        Self {
            rates: rate.map(|rate| Rates {
                limiter: RateLimiter::hashmap(quota(rate)),
                started: Instant::now(),
                swept: AtomicU64::new(0),
            }),
            in_flight: in_flight.map(|most| InFlight {
                most,
                now: Arc::default(),
            }),
        }
    }

    /// Lets a call of `caller` in, or says which limit it is over.
    pub(super) fn admit(&self, caller: &Caller) -> Result<Admitted, Over> {
        if let Some(rates) = &self.rates {
            let found = rates.limiter.check_key(rates.known(caller));
            found.map_err(|until| {
                let wait = until.wait_time_from(DefaultClock::default().now());
                Over::Rate(wait.as_secs() + 1)
            })?;
        }
        let Some(InFlight { most, now }) = &self.in_flight else {
            return Ok(Admitted(None));
        };
        let admitted = Admitted(Some(Arc::clone(now)));
        if now.fetch_add(1, Ordering::Relaxed) >= most.get() {
            return Err(Over::InFlight);
        }
        Ok(admitted)
    }
}

impl Rates {
    /// `caller`, or one for all others where too many are remembered already.
    fn known<'c>(&self, caller: &'c Caller) -> &'c Caller {
        if self.limiter.len() < MAX_CALLERS {
            return caller;
        }
        // Those that have not called for a while are as good as new. It takes a while to find them, and whoever
        // comes from many addresses must not have it done at each call.
        let second = self.started.elapsed().as_secs();
        if self.swept.fetch_max(second, Ordering::Relaxed) < second {
            self.limiter.retain_recent();
        }
        if self.limiter.len() < MAX_CALLERS {
            caller
        } else {
            &Caller::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(per_second: u32, burst: u32, in_flight: usize) -> Throttle {
        let rate = NonZeroU32::new(per_second).zip(NonZeroU32::new(burst));
        let rate = rate.map(|(per_second, burst)| Rate { per_second, burst });
        Throttle::new(rate, NonZeroUsize::new(in_flight))
    }

    fn at(address: &str) -> Caller {
        Caller::at(Some(address.parse().unwrap()))
    }

    #[test]
    fn one_caller_has_a_burst_and_then_a_rate_and_takes_nothing_from_another() {
        let throttle = throttle(1, 3, 0);
        for _ in 0..3 {
            assert!(throttle.admit(&at("192.0.2.1")).is_ok());
        }
        let over = throttle.admit(&at("192.0.2.1")).err();
        assert!(matches!(over, Some(Over::Rate(1 | 2))), "{over:?}");
        assert!(throttle.admit(&at("192.0.2.2")).is_ok());
        assert!(throttle.admit(&Caller::Local).is_ok());
    }

    #[test]
    fn addresses_of_one_host_are_one_caller() {
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:1"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
    }

    #[test]
    fn what_is_in_flight_is_counted_down_when_it_ends_also_where_it_was_refused() {
        let throttle = throttle(0, 0, 2);
        let first = throttle.admit(&Caller::Local).ok();
        let second = throttle.admit(&Caller::Local).ok();
        assert_eq!(throttle.admit(&Caller::Local).err(), Some(Over::InFlight));
        drop(first);
        let third = throttle.admit(&Caller::Local).ok();
        assert!(second.is_some() && third.is_some());
        assert_eq!(throttle.admit(&Caller::Local).err(), Some(Over::InFlight));
    }

    #[test]
    fn callers_without_number_take_no_memory_without_bound() {
        let throttle = throttle(1, 1, 0);
        for number in 0..100_000_u32 {
            let _ = throttle.admit(&Caller::at(Some(IpAddr::V4(number.into()))));
        }
        let rates = throttle.rates.as_ref().unwrap();
        assert!(rates.limiter.len() <= MAX_CALLERS + 1);
    }
}

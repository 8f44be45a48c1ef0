//! The clock of `io.jwt.decode_verify`: what says whether a token is of now.
//!
//! It must be the one that `time.now_ns` shows, for what a policy answers is remembered by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use regorus::{Engine, Value};

use super::super::called;
use super::{DECODE_VERIFY, decode_verify};
use crate::policy::builtin_errors::BuiltinErrors;
use crate::policy::set::LoadError;

/// What the clock shows, in nanoseconds since 1970.
#[derive(Clone, Debug)]
pub(in crate::policy) enum Instant {
    /// The time of day.
    True,
    /// What it was set to.
    Set(Arc<AtomicU64>),
}

impl Instant {
    /// The instant, in nanoseconds since 1970.
    pub(in crate::policy) fn nanoseconds(&self) -> u64 {
        match self {
            Self::Set(shown) => shown.load(Ordering::Relaxed),
            Self::True => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                since.map_or(0, |since| {
                    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
                })
            }
        }
    }
}

/// Puts `io.jwt.decode_verify` into `engine`, with this clock.
pub(in crate::policy) fn install(
    engine: &mut Engine,
    clock: Instant,
    errors: BuiltinErrors,
) -> Result<(), LoadError> {
    let call = move |arguments: Vec<Value>| {
        let verify =
            |a: &super::Arguments<'_>| decode_verify::decode_verify(a, clock.nanoseconds());
        called(DECODE_VERIFY, verify, &arguments, errors)
    };
    engine
        .add_extension(DECODE_VERIFY.to_owned(), 2, Box::new(call))
        .map_err(|error| LoadError::engine(&error))
}

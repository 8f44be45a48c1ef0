//! The one place where the service reads the wall clock.

use std::time::SystemTime;

use edgeward_core::time::UnixSeconds;
use jiff::Timestamp;

/// `at` in UTC with whole seconds, as policies see it: `2026-11-22T16:00:00Z`.
pub(super) fn text_of(at: UnixSeconds) -> String {
    let instant = i64::try_from(at.0)
        .ok()
        .and_then(|s| Timestamp::from_second(s).ok());
    instant.unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// Now, in whole seconds.
pub(super) fn now() -> UnixSeconds {
    UnixSeconds(unix_millis() / 1000)
}

/// Milliseconds since 1970; zero for a clock before that.
pub(super) fn unix_millis() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

//! The one place of this room that reads the wall clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use edgeward_core::time::UnixSeconds;

/// Now, by the system's clock; a clock before 1970 reads as 1970.
pub(super) fn now() -> UnixSeconds {
    UnixSeconds(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()),
    )
}

/// The moment `wait` from now, rounded down to a second.
pub(super) fn after(wait: Duration) -> UnixSeconds {
    now().plus(wait.as_secs())
}

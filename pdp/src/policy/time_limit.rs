//! How the engine keeps to the time that an evaluation may take.

use std::num::NonZeroU32;
use std::time::Duration;

use regorus::utils::limits::ExecutionTimerConfig;

/// How often the engine looks at the clock: every so many steps.
pub(super) fn timer(limit: Duration) -> ExecutionTimerConfig {
    ExecutionTimerConfig {
        limit,
        check_interval: NonZeroU32::new(16).unwrap_or(NonZeroU32::MIN),
    }
}

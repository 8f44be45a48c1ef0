//! The time as two clocks tell it. The only file of this room that reads them.
//!
//! Why two: the system's clock can jump, back to 1970 before the network is there or years ahead, and is
//! set right again. What is done once and cannot be undone (a key signs, a key is gone) also waits for a
//! clock that never jumps.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use edgeward_core::time::UnixSeconds;

/// An instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// By the system's clock: what stands in tokens and on disk.
    pub wall: UnixSeconds,
    /// Since this process began to count, by a clock that never jumps. It may stand still while the
    /// machine sleeps.
    pub running: Duration,
}

/// Both clocks of this process.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// Begins to count.
    #[must_use]
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    /// Now. A system's clock before 1970 reads as 1970.
    pub fn now(&self) -> Moment {
        Moment {
            wall: UnixSeconds(
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |since| since.as_secs()),
            ),
            running: self.started.elapsed(),
        }
    }
}

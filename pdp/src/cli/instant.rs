//! Instants on the command line, and the one place where it reads the clock.

use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use edgeward_core::time::UnixSeconds;
use thiserror::Error;

/// An instant as `--at` has it: seconds since 1970 or RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant(pub(super) UnixSeconds);

/// Why a text is not an instant.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum InstantError {
    #[error("write it as `2026-01-31T12:00:00Z` or as seconds since 1970, such as `1769860800`")]
    NotAnInstant,
    #[error("it lies before 1970")]
    BeforeEpoch,
}

impl FromStr for Instant {
    type Err = InstantError;

    fn from_str(text: &str) -> Result<Self, InstantError> {
        if let Ok(seconds) = text.parse::<u64>() {
            return Ok(Self(UnixSeconds(seconds)));
        }
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| InstantError::NotAnInstant)?;
        let seconds = timestamp
            .as_second()
            .try_into()
            .map_err(|_| InstantError::BeforeEpoch)?;
        Ok(Self(UnixSeconds(seconds)))
    }
}

impl Instant {
    /// The current time, to the second.
    pub(super) fn now() -> Self {
        let elapsed = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(UnixSeconds(elapsed.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_same_instant() {
        for text in [
            "1769860800",
            "2026-01-31T12:00:00Z",
            "2026-01-31T13:00:00+01:00",
        ] {
            assert_eq!(
                text.parse(),
                Ok(Instant(UnixSeconds(1_769_860_800))),
                "{text}"
            );
        }
        for text in [
            "",
            "-1",
            "1e9",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "tomorrow",
            "1.5",
        ] {
            assert_eq!(
                text.parse::<Instant>(),
                Err(InstantError::NotAnInstant),
                "{text}"
            );
        }
        assert_eq!(
            "1969-12-31T23:59:59Z".parse::<Instant>(),
            Err(InstantError::BeforeEpoch)
        );
    }
}

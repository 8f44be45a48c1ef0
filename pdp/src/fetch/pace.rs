//! When to fetch next.

use std::time::Duration;

use super::RefreshSettings;

/// No wait is longer, whatever the settings say.
const LONGEST: Duration = Duration::from_hours(24 * 365);
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// One source's rhythm: its settings and how often it failed in a row.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    settings: RefreshSettings,
    failures: u32,
}

impl Pace {
    pub(crate) fn new(settings: RefreshSettings) -> Self {
        Self {
            settings,
            failures: 0,
        }
    }

    /// The wait after a success: the server's hint within our bounds, up to a tenth less, so that
    /// a fleet does not ask in step.
    pub(crate) fn after_success(&mut self, hint: Option<Duration>) -> Duration {
        self.failures = 0;
        let RefreshSettings {
            interval,
            shortest,
            longest,
            ..
        } = self.settings;
        // Not `clamp`, which panics when the bounds are the wrong way round.
        let wait = hint
            .unwrap_or(interval)
            .max(shortest)
            .min(longest)
            .min(LONGEST);
        wait.mul_f64(between(0.9, 1.0))
    }

    /// The wait after a failure: twice the last one, up to the bound, half of it by chance.
    pub(crate) fn after_failure(&mut self) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let wait = FIRST_BACKOFF
            .saturating_mul(factor)
            .min(self.settings.longest_backoff)
            .min(LONGEST);
        wait.mul_f64(between(0.5, 1.0))
    }
}

/// A number from `low` to `high` by chance; `high` where there is no chance to be had.
fn between(low: f64, high: f64) -> f64 {
    let mut bytes = [0xff_u8; 2];
    // On failure the bytes stay as they are: a longer wait, never none.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    low + (high - low) * f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_followed_within_bounds() {
        let mut pace = Pace::new(RefreshSettings::default());
        let minutes = |wait: Duration| wait.as_secs_f64() / 60.0;
        for (hint, least, most) in [
            (None, 4.5, 5.0),
            (Some(Duration::ZERO), 0.45, 0.5),
            (Some(Duration::from_mins(10)), 9.0, 10.0),
            (Some(Duration::MAX), 54.0, 60.0),
        ] {
            let wait = minutes(pace.after_success(hint));
            assert!((least..=most).contains(&wait), "{hint:?}: {wait}");
        }
    }

    #[test]
    fn settings_without_bounds_do_not_overflow() {
        let mut pace = Pace::new(RefreshSettings {
            interval: Duration::MAX,
            shortest: Duration::MAX,
            longest: Duration::MAX,
            longest_backoff: Duration::MAX,
            ..RefreshSettings::default()
        });
        assert!(pace.after_success(None) <= LONGEST);
        for _ in 0..100 {
            assert!(pace.after_failure() <= LONGEST);
        }
    }

    #[test]
    fn failures_wait_longer_each_time_up_to_the_bound_and_success_forgets_them() {
        let mut pace = Pace::new(RefreshSettings::default());
        for most in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
            let wait = pace.after_failure().as_secs_f64();
            assert!((most / 2.0..=most).contains(&wait), "{wait} of {most}");
        }
        for _ in 0..100 {
            assert!(pace.after_failure() <= Duration::from_mins(1));
        }
        pace.after_success(None);
        assert!(pace.after_failure() <= Duration::from_secs(1));
    }
}

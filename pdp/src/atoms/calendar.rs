//! One schedule: when it holds, and when that changes next.
//!
//! A local time is one instant: where the clock goes back, the first of the two; where it jumps
//! forward over it, the jump. So windows that meet on the clock's face meet in time, on every day.
//!
//! What this is not: a clock. Instants are arguments, whole seconds since 1970.

use jiff::civil::{Date, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp};

use super::window::{Days, SECONDS_OF_DAY, TimeOfDay};

/// The most days before today on which a window that still holds can have begun: one that ends on
/// the day after its own, and a day more for time zones that skip one.
const DAYS_BEFORE: i32 = 2;
/// How many days are looked ahead: every window of a week is among them.
const DAYS_AHEAD: i32 = 8;

/// When something holds.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The time zone of its windows and dates.
    pub zone: TimeZone,
    /// The zone's name.
    pub zone_name: String,
    /// The windows of each week.
    pub windows: Vec<Window>,
    /// From a first second to the one after the last.
    pub spans: Vec<(i64, i64)>,
    /// Days on which no window of the week begins.
    pub except: Vec<Date>,
}

/// A window of each week. One whose end is not after its beginning ends on the next day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The days on which it begins.
    pub days: Days,
    /// Its first second.
    pub from: TimeOfDay,
    /// The second after its last.
    pub to: TimeOfDay,
}

/// Whether a schedule holds, and until when nothing about that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// Whether it holds.
    pub active: bool,
    /// The first second at which that may be otherwise; none if never.
    pub until: Option<i64>,
}

impl Schedule {
    /// Whether it holds at `now`.
    pub fn at(&self, now: i64) -> Holding {
        let (mut intervals, horizon) = self.intervals(now);
        intervals.sort_unstable();
        let mut end = None;
        for (from, to) in &intervals {
            // In order of beginnings, so that windows that meet are one.
            let reached = end.unwrap_or(now);
            if *from <= reached && *to > reached {
                end = Some(*to);
            }
        }
        if end.is_some() {
            return Holding {
                active: true,
                until: end,
            };
        }
        let next = intervals
            .iter()
            .map(|(from, _)| *from)
            .find(|from| *from > now);
        Holding {
            active: false,
            until: next.into_iter().chain(horizon).min(),
        }
    }

    /// All that can hold from `now` on, none of it empty, and up to when that is all there is.
    fn intervals(&self, now: i64) -> (Vec<(i64, i64)>, Option<i64>) {
        let mut intervals = self.spans.clone();
        let Some(today) = Timestamp::from_second(now)
            .ok()
            .map(|now| self.zone.to_datetime(now).date())
        else {
            return (intervals, None);
        };
        let day = |number: i32| today.checked_add(Span::new().days(number)).ok();
        for date in (-DAYS_BEFORE..=DAYS_AHEAD).filter_map(day) {
            if self.except.contains(&date) {
                continue;
            }
            for window in self
                .windows
                .iter()
                .filter(|window| window.days.has(date.weekday()))
            {
                intervals.extend(self.interval(window, date));
            }
        }
        let horizon = (!self.windows.is_empty())
            .then(|| self.instant(day(DAYS_AHEAD)?, TimeOfDay(SECONDS_OF_DAY)));
        intervals.retain(|(from, to)| from < to);
        (intervals, horizon.flatten())
    }

    fn interval(&self, window: &Window, date: Date) -> Option<(i64, i64)> {
        let last_day = if window.to <= window.from {
            date.tomorrow().ok()?
        } else {
            date
        };
        let from = self.instant(date, window.from)?;
        Some((from, self.instant(last_day, window.to)?))
    }

    /// The instant of a local time; none beyond the calendar.
    fn instant(&self, date: Date, TimeOfDay(seconds): TimeOfDay) -> Option<i64> {
        let (date, seconds) = if seconds == SECONDS_OF_DAY {
            (date.tomorrow().ok()?, 0)
        } else {
            (date, seconds)
        };
        let part = |divisor: u32, modulus: u32| i8::try_from(seconds / divisor % modulus).ok();
        let local = date.at(part(3600, 24)?, part(60, 60)?, part(1, 60)?, 0);
        let found = self.zone.to_ambiguous_timestamp(local);
        let instant = match found.offset() {
            AmbiguousOffset::Gap { .. } => {
                let before = found.earlier().ok()?;
                self.zone.following(before).next()?.timestamp()
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                found.earlier().ok()?
            }
        };
        Some(instant.as_second())
    }
}

/// Days of the week in the order in which lists have them.
pub(super) const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;

//! The parts of a window as they are written: days and times of day.

use std::str::FromStr;

use jiff::civil::Weekday;
use thiserror::Error;

use super::calendar::WEEK;

/// What a local day has, where no clock is changed.
pub(super) const SECONDS_OF_DAY: u32 = 24 * 60 * 60;

/// Some days of the week.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Days([bool; 7]);

/// A time on the clock's face, in seconds from midnight; 24:00 is the midnight that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(pub(super) u32);

/// Why a text is no days or no time.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum WindowError {
    /// No days.
    #[error(
        "`{0}` is not a day: write `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`, or a range such as `mon-fri`"
    )]
    Days(String),
    /// No time.
    #[error(
        "`{0}` is not a time of day: write it as `09:00` or `09:00:30`, the end of the day as `24:00`"
    )]
    Time(String),
}

impl Days {
    /// All seven.
    pub const ALL: Self = Self([true; 7]);

    /// Whether `day` is one of them.
    pub fn has(self, day: Weekday) -> bool {
        let index = usize::try_from(day.to_monday_zero_offset()).unwrap_or_default();
        self.0.get(index).copied().unwrap_or_default()
    }

    /// These and `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut both = self.0.iter().zip(other.0).map(|(one, other)| *one || other);
        Self(std::array::from_fn(|_| both.next().unwrap_or_default()))
    }
}

impl TimeOfDay {
    /// 24:00.
    pub const END: Self = Self(SECONDS_OF_DAY);
}

impl FromStr for Days {
    type Err = WindowError;

    /// `mon`, or `mon-fri`, which may go over the end of the week.
    fn from_str(text: &str) -> Result<Self, WindowError> {
        const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let refused = || WindowError::Days(text.chars().take(40).collect());
        let number = |name: &str| NAMES.iter().position(|other| *other == name);
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let first = number(first).ok_or_else(refused)?;
        let last = number(last).ok_or_else(refused)?;
        let length = (last + WEEK.len() - first) % WEEK.len();
        Ok(Self(std::array::from_fn(|day| {
            (day + WEEK.len() - first) % WEEK.len() <= length
        })))
    }
}

impl FromStr for TimeOfDay {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let refused = || WindowError::Time(text.chars().take(40).collect());
        let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = text.split(':').collect();
        if !(2..=3).contains(&parts.len()) || !parts.iter().all(|part| two_digits(part)) {
            return Err(refused());
        }
        let mut numbers = parts
            .iter()
            .map(|part| part.parse::<u32>().unwrap_or(u32::MAX));
        let mut next = || numbers.next().unwrap_or_default();
        let (hours, minutes, seconds) = (next(), next(), next());
        let total = hours * 3600 + minutes * 60 + seconds;
        if minutes > 59 || seconds > 59 || total > SECONDS_OF_DAY {
            return Err(refused());
        }
        Ok(Self(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_one_by_one_and_as_ranges() {
        for (text, expected) in [
            ("mon", [true, false, false, false, false, false, false]),
            ("mon-fri", [true, true, true, true, true, false, false]),
            ("fri-mon", [true, false, false, false, true, true, true]),
            ("mon-sun", [true; 7]),
            ("tue-mon", [true; 7]),
            ("sun-sun", [false, false, false, false, false, false, true]),
        ] {
            assert_eq!(text.parse(), Ok(Days(expected)), "{text}");
            let days = Days(expected);
            assert_eq!(WEEK.map(|day| days.has(day)), expected, "{text}");
        }
        for text in ["", "Mon", "monday", "mon-", "mon-fri-sat", "mon,tue", "1"] {
            assert!(text.parse::<Days>().is_err(), "{text}");
        }
        let both: Days = "mon".parse::<Days>().unwrap().and("sun".parse().unwrap());
        assert_eq!(both, Days([true, false, false, false, false, false, true]));
    }

    #[test]
    fn a_time_has_one_spelling() {
        for (text, seconds) in [
            ("00:00", 0),
            ("09:05", 32_700),
            ("23:59:59", 86_399),
            ("24:00", 86_400),
        ] {
            assert_eq!(text.parse(), Ok(TimeOfDay(seconds)), "{text}");
        }
        for text in [
            "",
            "9:00",
            "09",
            "09:60",
            "24:01",
            "24:00:01",
            "25:00",
            "09:00:00:00",
            "09:0a",
            "+9:00",
            "99:99:99",
        ] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
    }
}

//! A line that the run is held to, with its limit. A number that is missing does not meet it.

use std::fmt;

use serde::Serialize;

/// One line of "speed to reach".
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    name: &'static str,
    of: &'static str,
    measured: Option<f64>,
    at: &'static str,
    limit: f64,
    met: bool,
}

impl Line {
    /// Met by this much or less.
    pub(crate) fn at_most(
        name: &'static str,
        of: &'static str,
        measured: Option<f64>,
        limit: f64,
    ) -> Self {
        let met = measured.is_some_and(|measured| measured <= limit);
        Self {
            name,
            of,
            measured,
            at: "most",
            limit,
            met,
        }
    }

    /// Met by this much or more.
    pub(crate) fn at_least(
        name: &'static str,
        of: &'static str,
        measured: Option<f64>,
        limit: f64,
    ) -> Self {
        let met = measured.is_some_and(|measured| measured >= limit);
        Self {
            name,
            of,
            measured,
            at: "least",
            limit,
            met,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.met { "met" } else { "MISSED" };
        let Self {
            name,
            of,
            at,
            limit,
            ..
        } = self;
        let measured = self.measured.unwrap_or(f64::NAN);
        write!(
            f,
            "{verdict:<7} {name:<16} {measured:>9.3}  at {at} {limit:<6} {of}"
        )
    }
}

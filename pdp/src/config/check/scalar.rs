//! Texts that stand for something else: durations, sizes, addresses, octal modes.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use thiserror::Error;

use crate::config::problem::{Field, Findings};
use crate::config::raw_text::DurationText;

/// Why a text is not the value it should be.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum ScalarError {
    #[error("`{0}` is not a duration: write a number with a unit, such as `100ms`, `60s` or `5m`")]
    NotADuration(String),
    #[error("`{given}` is out of range: it must be {} to {}", show(*min), show(*max))]
    DurationRange {
        given: String,
        min: Duration,
        max: Duration,
    },
    #[error("`{0}` is not a size: write a number of bytes, or one with `KiB` or `MiB`")]
    NotASize(String),
    #[error("{given} is out of range: it must be {min} to {max}")]
    NumberRange { given: u64, min: u64, max: u64 },
    #[error("`{0}` is not an address with a port: write one such as `127.0.0.1:8181`")]
    NotAnAddress(String),
    #[error("`{0}` is not a file mode: write three octal digits in quotes, such as \"0660\"")]
    NotAMode(String),
}

fn show(duration: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(duration)
}

/// A duration within `range`, or `default` where nothing was written or it was refused.
pub(super) fn duration_or(
    text: Option<&DurationText>,
    default: Duration,
    range: RangeInclusive<Duration>,
    field: &Field,
    findings: &mut Findings,
) -> Duration {
    duration_if(text, range, field, findings).unwrap_or(default)
}

/// A duration within `range`; none where nothing was written or it was refused.
pub(super) fn duration_if(
    text: Option<&DurationText>,
    range: RangeInclusive<Duration>,
    field: &Field,
    findings: &mut Findings,
) -> Option<Duration> {
    let DurationText(text) = text?;
    findings.accept(field, duration(text, &range))
}

fn duration(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, ScalarError> {
    let given = || text.chars().take(40).collect::<String>();
    // `0` without a unit is the one number humantime would take.
    let value = match humantime::parse_duration(text) {
        Ok(value) if text.ends_with(|last: char| last.is_ascii_alphabetic()) => value,
        _ => return Err(ScalarError::NotADuration(given())),
    };
    if range.contains(&value) {
        return Ok(value);
    }
    Err(ScalarError::DurationRange {
        given: given(),
        min: *range.start(),
        max: *range.end(),
    })
}

/// A number of bytes: `1048576`, `1024KiB`, `1MiB`.
pub(super) fn size(text: &str) -> Result<u64, ScalarError> {
    let text = text.trim();
    let end = text
        .find(|digit: char| !digit.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit.trim_start() {
        "" | "B" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        _ => 0,
    };
    number
        .parse::<u64>()
        .ok()
        .filter(|_| factor > 0)
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| ScalarError::NotASize(text.chars().take(40).collect()))
}

/// A number within `range`.
pub(super) fn within(given: u64, range: &RangeInclusive<u64>) -> Result<u64, ScalarError> {
    if range.contains(&given) {
        return Ok(given);
    }
    Err(ScalarError::NumberRange {
        given,
        min: *range.start(),
        max: *range.end(),
    })
}

/// An IP address and a port; `localhost` is understood as IPv4.
pub(super) fn address(text: &str) -> Result<SocketAddr, ScalarError> {
    if let Some(port) = text
        .strip_prefix("localhost:")
        .and_then(|port| port.parse().ok())
    {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    text.parse()
        .map_err(|_| ScalarError::NotAnAddress(text.chars().take(80).collect()))
}

/// Permissions in octal: `660` or `0660`.
pub(super) fn mode(text: &str) -> Result<u32, ScalarError> {
    let digits = text
        .strip_prefix('0')
        .filter(|rest| rest.len() == 3)
        .unwrap_or(text);
    let valid = digits.len() == 3 && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    match u32::from_str_radix(digits, 8) {
        Ok(mode) if valid => Ok(mode),
        _ => Err(ScalarError::NotAMode(text.chars().take(40).collect())),
    }
}

//! The times of a token, in words.

use edgeward_core::time::UnixSeconds;
use serde_json::{Map, Value};

/// Claims that are times.
pub(super) const TIMES: [&str; 5] = ["exp", "nbf", "iat", "auth_time", "attested_at"];

/// A time of a token (RFC 7519 `NumericDate`), without its fraction; none where it is no number.
pub(super) fn instant(claims: &Map<String, Value>, name: &str) -> Option<UnixSeconds> {
    of_value(claims.get(name)?)
}

/// As [`instant`], of the value itself.
pub(super) fn of_value(value: &Value) -> Option<UnixSeconds> {
    let whole = value.as_u64().or_else(|| {
        let text = value.as_f64()?.trunc().to_string();
        text.parse().ok()
    });
    whole.map(UnixSeconds)
}

/// When it is, seen from `now`, such as `2026-01-31T12:00:00Z, in 3m`.
pub(super) fn seen(instant: UnixSeconds, now: UnixSeconds) -> String {
    let distance = if instant > now {
        format!("in {}", span(instant.seconds_since(now)))
    } else {
        format!("{} ago", span(now.seconds_since(instant)))
    };
    format!("{}, {distance}", rfc3339(instant))
}

/// Of `exp`: such as `expires in 3m`.
pub(super) fn expiry(expires_at: UnixSeconds, now: UnixSeconds) -> String {
    if expires_at > now {
        format!("expires in {}", span(expires_at.seconds_since(now)))
    } else {
        format!("EXPIRED {} ago", span(now.seconds_since(expires_at)))
    }
}

/// A length of time by its two largest units.
pub(super) fn span(seconds: u64) -> String {
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let from_first = units.into_iter().skip_while(|(count, _)| *count == 0);
    let said: Vec<String> = from_first
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if said.is_empty() {
        return "0s".to_owned();
    }
    said.join(" ")
}

fn rfc3339(instant: UnixSeconds) -> String {
    let timestamp = i64::try_from(instant.0).ok();
    let timestamp = timestamp.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    timestamp.map_or_else(|| instant.0.to_string(), |timestamp| timestamp.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_said_by_their_two_largest_units() {
        for (seconds, said) in [
            (0, "0s"),
            (59, "59s"),
            (180, "3m"),
            (185, "3m 5s"),
            (3600, "1h"),
            (3605, "1h"),
            (7500, "2h 5m"),
            (86_400 * 30, "30d"),
            (86_400 + 3600 * 2 + 60, "1d 2h"),
        ] {
            assert_eq!(span(seconds), said);
        }
    }

    #[test]
    fn a_time_is_seen_from_now() {
        let now = UnixSeconds(1_800_000_000);
        assert_eq!(expiry(now.plus(180), now), "expires in 3m");
        assert_eq!(expiry(now, now.plus(61)), "EXPIRED 1m 1s ago");
        assert_eq!(expiry(now, now), "EXPIRED 0s ago");
        assert_eq!(seen(now, now.plus(60)), "2027-01-15T08:00:00Z, 1m ago");
        assert_eq!(of_value(&serde_json::json!(1.9)), Some(UnixSeconds(1)));
        for strange in [
            serde_json::json!("5"),
            serde_json::json!(-1),
            serde_json::json!(1e300),
        ] {
            assert_eq!(of_value(&strange), None, "{strange}");
        }
    }
}

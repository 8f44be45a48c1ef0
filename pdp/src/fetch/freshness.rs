//! How long an HTTP answer says it stays fresh (RFC 9111 sections 4.2.3 and 5.2.2).
//!
//! What this is not: a cache. The answer is only a hint, which the refresh settings bound.

use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL};

/// The remaining freshness; zero for `no-store` and `no-cache`; `None` when nothing is said or what
/// is said cannot be read.
pub(super) fn of_headers(headers: &HeaderMap) -> Option<Duration> {
    let mut max_age = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.to_str().ok()?.split(',') {
            let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => return Some(Duration::ZERO),
                "max-age" => max_age = Some(argument.trim().trim_matches('"').parse::<u64>().ok()?),
                _ => {}
            }
        }
    }
    let age = headers
        .get(AGE)
        .and_then(|age| age.to_str().ok()?.trim().parse::<u64>().ok());
    max_age.map(|seconds| Duration::from_secs(seconds.saturating_sub(age.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(lines: &[(&'static str, &str)]) -> Option<u64> {
        let headers = lines
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        of_headers(&headers).map(|duration| duration.as_secs())
    }

    #[test]
    fn max_age_less_age_is_the_freshness() {
        assert_eq!(
            fresh(&[("cache-control", "public, Max-Age=600")]),
            Some(600)
        );
        assert_eq!(
            fresh(&[("cache-control", "max-age=\"60\""), ("age", "50")]),
            Some(10)
        );
        assert_eq!(
            fresh(&[("cache-control", "max-age=60"), ("age", "70")]),
            Some(0)
        );
        assert_eq!(
            fresh(&[
                ("cache-control", "max-age=9"),
                ("cache-control", "no-store")
            ]),
            Some(0)
        );
    }

    #[test]
    fn what_cannot_be_read_is_no_hint() {
        for value in [
            "max-age=-1",
            "max-age=x",
            "max-age",
            "max-age=99999999999999999999999",
            "",
        ] {
            assert_eq!(fresh(&[("cache-control", value)]), None, "{value}");
        }
        assert_eq!(fresh(&[]), None);
    }
}

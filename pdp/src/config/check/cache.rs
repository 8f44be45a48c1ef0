//! The decisions that are remembered: how many bytes, how long.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::problem::{Field, Findings};
use super::super::raw::RawCache;
use super::super::raw_text::{DurationText, SizeText};
use super::scalar;
use crate::cache::CacheSettings;

const BYTES: RangeInclusive<u64> = 0..=64 * 1024 * 1024 * 1024;
const TTL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);

pub(super) fn cache(
    raw: Option<RawCache>,
    field: &Field,
    findings: &mut Findings,
) -> CacheSettings {
    let raw = raw.unwrap_or_default();
    let defaults = CacheSettings::default();
    let max_bytes = raw.max_bytes.and_then(|SizeText(text)| {
        let checked = scalar::size(&text).and_then(|given| scalar::within(given, &BYTES));
        findings.accept(&field.key("max_bytes"), checked)
    });
    let mut ttl = |key: &str, text: Option<&DurationText>, default| {
        scalar::duration_or(text, default, TTL, &field.key(key), findings)
    };
    CacheSettings {
        max_bytes: max_bytes.unwrap_or(defaults.max_bytes),
        allow_ttl: ttl("allow_ttl", raw.allow_ttl.as_ref(), defaults.allow_ttl),
        deny_ttl: ttl("deny_ttl", raw.deny_ttl.as_ref(), defaults.deny_ttl),
    }
}

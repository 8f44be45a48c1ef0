//! The decisions that are remembered: how many bytes, how long, in which steps of time.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::problem::{Field, Findings};
use super::super::raw::RawCache;
use super::super::raw_text::{DurationText, SizeText};
use super::scalar;
use crate::cache::CacheSettings;
use crate::policy::Quantum;

const BYTES: RangeInclusive<u64> = 0..=64 * 1024 * 1024 * 1024;
/// Wider than what is a quantum, which says itself what it may be.
const QUANTUM: RangeInclusive<Duration> = Duration::ZERO..=Duration::MAX;
const TTL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);

/// How long the clock of policies stands still; none where they see the true time.
pub(super) fn clock_quantum(
    raw: Option<&RawCache>,
    field: &Field,
    findings: &mut Findings,
) -> Option<Quantum> {
    let field = field.key("clock_quantum");
    let text = raw.and_then(|raw| raw.clock_quantum.as_ref());
    let second = Duration::from_secs(1);
    let length = scalar::duration_or(text, second, QUANTUM, &field, findings);
    findings.accept(&field, Quantum::of(length)).flatten()
}

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

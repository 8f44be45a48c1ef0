//! The policies, and the bounds within which they are asked.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Context, scalar};
use crate::config::problem::{Field, Findings};
use crate::config::raw::{RawLimits, RawPolicies, RawSync};
use crate::config::raw_text::SizeText;
use crate::config::{DEFAULT_ENTRYPOINT, Limits, Policies};

const MAX_WORKERS: u64 = 1024;
const BODY: RangeInclusive<u64> = 1024..=64 * 1024 * 1024;
const CONNECTIONS: RangeInclusive<u64> = 1..=1_000_000;
const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

pub(super) fn workers(raw: Option<u32>, field: &Field, findings: &mut Findings) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let Some(raw) = raw else { return cores() };
    findings
        .accept(field, scalar::within(raw.into(), &(1..=MAX_WORKERS)))
        .and_then(|count| NonZeroUsize::new(usize::try_from(count).ok()?))
        .unwrap_or_else(cores)
}

pub(super) fn policies(
    raw: Option<RawPolicies>,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Policies {
    let default_timeout = Duration::from_millis(100);
    let Some(raw) = raw else {
        return Policies {
            directory: None,
            entrypoint: DEFAULT_ENTRYPOINT.to_owned(),
            watch: false,
            evaluation_timeout: default_timeout,
        };
    };
    if raw.directory.as_os_str().is_empty() {
        findings.refuse(
            &field.key("directory"),
            "must not be empty: name the policy folder",
        );
    }
    let entrypoint = raw
        .entrypoint
        .unwrap_or_else(|| DEFAULT_ENTRYPOINT.to_owned());
    if !Policies::is_entrypoint(&entrypoint) {
        findings.refuse(
            &field.key("entrypoint"),
            format!("`{entrypoint}` is not a rule: write one such as `{DEFAULT_ENTRYPOINT}`"),
        );
    }
    Policies {
        directory: Some(context.resolve(&raw.directory)),
        entrypoint,
        watch: raw.watch.unwrap_or(true),
        evaluation_timeout: scalar::duration_or(
            raw.evaluation_timeout.as_ref(),
            default_timeout,
            MILLISECOND..=10 * SECOND,
            &field.key("evaluation_timeout"),
            findings,
        ),
    }
}

pub(super) fn limits(raw: Option<RawLimits>, field: &Field, findings: &mut Findings) -> Limits {
    let raw = raw.unwrap_or_default();
    let mut number = |key: &str, given: Option<u64>, range, default: usize| {
        given
            .and_then(|given| findings.accept(&field.key(key), scalar::within(given, &range)))
            .and_then(|given| usize::try_from(given).ok())
            .unwrap_or(default)
    };
    let connections = number(
        "connections",
        raw.connections.map(u64::from),
        CONNECTIONS,
        1024,
    );
    let body_field = field.key("body");
    let body = raw.body.and_then(|SizeText(text)| {
        let size = scalar::size(&text).and_then(|size| scalar::within(size, &BODY));
        usize::try_from(findings.accept(&body_field, size)?).ok()
    });
    Limits {
        body: body.unwrap_or(1024 * 1024),
        connections,
        request_timeout: scalar::duration_or(
            raw.request_timeout.as_ref(),
            5 * SECOND,
            10 * MILLISECOND..=5 * MINUTE,
            &field.key("request_timeout"),
            findings,
        ),
        drain: scalar::duration_or(
            raw.drain.as_ref(),
            10 * SECOND,
            Duration::ZERO..=10 * MINUTE,
            &field.key("drain"),
            findings,
        ),
    }
}

pub(super) fn sync_max_wait(
    raw: Option<RawSync>,
    field: &Field,
    findings: &mut Findings,
) -> Duration {
    scalar::duration_or(
        raw.and_then(|raw| raw.max_wait).as_ref(),
        10 * SECOND,
        100 * MILLISECOND..=5 * MINUTE,
        &field.key("max_wait"),
        findings,
    )
}

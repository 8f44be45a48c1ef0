//! The policies, and the bounds within which they are asked.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::scalar::ScalarError;
use super::{Context, bundles, exactly_one, scalar};
use crate::config::problem::{Field, Findings};
use crate::config::raw::{RawEngine, RawLimits, RawPolicies, RawRate, RawSync};
use crate::config::raw_bundles::RawPolicyBundle;
use crate::config::raw_text::{DurationText, SizeText};
use crate::config::{DEFAULT_ENTRYPOINT, Policies, PolicySource};
use crate::policy::EngineChoice;
use crate::service::{Limits, Rate};

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
            source: PolicySource::Example,
            entrypoint: DEFAULT_ENTRYPOINT.to_owned(),
            watch: false,
            evaluation_timeout: default_timeout,
            clock_quantum: None,
            engine: EngineChoice::Auto,
        };
    };
    let source = source(
        (raw.directory, raw.bundles, raw.bundle_cache),
        field,
        context,
        findings,
    );
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
        source,
        entrypoint,
        watch: raw.watch.unwrap_or(true),
        clock_quantum: None,
        evaluation_timeout: scalar::duration_or(
            raw.evaluation_timeout.as_ref(),
            default_timeout,
            MILLISECOND..=10 * SECOND,
            &field.key("evaluation_timeout"),
            findings,
        ),
        engine: match raw.engine {
            Some(RawEngine::Interpreter) => EngineChoice::Interpreter,
            Some(RawEngine::Auto) | None => EngineChoice::Auto,
        },
    }
}

enum Place {
    Directory(PathBuf),
    Bundles(BTreeMap<String, RawPolicyBundle>),
}

fn source(
    raw: (
        Option<PathBuf>,
        Option<BTreeMap<String, RawPolicyBundle>>,
        Option<PathBuf>,
    ),
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> PolicySource {
    let (directory, bundles, cache) = raw;
    if cache.is_some() && bundles.is_none() {
        findings.refuse(
            &field.key("bundle_cache"),
            "is only for `bundles`: remove it",
        );
    }
    let choices = vec![
        ("directory", directory.map(Place::Directory)),
        ("bundles", bundles.map(Place::Bundles)),
    ];
    match exactly_one(choices, field, findings) {
        Some(Place::Directory(path)) => {
            let field = field.key("directory");
            if path.as_os_str().is_empty() {
                findings.refuse(&field, "must not be empty: name the policy folder");
            }
            PolicySource::Directory(context.resolve(&path))
        }
        Some(Place::Bundles(raw)) => {
            PolicySource::Bundles(bundles::bundles(raw, cache, field, context, findings))
        }
        None => PolicySource::Example,
    }
}

pub(super) fn limits(raw: Option<RawLimits>, field: &Field, findings: &mut Findings) -> Limits {
    let raw = raw.unwrap_or_default();
    let defaults = Limits::default();
    let mut number = |key: &str, given: Result<u64, ScalarError>, range| {
        let checked = given.and_then(|given| scalar::within(given, &range));
        usize::try_from(findings.accept(&field.key(key), checked)?).ok()
    };
    let body = raw
        .body
        .and_then(|SizeText(text)| number("body", scalar::size(&text), BODY));
    let connections = raw
        .connections
        .and_then(|given| number("connections", Ok(given.into()), CONNECTIONS));
    let rate = raw
        .rate
        .and_then(|raw| rate(&raw, &field.key("rate"), findings));
    let in_flight = raw.in_flight.and_then(|given| {
        let given = scalar::within(given.into(), &CONNECTIONS);
        let given = findings.accept(&field.key("in_flight"), given)?;
        usize::try_from(given).ok().and_then(NonZeroUsize::new)
    });
    let mut duration = |key: &str, text: Option<&DurationText>, default, range| {
        scalar::duration_or(text, default, range, &field.key(key), findings)
    };
    let arrival = 10 * MILLISECOND..=5 * MINUTE;
    Limits {
        body: body.unwrap_or(defaults.body),
        connections: connections.unwrap_or(defaults.connections),
        head_timeout: duration(
            "head_timeout",
            raw.head_timeout.as_ref(),
            defaults.head_timeout,
            arrival.clone(),
        ),
        request_timeout: duration(
            "request_timeout",
            raw.request_timeout.as_ref(),
            defaults.request_timeout,
            arrival,
        ),
        idle_timeout: duration(
            "idle_timeout",
            raw.idle_timeout.as_ref(),
            defaults.idle_timeout,
            SECOND..=24 * 60 * MINUTE,
        ),
        drain: duration(
            "drain",
            raw.drain.as_ref(),
            defaults.drain,
            Duration::ZERO..=10 * MINUTE,
        ),
        rate,
        in_flight,
    }
}

fn rate(raw: &RawRate, field: &Field, findings: &mut Findings) -> Option<Rate> {
    let mut number = |name: &str, given: u32| {
        let given = scalar::within(given.into(), &CONNECTIONS);
        let given = findings.accept(&field.key(name), given)?;
        u32::try_from(given).ok().and_then(NonZeroU32::new)
    };
    Some(Rate {
        per_second: number("per_second", raw.per_second)?,
        burst: number("burst", raw.burst.unwrap_or(raw.per_second))?,
    })
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

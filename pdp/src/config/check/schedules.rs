//! Schedules: time zones, windows of each week and windows that are once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::atoms::{check_count, check_name};
use crate::atoms::{Days, MAX_EXCEPTIONS, MAX_SCHEDULES, MAX_WINDOWS, Schedule, TimeOfDay, Window};
use crate::config::problem::{Field, Findings};
use crate::config::raw_atoms::{RawSchedule, RawWindow};

const UTC: &str = "UTC";

pub(super) fn schedules(
    raw: BTreeMap<String, RawSchedule>,
    field: &Field,
    findings: &mut Findings,
) -> Vec<(String, Schedule)> {
    check_count(raw.len(), MAX_SCHEDULES, field, findings);
    let mut schedules = Vec::new();
    for (name, raw) in raw {
        let field = field.key(&name);
        check_name(&name, &field, findings);
        schedules.push((name, schedule(&raw, &field, findings)));
    }
    schedules
}

fn schedule(raw: &RawSchedule, field: &Field, findings: &mut Findings) -> Schedule {
    let zone_name = raw.time_zone.clone().unwrap_or_else(|| UTC.to_owned());
    let zone = TimeZoneDatabase::bundled().get(&zone_name).map_err(|_| {
        let given: String = zone_name.chars().take(64).collect();
        format!("`{given}` is not a time zone: write an IANA name such as `Europe/Berlin`")
    });
    let zone = findings.accept(&field.key("time_zone"), zone);
    let mut schedule = Schedule {
        zone: zone.unwrap_or(TimeZone::UTC),
        zone_name,
        windows: Vec::new(),
        spans: Vec::new(),
        except: Vec::new(),
    };
    let windows = field.key("windows");
    if raw.windows.is_empty() {
        findings.refuse(&windows, "must not be empty: say when it holds");
    }
    check_count(raw.windows.len(), MAX_WINDOWS, &windows, findings);
    for (index, window) in raw.windows.iter().enumerate() {
        let field = windows.index(index);
        if let Some(span) = &window.until {
            schedule.spans.extend(once(window, span, &field, findings));
        } else {
            schedule.windows.extend(weekly(window, &field, findings));
        }
    }
    if raw.time_zone.is_none() && !schedule.windows.is_empty() {
        let message = "is missing: windows of each week need it; write an IANA name or `UTC`";
        findings.refuse(&field.key("time_zone"), message);
    }
    let except = field.key("except");
    check_count(raw.except.len(), MAX_EXCEPTIONS, &except, findings);
    if !raw.except.is_empty() && schedule.windows.is_empty() {
        findings.refuse(&except, "is only for windows of each week: remove it");
    }
    for (index, text) in raw.except.iter().enumerate() {
        let date = findings.accept(&except.index(index), date(text));
        schedule.except.extend(date);
    }
    schedule
}

fn weekly(raw: &RawWindow, field: &Field, findings: &mut Findings) -> Option<Window> {
    let Some(to) = &raw.to else {
        findings.refuse(field, "has no end: add `to` (each week) or `until` (once)");
        return None;
    };
    let days = raw.days.as_ref().map_or(Some(Days::ALL), |texts| {
        days(texts, &field.key("days"), findings)
    });
    let from = findings.accept::<TimeOfDay, _>(&field.key("from"), raw.from.parse());
    let to = findings.accept::<TimeOfDay, _>(&field.key("to"), to.parse());
    let window = Window {
        days: days?,
        from: from?,
        to: to?,
    };
    if window.from == window.to || window.from == TimeOfDay::END {
        let message = "is empty: for a whole day write `from: \"00:00\"` and `to: \"24:00\"`";
        findings.refuse(field, message);
        return None;
    }
    Some(window)
}

fn days(texts: &[String], field: &Field, findings: &mut Findings) -> Option<Days> {
    if texts.is_empty() {
        findings.refuse(field, "must not be empty: leave it out for every day");
        return None;
    }
    let mut all = Days::default();
    for (index, text) in texts.iter().enumerate() {
        all = all.and(findings.accept(&field.index(index), text.parse())?);
    }
    Some(all)
}

fn once(
    raw: &RawWindow,
    until: &str,
    field: &Field,
    findings: &mut Findings,
) -> Option<(i64, i64)> {
    if raw.to.is_some() || raw.days.is_some() {
        let message =
            "has `until`, which is once, and `to` or `days`, which are each week: keep one";
        findings.refuse(field, message);
        return None;
    }
    let from = findings.accept(&field.key("from"), instant(&raw.from));
    let until = findings.accept(&field.key("until"), instant(until));
    let (from, until) = (from?, until?);
    if from >= until {
        findings.refuse(&field.key("until"), "must be later than `from`");
        return None;
    }
    Some((from, until))
}

/// An instant in whole seconds, which is how time is told here.
fn instant(text: &str) -> Result<i64, String> {
    let given = || text.chars().take(40).collect::<String>();
    match text.parse::<Timestamp>() {
        Ok(instant) if instant.subsec_nanosecond() == 0 && instant >= Timestamp::UNIX_EPOCH => {
            Ok(instant.as_second())
        }
        _ => Err(format!(
            "`{}` is not an instant: write whole seconds with a zone, such as `2026-01-31T12:00:00Z`",
            given()
        )),
    }
}

fn date(text: &str) -> Result<Date, String> {
    // A date alone: more than that would be read as one, too.
    let is_date = text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.parse::<Date>()
        .ok()
        .filter(|_| is_date)
        .ok_or_else(|| {
            let given: String = text.chars().take(40).collect();
            format!("`{given}` is not a date: write it as `2026-12-25`")
        })
}

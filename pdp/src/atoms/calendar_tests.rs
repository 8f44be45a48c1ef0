//! Days on which the clock is changed, and every instant against a clock that never goes back.

use jiff::civil::DateTime;
use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn schedule(zone_name: &str, windows: &[(&str, &str, &str)]) -> Schedule {
    let window = |(days, from, to): &(&str, &str, &str)| Window {
        days: days.parse().unwrap(),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
    };
    Schedule {
        zone: zone(zone_name),
        zone_name: zone_name.to_owned(),
        windows: windows.iter().map(window).collect(),
        spans: Vec::new(),
        except: Vec::new(),
    }
}

fn second(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

/// Whether `schedule` holds at each instant and until when, as RFC 3339 in UTC.
#[track_caller]
fn assert_holds(schedule: &Schedule, cases: &[(&str, bool, &str)]) {
    for (at, active, until) in cases {
        let until = Some(second(until));
        let expected = Holding {
            active: *active,
            until,
        };
        assert_eq!(schedule.at(second(at)), expected, "{at}");
    }
}

#[test]
fn working_hours_hold_in_their_own_time_zone_summer_and_winter() {
    let office = schedule("Europe/Berlin", &[("mon-fri", "09:00", "17:30")]);
    assert_holds(
        &office,
        &[
            // Monday in winter: UTC+1.
            ("2026-01-12T07:59:59Z", false, "2026-01-12T08:00:00Z"),
            ("2026-01-12T08:00:00Z", true, "2026-01-12T16:30:00Z"),
            ("2026-01-12T16:29:59Z", true, "2026-01-12T16:30:00Z"),
            ("2026-01-12T16:30:00Z", false, "2026-01-13T08:00:00Z"),
            // Friday evening in summer: UTC+2.
            ("2026-07-17T15:30:00Z", false, "2026-07-20T07:00:00Z"),
        ],
    );
}

#[test]
fn a_window_over_midnight_ends_on_the_next_day_and_windows_that_meet_are_one() {
    let night = schedule(
        "UTC",
        &[("fri", "22:00", "06:00"), ("sat", "06:00", "24:00")],
    );
    assert_holds(
        &night,
        &[
            ("2026-01-16T21:59:59Z", false, "2026-01-16T22:00:00Z"),
            ("2026-01-16T22:00:00Z", true, "2026-01-18T00:00:00Z"),
            ("2026-01-17T06:00:00Z", true, "2026-01-18T00:00:00Z"),
            ("2026-01-18T00:00:00Z", false, "2026-01-23T22:00:00Z"),
        ],
    );
}

#[test]
fn where_the_clock_jumps_forward_a_time_in_the_gap_is_the_jump() {
    // 2026-03-29: 02:00 becomes 03:00, at 01:00 UTC.
    let from = schedule("Europe/Berlin", &[("sun", "02:30", "04:00")]);
    assert_holds(
        &from,
        &[
            ("2026-03-29T00:59:59Z", false, "2026-03-29T01:00:00Z"),
            ("2026-03-29T01:00:00Z", true, "2026-03-29T02:00:00Z"),
            ("2026-03-29T02:00:00Z", false, "2026-04-05T00:30:00Z"),
        ],
    );
    let to = schedule("Europe/Berlin", &[("sun", "01:00", "02:30")]);
    assert_holds(
        &to,
        &[
            ("2026-03-29T00:00:00Z", true, "2026-03-29T01:00:00Z"),
            ("2026-03-29T01:00:00Z", false, "2026-04-04T23:00:00Z"),
        ],
    );
    // All of it skipped: on that day there is none.
    let within = schedule("Europe/Berlin", &[("sun", "02:10", "02:50")]);
    assert_holds(
        &within,
        &[("2026-03-29T00:59:59Z", false, "2026-04-05T00:10:00Z")],
    );
}

#[test]
fn where_the_clock_goes_back_a_time_that_comes_twice_is_the_first() {
    // 2026-10-25: 03:00 becomes 02:00, at 01:00 UTC.
    let morning = schedule("Europe/Berlin", &[("sun", "02:30", "04:00")]);
    assert_holds(
        &morning,
        &[
            ("2026-10-25T00:29:59Z", false, "2026-10-25T00:30:00Z"),
            ("2026-10-25T00:30:00Z", true, "2026-10-25T03:00:00Z"),
            // 02:15 for the second time.
            ("2026-10-25T01:15:00Z", true, "2026-10-25T03:00:00Z"),
        ],
    );
    let night = schedule("Europe/Berlin", &[("sun", "00:00", "02:30")]);
    assert_holds(
        &night,
        &[
            ("2026-10-25T00:29:59Z", true, "2026-10-25T00:30:00Z"),
            ("2026-10-25T01:15:00Z", false, "2026-10-31T23:00:00Z"),
        ],
    );
}

#[test]
fn on_an_excepted_day_no_window_begins() {
    let mut shifts = schedule("UTC", &[("mon-sun", "22:00", "06:00")]);
    shifts.except = vec!["2026-12-25".parse().unwrap()];
    assert_holds(
        &shifts,
        &[
            // The shift that began on the 24th goes on.
            ("2026-12-25T05:59:59Z", true, "2026-12-25T06:00:00Z"),
            ("2026-12-25T22:00:00Z", false, "2026-12-26T22:00:00Z"),
        ],
    );
}

#[test]
fn what_never_changes_again_has_no_end_and_what_may_is_looked_at_again() {
    let mut once = schedule("UTC", &[]);
    once.spans = vec![(100, 200), (150, 300)];
    for (now, active, until) in [
        (0, false, Some(100)),
        (100, true, Some(300)),
        (299, true, Some(300)),
        (300, false, None),
        (i64::MAX, false, None),
        (i64::MIN, false, Some(100)),
    ] {
        assert_eq!(once.at(now), Holding { active, until }, "{now}");
    }
    let always = schedule("UTC", &[("mon-sun", "00:00", "24:00")]);
    let now = second("2026-01-12T08:00:00Z");
    let holding = always.at(now);
    let week = 7 * i64::from(SECONDS_OF_DAY);
    assert!(holding.active && holding.until.is_some_and(|until| until > now + week));
    let mut never = always;
    never.except = (11..30)
        .map(|day| jiff::civil::date(2026, 1, day))
        .collect();
    let holding = never.at(now);
    assert!(!holding.active && holding.until.is_some_and(|until| until > now + week));
}

/// The latest that the clock on the wall had shown by `now`: one that never goes back.
fn shown(zone: &TimeZone, now: i64) -> DateTime {
    let local = |second: i64| zone.to_datetime(Timestamp::from_second(second).unwrap());
    let at = Timestamp::from_second(now).unwrap();
    let changes = zone
        .preceding(at)
        .take(2)
        .map(|change| change.timestamp().as_second() - 1);
    changes.map(local).fold(local(now), DateTime::max)
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let day = prop::sample::select(vec!["mon", "sat-sun", "sun", "mon-fri", "fri-mon"]);
    let time = prop::sample::select(vec![
        "00:00", "00:30", "01:00", "01:59:59", "02:00", "02:15", "02:30", "03:00", "03:30",
        "12:00", "23:59:59",
    ]);
    let windows = prop::collection::vec((day, time.clone(), time), 0..4);
    let zones = vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "Pacific/Apia",
    ];
    let except = prop::collection::vec(0..14_i32, 0..2);
    (prop::sample::select(zones), windows, except).prop_map(|(zone, windows, except)| {
        let windows: Vec<_> = windows
            .into_iter()
            .filter(|(_, from, to)| from != to)
            .collect();
        let mut made = schedule(zone, &windows);
        let first = jiff::civil::date(2026, 3, 22);
        made.except = except
            .iter()
            .map(|day| first.checked_add(Span::new().days(*day)).unwrap())
            .collect();
        made
    })
}

/// Around the days on which somebody changes the clock, in 2026, and in Samoa's week of six days.
fn any_instant() -> impl Strategy<Value = i64> {
    let days = [
        "2026-03-08",
        "2026-03-29",
        "2026-04-05",
        "2026-10-04",
        "2026-10-25",
        "2026-11-01",
        "2011-12-30",
    ];
    let starts = days.map(|day| second(&format!("{day}T00:00:00Z")));
    (
        prop::sample::select(starts.to_vec()),
        -200..300_i64,
        -1..2_i64,
    )
        .prop_map(|(start, quarters, seconds)| start + quarters * 900 + seconds)
}

proptest! {
    #[test]
    fn a_schedule_holds_by_a_clock_that_never_goes_back(schedule in any_schedule(), now in any_instant()) {
        let shown = shown(&schedule.zone, now);
        let began = |date: Date, window: &Window| window.days.has(date.weekday()) && !schedule.except.contains(&date);
        let seconds = |clock: DateTime| {
            u32::try_from(clock.time().duration_since(jiff::civil::Time::midnight()).as_secs()).unwrap()
        };
        let clock = TimeOfDay(seconds(shown));
        let (today, yesterday) = (shown.date(), shown.date().yesterday().unwrap());
        let expected = schedule.windows.iter().any(|window| {
            let is_overnight = window.to <= window.from;
            let from_today = began(today, window) && window.from <= clock && (is_overnight || clock < window.to);
            from_today || (is_overnight && began(yesterday, window) && clock < window.to)
        });
        // A window that spans a skipped day as a whole is the one thing a clock's face cannot show.
        prop_assume!(schedule.zone_name != "Pacific/Apia" || shown.date().year() != 2011);
        prop_assert_eq!(schedule.at(now).active, expected, "{}", shown);
    }

    #[test]
    fn nothing_changes_before_the_instant_that_is_told(
        schedule in any_schedule(), now in any_instant(), parts in prop::collection::vec(0..1000_i64, 1..6),
    ) {
        let holding = schedule.at(now);
        let Some(until) = holding.until else {
            prop_assert!(schedule.windows.is_empty());
            return Ok(());
        };
        prop_assert!(until > now);
        for part in parts {
            let between = now + (until - now) * part / 1000;
            prop_assert_eq!(schedule.at(between).active, holding.active);
        }
        prop_assert_eq!(schedule.at(until - 1).active, holding.active);
        // A boundary, or beyond what was looked at.
        let is_boundary = schedule.at(until).active != holding.active;
        prop_assert!(is_boundary || until > now + 7 * i64::from(SECONDS_OF_DAY));
    }
}

//! The bounds of the times.

use super::*;

fn refused(change: impl Fn(&mut KeyTimes)) -> String {
    let mut times = KeyTimes::for_tokens_of(Duration::from_hours(1));
    change(&mut times);
    super::super::KeyLife::try_from(times)
        .unwrap_err()
        .to_string()
}

#[test]
fn a_time_out_of_bounds_is_refused_by_its_name() {
    let seconds = Duration::from_secs;
    for (message, refused) in [
        (
            "rotate_after: must be 1m",
            refused(|t| t.rotate_after = seconds(59)),
        ),
        (
            "rotate_after: must be 1m",
            refused(|t| t.rotate_after = seconds(90 * DAY + 1)),
        ),
        (
            "rotate_after: must be at least a 24th",
            refused(|t| {
                t.rotate_after = seconds(1800);
                t.longest_token = seconds(12 * HOUR + 1);
            }),
        ),
        (
            "propagation: must be at least `refresh_hint`",
            refused(|t| t.propagation = seconds(299)),
        ),
        (
            "propagation: must be at most half",
            refused(|t| t.propagation = seconds(12 * HOUR + 1)),
        ),
        (
            "longest_token: must be at most 24h",
            refused(|t| t.longest_token = seconds(DAY + 1)),
        ),
        (
            "longest_token: must be whole seconds",
            refused(|t| t.longest_token = Duration::ZERO),
        ),
        (
            "refresh_hint: must be whole seconds",
            refused(|t| {
                t.refresh_hint = Duration::from_millis(1500);
            }),
        ),
    ] {
        assert!(refused.starts_with(message), "{refused}");
    }
}

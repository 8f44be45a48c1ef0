//! A system's clock that is wrong: what cannot be undone waits for the one that never jumps.

use super::*;

/// After a day: a key that retired a minute ago, and a token of it.
fn retired(stage: &Stage) -> (SigningKeys, String) {
    let keys = stage.open(after(0));
    let token = sign(&keys, after(DAY)).unwrap();
    keys.rotate(after(DAY)).unwrap();
    (keys, token)
}

#[test]
fn a_clock_that_jumps_far_ahead_erases_no_key_in_use() {
    let stage = Stage::new();
    let (keys, token) = retired(&stage);
    keys.rotate(at(START + YEAR, DAY + 60)).unwrap();
    keys.rotate(at(START + YEAR, DAY + PUBLISHED_AFTER - 1))
        .unwrap();
    assert!(verifies(&token, &keys.published().borrow().keys));
    // Set right again: it goes as it would have gone.
    keys.rotate(at(
        START + DAY + PUBLISHED_AFTER - 1,
        DAY + PUBLISHED_AFTER - 1,
    ))
    .unwrap();
    assert!(verifies(&token, &keys.published().borrow().keys));
    keys.rotate(after(DAY + PUBLISHED_AFTER)).unwrap();
    assert!(!verifies(&token, &keys.published().borrow().keys));
}

#[test]
fn while_the_clock_is_back_a_token_that_has_not_expired_by_it_still_verifies() {
    let stage = Stage::new();
    let (keys, token) = retired(&stage);
    keys.rotate(at(START + DAY, DAY + PUBLISHED_AFTER)).unwrap();
    assert!(verifies(&token, &keys.published().borrow().keys));
    keys.rotate(after(DAY + PUBLISHED_AFTER)).unwrap();
    assert!(!verifies(&token, &keys.published().borrow().keys));
}

#[test]
fn a_clock_that_is_ahead_at_the_start_erases_no_key_in_use() {
    let stage = Stage::new();
    let (keys, token) = retired(&stage);
    drop(keys);
    let keys = stage.open(at(START + YEAR, 0));
    keys.rotate(at(START + YEAR + 60, 60)).unwrap();
    assert!(verifies(&token, &keys.published().borrow().keys));
}

#[test]
fn a_clock_that_jumps_far_ahead_lets_no_key_sign_before_it_was_published_long_enough() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let first = current_id(&keys);
    keys.rotate(at(START + YEAR, 60)).unwrap();
    assert_eq!(current_id(&keys), first);
    // By that clock the first is past its time: nothing is signed rather than with a key nobody has.
    let refused = sign(&keys, at(START + YEAR, 60)).unwrap_err();
    assert_eq!(refused, SignError::Expired);
    // Set right again, it signs again.
    sign(&keys, after(61)).unwrap();
}

#[test]
fn a_clock_that_jumps_far_ahead_and_back_leaves_a_key_that_signs_and_is_rotated_in_time() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let jumped = keys.rotate(at(START + YEAR, HOUR)).unwrap().unwrap();
    assert!(jumped.has_rotated);
    // Back: the key signs since a year from now, says the wall; a day of the other clock is a day.
    sign(&keys, after(HOUR + 1)).unwrap();
    assert!(
        keys.rotate(after(DAY))
            .unwrap()
            .is_none_or(|r| !r.has_rotated)
    );
    assert!(keys.rotate(after(DAY + HOUR)).unwrap().unwrap().has_rotated);
}

#[test]
fn a_clock_that_was_ahead_when_a_key_took_over_gives_it_no_year_after_a_restart() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    assert!(
        keys.rotate(at(START + YEAR, HOUR))
            .unwrap()
            .unwrap()
            .has_rotated
    );
    let ahead = current_id(&keys);
    drop(keys);
    // Started anew each hour, so that the clock of the process never counts a day.
    let mut hours = 1;
    let mut keys = stage.open(after(HOUR));
    while current_id(&keys) == ahead {
        keys.rotate(at(START + (hours + 1) * HOUR, HOUR)).unwrap();
        drop(keys);
        hours += 1;
        keys = stage.open(at(START + hours * HOUR, 0));
        sign(&keys, at(START + hours * HOUR, 0)).unwrap();
        assert!(hours <= 26, "it still signs");
    }
    assert!(hours >= 25);
}

#[test]
fn a_clock_before_the_network_is_there_changes_nothing_for_good() {
    let stage = Stage::new();
    let (keys, token) = retired(&stage);
    keys.rotate(after(DAY + PROPAGATION)).unwrap();
    let before = keys.published().borrow().clone();
    drop(keys);
    // 1970, then right: all that was written since reads as now, then as very long ago.
    let keys = stage.open(at(10, 0));
    sign(&keys, at(10, 0)).unwrap();
    assert_eq!(*keys.published().borrow(), before);
    let right = |seconds| at(START + DAY + PROPAGATION + seconds, seconds);
    keys.rotate(right(30)).unwrap();
    assert!(verifies(&token, &keys.published().borrow().keys));
    assert!(sequence(&keys) > before.sequence);
    sign(&keys, right(31)).unwrap();
}

#[test]
fn a_clock_that_was_set_back_lets_a_key_sign_no_longer_than_it_may() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    fs::remove_dir_all(stage.directory()).unwrap();
    let end = DAY + DAY / 2;
    // The wall stands still, nothing can be written.
    keys.rotate(at(START, end - 1)).unwrap_err();
    sign(&keys, at(START, end - 1)).unwrap();
    keys.rotate(at(START, end)).unwrap_err();
    assert_eq!(sign(&keys, at(START, end)).unwrap_err(), SignError::Expired);
}

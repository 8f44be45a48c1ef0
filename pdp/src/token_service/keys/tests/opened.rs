//! Starts: the first, later ones, and those after a crash at any point.

use super::*;

#[test]
fn the_first_start_makes_a_key_that_signs_and_one_that_will() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    assert_eq!(published_ids(&keys).len(), 2);
    assert_eq!(published_ids(&keys)[0], current_id(&keys));
    sign(&keys, after(0)).unwrap();
    assert_eq!(mode(&stage.directory()), 0o700);
    assert_eq!(mode(&stage.file()), 0o600);
    let status = keys.status();
    assert_eq!(status.key_id, current_id(&keys));
    assert_eq!(status.signs_since, after(0).wall);
    assert_eq!(status.signs_until, after(DAY + DAY / 2).wall);
    assert_eq!(
        (status.published, status.failures, status.rotations),
        (2, 0, 0)
    );
    assert!(!status.next_is_propagated);
}

#[test]
fn a_later_start_has_the_same_keys_and_tells_no_change() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    keys.rotate(after(DAY)).unwrap();
    keys.rotate(after(DAY + 1)).unwrap();
    let (before, current) = (keys.published().borrow().clone(), current_id(&keys));
    let token = sign(&keys, after(DAY + 1)).unwrap();
    drop(keys);
    let keys = stage.open(at(START + DAY + 2, 0));
    assert_eq!(*keys.published().borrow(), before);
    assert_eq!(current_id(&keys), current);
    assert!(verifies(&token, &keys.published().borrow().keys));
}

#[test]
fn after_a_week_of_standstill_the_next_key_signs_at_once() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let first = current_id(&keys);
    keys.rotate(after(PROPAGATION)).unwrap();
    drop(keys);
    let keys = stage.open(at(START + 7 * DAY, 0));
    assert_ne!(current_id(&keys), first);
    sign(&keys, at(START + 7 * DAY, 0)).unwrap();
}

#[test]
fn after_a_week_of_standstill_a_key_that_nobody_saw_waits_and_the_old_one_signs_nothing() {
    let stage = Stage::new();
    drop(stage.open(after(0)));
    let later = |seconds| at(START + 7 * DAY + seconds, seconds);
    let keys = stage.open(later(0));
    assert_eq!(sign(&keys, later(0)).unwrap_err(), SignError::Expired);
    keys.rotate(later(PROPAGATION - 1)).unwrap();
    assert_eq!(
        sign(&keys, later(PROPAGATION)).unwrap_err(),
        SignError::Expired
    );
    keys.rotate(later(PROPAGATION)).unwrap();
    sign(&keys, later(PROPAGATION)).unwrap();
}

#[test]
fn another_refresh_hint_is_a_change_of_the_bundle() {
    let stage = Stage::new();
    let before = sequence(&stage.open(after(0)));
    let times = KeyTimes {
        refresh_hint: Duration::from_mins(1),
        ..KeyTimes::for_tokens_of(Duration::from_secs(LONGEST_TOKEN))
    };
    let settings = SigningKeySettings {
        life: times.try_into().unwrap(),
        ..stage.settings()
    };
    let keys = SigningKeys::open(settings, after(0)).unwrap();
    assert!(sequence(&keys) > before);
    let bundle = keys.published().borrow().bundle.clone();
    let bundle = edgeward_core::bundle::SpiffeBundle::parse(&bundle).unwrap();
    assert_eq!(bundle.refresh_hint, Some(60));
}

#[test]
fn where_all_keys_are_lost_the_sequence_still_grows() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    for day in 1..5 {
        keys.rotate(after(day * DAY)).unwrap();
        keys.rotate(after(day * DAY + PUBLISHED_AFTER)).unwrap();
    }
    let before = sequence(&keys);
    drop(keys);
    fs::remove_dir_all(stage.directory()).unwrap();
    let keys = stage.open(at(START + 5 * DAY, 0));
    assert!(sequence(&keys) > before);
}

/// Every file that was ever there is what a crash may have left: before its write what was there before,
/// after it, published or not, the new one.
#[test]
fn a_crash_between_any_two_writes_leaves_keys_that_verify_all_tokens() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let mut tokens: Vec<(u64, String)> = Vec::new();
    let mut last = fs::read(stage.file()).unwrap();
    let mut writes = 0;
    for seconds in (0..3 * DAY).step_by(1000) {
        let now = after(seconds);
        tokens.push((seconds + LONGEST_TOKEN + 300, sign(&keys, now).unwrap()));
        tokens.retain(|(until, _)| *until > seconds);
        let known = published_ids(&keys);
        keys.rotate(now).unwrap();
        let content = fs::read(stage.file()).unwrap();
        if content != last {
            let alive = || tokens.iter().map(|(_, token)| token.as_str());
            reopen(&last, &content, alive(), &known, now);
            reopen(&content, &last, alive(), &known, now);
            writes += 1;
            last = content;
        }
    }
    // The next key is known, another signs, one is gone: each once in a day, the last not yet.
    assert!(writes >= 7, "{writes}");
}

/// Opens a directory with this `file`, and half of another that was not finished. What signs then must be
/// one of `known`.
fn reopen<'t>(
    file: &[u8],
    half: &[u8],
    mut tokens: impl Iterator<Item = &'t str>,
    known: &[String],
    now: Moment,
) {
    let copy = Stage::new();
    fs::create_dir(copy.directory()).unwrap();
    fs::set_permissions(copy.directory(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(copy.file(), file).unwrap();
    let torn = copy.directory().join(".tmpa1b2c3");
    fs::write(&torn, &half[..half.len() / 2]).unwrap();
    let keys = copy.open(at(now.wall.0, 0));
    assert!(!torn.exists(), "what was not finished is swept away");
    let published = keys.published().borrow().keys.clone();
    assert!(tokens.all(|token| verifies(token, &published)));
    assert!(verifies(&sign(&keys, now).unwrap(), &published));
    assert!(
        known.contains(&current_id(&keys)),
        "a key signs that nobody knows"
    );
}

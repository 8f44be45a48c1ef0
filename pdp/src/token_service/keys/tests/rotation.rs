//! The life of a key while the clocks are right.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::life::MAX_PUBLISHED;
use super::super::{RotationError, SigningKeysError};
use super::*;

#[test]
fn a_key_is_published_before_it_signs_and_until_its_last_token_has_expired() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let first = current_id(&keys);
    let second = published_ids(&keys).into_iter().find(|id| *id != first);
    let second = second.unwrap();
    keys.rotate(after(PROPAGATION)).unwrap();
    keys.rotate(after(DAY - 1)).unwrap();
    assert_eq!(current_id(&keys), first, "not due yet");
    let last = sign(&keys, after(DAY - 1)).unwrap();
    let rotation = keys.rotate(after(DAY)).unwrap().unwrap();
    assert!(rotation.has_rotated && rotation.erased.is_empty());
    assert_eq!(
        (current_id(&keys), rotation.key_id),
        (second.clone(), second)
    );
    assert_eq!(
        published_ids(&keys).len(),
        3,
        "a third is published at once"
    );
    keys.rotate(after(DAY + PUBLISHED_AFTER - 1)).unwrap();
    assert!(verifies(&last, &keys.published().borrow().keys));
    let rotation = keys.rotate(after(DAY + PUBLISHED_AFTER)).unwrap().unwrap();
    assert_eq!(rotation.erased, [first]);
    assert!(!rotation.has_rotated);
    assert!(!verifies(&last, &keys.published().borrow().keys));
}

#[test]
fn a_key_that_was_not_published_long_enough_does_not_sign_even_when_it_is_due() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let first = current_id(&keys);
    // Nobody asked for a day; what is due is due now, and the next key has been there all the time.
    assert!(keys.rotate(after(DAY)).unwrap().unwrap().has_rotated);
    let second = current_id(&keys);
    assert_ne!(second, first);
    let early = keys.rotate_now(after(DAY + PROPAGATION - 1)).unwrap_err();
    let SigningKeysError::Rotation(RotationError::NotPropagated { wait, .. }) = early else {
        panic!("{early}");
    };
    assert_eq!(wait, Duration::from_secs(1));
    assert_eq!(current_id(&keys), second);
    assert_eq!(
        keys.status().failures,
        0,
        "an order too early is no failure"
    );
    let rotation = keys.rotate_now(after(DAY + PROPAGATION)).unwrap().unwrap();
    assert!(rotation.has_rotated);
    assert_ne!(current_id(&keys), second);
}

#[test]
fn what_was_begun_with_a_key_is_finished_with_it_and_no_more() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let former = keys.current();
    keys.rotate(after(DAY)).unwrap();
    let sign = |seconds| former.sign(JwtType::Jwt, b"{}", after(seconds).wall);
    let token = sign(DAY + 29).unwrap();
    assert!(verifies(&token, &keys.published().borrow().keys));
    assert_eq!(sign(DAY + 30).unwrap_err().code(), "signing-key-expired");
}

#[test]
fn for_ten_days_each_token_is_signed_and_verifies_until_it_expires() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let mut tokens = Vec::new();
    let mut sequence_before = sequence(&keys);
    let mut ids = published_ids(&keys);
    for seconds in (0..10 * DAY).step_by(300) {
        let now = after(seconds);
        keys.rotate(now).unwrap();
        let is_changed = published_ids(&keys) != ids;
        ids = published_ids(&keys);
        assert_eq!(sequence(&keys) > sequence_before, is_changed);
        sequence_before = sequence(&keys);
        tokens.push((seconds + LONGEST_TOKEN + 300, sign(&keys, now).unwrap()));
        tokens.retain(|(until, _)| *until > seconds);
        let published = keys.published().borrow().keys.clone();
        assert!(tokens.iter().all(|(_, token)| verifies(token, &published)));
        assert!(ids.len() <= 3);
    }
    assert_eq!(keys.status().rotations, 9);
}

#[test]
fn a_key_is_published_for_the_longest_tokens_that_it_may_have_signed_under_any_settings() {
    let stage = Stage::new();
    let opened = |longest_token: u64, seconds: u64| {
        let times = KeyTimes::for_tokens_of(Duration::from_secs(longest_token));
        let life = times.try_into().unwrap();
        let settings = SigningKeySettings {
            life,
            ..stage.settings()
        };
        SigningKeys::open(settings, at(START + seconds, 0)).unwrap()
    };
    // A minute, then a day, then a minute again: of the same key.
    drop(opened(60, 0));
    let keys = opened(DAY, 10);
    keys.rotate(at(START + 10 + PROPAGATION, PROPAGATION))
        .unwrap();
    let token = sign(&keys, after(10 + PROPAGATION)).unwrap();
    drop(keys);
    let keys = opened(60, DAY);
    assert_eq!(keys.status().published, 3, "it is due");
    keys.rotate(at(START + 2 * DAY + 329, DAY + 329)).unwrap();
    assert!(verifies(&token, &keys.published().borrow().keys));
    keys.rotate(at(START + 2 * DAY + 330, DAY + 330)).unwrap();
    assert!(!verifies(&token, &keys.published().borrow().keys));
}

#[test]
fn rotations_by_order_end_where_the_keys_would_be_too_many() {
    let stage = Stage::new();
    let mut keys = stage.open(after(0));
    let mut seconds = 0;
    // Started anew each time, it never runs for as long as a token lives: no key is gone by both clocks.
    while keys.status().published < MAX_PUBLISHED {
        keys.rotate(at(START + 1, PROPAGATION)).unwrap();
        keys.rotate_now(at(START + 1, PROPAGATION)).unwrap();
        drop(keys);
        seconds += 1;
        keys = stage.open(at(START + 1, 0));
    }
    assert_eq!(seconds, MAX_PUBLISHED - 2);
    keys.rotate(at(START + 1, PROPAGATION)).unwrap();
    let refused = keys.rotate_now(at(START + 1, PROPAGATION)).unwrap_err();
    let too_many = SigningKeysError::Rotation(RotationError::TooMany);
    assert_eq!(refused.to_string(), too_many.to_string());
    // The wall clock alone is believed then, once it says that all their tokens have expired.
    let later = at(START + 1 + PUBLISHED_AFTER, PROPAGATION + 1);
    let rotation = keys.rotate_now(later).unwrap().unwrap();
    assert_eq!(rotation.erased.len(), MAX_PUBLISHED - 2);
}

#[tokio::test]
async fn the_task_rotates_by_itself() {
    let stage = Stage::new();
    let times = KeyTimes {
        propagation: Duration::from_secs(1),
        refresh_hint: Duration::from_secs(1),
        ..KeyTimes::for_tokens_of(Duration::from_secs(LONGEST_TOKEN))
    };
    let settings = SigningKeySettings {
        life: times.try_into().unwrap(),
        ..stage.settings()
    };
    let keys = Arc::new(SigningKeys::open(settings, after(0)).unwrap());
    let first = current_id(&keys);
    let mut published = keys.published();
    published.mark_unchanged();
    // Each look at the clock is a day later.
    let days = AtomicU64::new(0);
    let clock = move || after(days.fetch_add(1, Ordering::Relaxed) * DAY);
    let task = tokio::spawn(Arc::clone(&keys).keep_rotating(clock));
    let change = tokio::time::timeout(Duration::from_secs(30), published.changed());
    change.await.unwrap().unwrap();
    task.abort();
    assert!(keys.status().rotations > 0);
    assert_ne!(current_id(&keys), first);
}

//! What the cache promises, on its own. Against real decisions: `exchange_cache_tests.rs`.

use super::*;

const NOW: UnixSeconds = UnixSeconds(150);

fn cached(generation: u32) -> Rc<CachedDecision> {
    Rc::new(CachedDecision {
        decision: Decision::Deny {
            id: "d".parse().unwrap(),
            reasons: vec!["no-rule-matches".to_owned()],
        },
        generation,
        from: UnixSeconds(100),
        until: UnixSeconds(200),
    })
}

fn key(number: usize) -> Rc<[u8]> {
    format!("key {number:06}").into_bytes().into()
}

fn cache(limit: usize) -> DecisionCache {
    let mut cache = DecisionCache::new(limit);
    cache.seed("seed");
    cache
}

#[test]
fn a_decision_is_reused_until_its_time_and_not_before_it_was_made() {
    let mut cache = cache(100_000);
    cache.remember(key(1), cached(7));
    for (now, expected) in [
        (99, Err(Miss::Expired)),
        (100, Ok(())),
        (199, Ok(())),
        (200, Err(Miss::Expired)),
    ] {
        let found = cache.look_up(&key(1), 7, UnixSeconds(now)).map(|_| ());
        assert_eq!(found, expected, "{now}");
    }
    assert_eq!(cache.look_up(&key(2), 7, NOW).unwrap_err(), Miss::Cold);
}

#[test]
fn another_program_falls_on_every_decision_at_once_and_takes_their_places() {
    let mut cache = cache(100_000);
    for number in 0..100 {
        cache.remember(key(number), cached(7));
    }
    let (entries, bytes) = (cache.len(), cache.bytes());
    for number in 0..100 {
        assert_eq!(
            cache.look_up(&key(number), 8, NOW).unwrap_err(),
            Miss::Program(7)
        );
        cache.remember(key(number), cached(8));
        assert!(cache.look_up(&key(number), 8, NOW).is_ok());
    }
    assert_eq!((cache.len(), cache.bytes()), (entries, bytes));
}

#[test]
fn a_scan_is_bounded_and_washes_out_nothing_that_is_in_use() {
    let limit = 64 * 1024;
    let mut cache = cache(limit);
    let hot: Vec<_> = (0..50).map(key).collect();
    for _ in 0..3 {
        for key in &hot {
            if cache.look_up(key, 0, NOW).is_err() {
                cache.remember(key.clone(), cached(0));
            }
        }
    }
    for number in 1000..20_000 {
        cache.remember(key(number), cached(0));
        assert!(cache.bytes() <= limit);
        assert!(cache.small.len() + cache.main.len() == cache.len());
    }
    let kept = hot.iter().filter(|key| cache.look_up(key, 0, NOW).is_ok());
    assert_eq!(kept.count(), hot.len());
}

#[test]
fn what_was_dropped_lately_comes_back_to_stay() {
    let mut cache = cache(64 * 1024);
    for number in 0..1000 {
        cache.remember(key(number), cached(0));
    }
    // Not by looking up, which counts as a use.
    let is_there = |number: &usize| {
        cache
            .entries
            .values()
            .any(|entry| entry.key == key(*number))
    };
    let dropped = (0..1000).rev().find(|number| !is_there(number)).unwrap();
    cache.remember(key(dropped), cached(0));
    for number in 2000..2300 {
        cache.remember(key(number), cached(0));
    }
    assert!(cache.look_up(&key(dropped), 0, NOW).is_ok());
}

#[test]
fn a_decision_that_would_take_too_much_room_is_not_remembered() {
    let mut cache = cache(10_000);
    cache.remember(vec![0; 2000].into(), cached(0));
    assert!(cache.is_empty());
    let mut nothing = self::cache(0);
    nothing.remember(key(1), cached(0));
    assert!(nothing.is_empty() && nothing.bytes() == 0);
}

//! What the cache promises by itself. Over whole decisions: `pdp/src/service/decide_tests.rs`.

use super::*;

const NOW: UnixSeconds = UnixSeconds(150);

pub(super) fn verdict(allow: bool) -> Verdict {
    Verdict {
        allow,
        reasons: vec!["grant-matched".to_owned()],
        obligations: edgeward_core::decision::Obligations::default(),
        ttl: None,
        valid_until: None,
    }
}

fn numbers(policies: u64, data: u64) -> Numbers {
    Numbers { policies, data }
}

pub(super) fn made(policies: u64) -> Made {
    Made {
        id: 0x0199,
        numbers: numbers(policies, 1),
        from: UnixSeconds(100),
        until: UnixSeconds(200),
    }
}

/// Remembers an allow.
fn remember(cache: &DecisionCache, key: &[u8]) {
    cache.remember(key, &made(7), &Arc::new(verdict(true)));
}

fn is_hit(cache: &DecisionCache, key: &[u8]) -> bool {
    matches!(cache.look_up(key, numbers(7, 1), NOW), LookUp::Hit(_, _))
}

fn key(number: u32) -> Vec<u8> {
    format!("key {number:08}").into_bytes()
}

#[test]
fn a_decision_is_reused_while_its_policies_and_data_are_in_force_and_its_time_has_not_come() {
    let cache = DecisionCache::new(&CacheSettings::default());
    remember(&cache, &key(1));
    assert!(matches!(
        cache.look_up(&key(1), numbers(7, 1), NOW),
        LookUp::Hit(_, _)
    ));
    assert!(matches!(
        cache.look_up(&key(1), numbers(7, 1), UnixSeconds(99)),
        LookUp::Expired
    ));
    assert!(matches!(
        cache.look_up(&key(1), numbers(7, 1), UnixSeconds(200)),
        LookUp::Expired
    ));
    assert!(matches!(
        cache.look_up(&key(1), numbers(8, 1), NOW),
        LookUp::Policy
    ));
    assert!(matches!(
        cache.look_up(&key(1), numbers(7, 2), NOW),
        LookUp::Data
    ));
    assert!(matches!(
        cache.look_up(&key(2), numbers(7, 1), NOW),
        LookUp::Cold
    ));
}

#[test]
fn a_flood_of_questions_is_bounded_in_bytes() {
    let settings = CacheSettings {
        max_bytes: 256 * 1024,
        ..CacheSettings::default()
    };
    let cache = DecisionCache::new(&settings);
    for number in 0..20_000 {
        remember(&cache, &key(number));
        assert!(cache.bytes() <= settings.max_bytes);
    }
    assert!(cache.len() > 100);
}

#[test]
fn what_is_asked_again_outlives_a_scan_of_what_is_asked_once() {
    let cache = DecisionCache::new(&CacheSettings {
        max_bytes: 256 * 1024,
        ..CacheSettings::default()
    });
    for number in 0..50 {
        remember(&cache, &key(number));
        assert!(is_hit(&cache, &key(number)));
    }
    for number in 1000..100_000 {
        remember(&cache, &key(number));
        // As it is on a busy node: now and then.
        if number % 1000 == 0 {
            assert!(
                (0..50).all(|number| is_hit(&cache, &key(number))),
                "{number}"
            );
        }
    }
}

#[test]
fn a_decision_made_anew_takes_the_place_of_the_old_one() {
    let cache = DecisionCache::new(&CacheSettings::default());
    remember(&cache, &key(1));
    let (bytes, newer) = (cache.bytes(), made(8));
    cache.remember(&key(1), &newer, &Arc::new(verdict(true)));
    assert_eq!((cache.len(), cache.bytes()), (1, bytes));
    let LookUp::Hit(found, verdict) = cache.look_up(&key(1), numbers(8, 1), NOW) else {
        panic!("it was remembered");
    };
    assert_eq!((found, verdict.allow), (newer, true));
}

#[test]
fn equal_verdicts_are_kept_once_and_different_ones_are_bounded_too() {
    let settings = CacheSettings {
        max_bytes: 2 * 1024 * 1024,
        ..CacheSettings::default()
    };
    let cache = DecisionCache::new(&settings);
    for number in 0..2000 {
        remember(&cache, &key(number));
    }
    let shared = cache.bytes() / 2000;
    assert!(shared < 200, "{shared}");
    for number in 0..20_000 {
        let verdict = Verdict {
            reasons: vec![format!("reason-{number}"), "r".repeat(60)],
            ..verdict(true)
        };
        cache.remember(&key(number), &made(7), &Arc::new(verdict.clone()));
        if let LookUp::Hit(_, found) = cache.look_up(&key(number), numbers(7, 1), NOW) {
            assert_eq!(*found, verdict);
        }
        assert!(cache.bytes() <= settings.max_bytes, "{number}");
    }
    assert!(cache.len() > 2000, "{}", cache.len());
}

#[test]
fn threads_that_share_the_cache_find_what_each_other_remembered_and_wait_for_none() {
    let cache = DecisionCache::new(&CacheSettings::default());
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let cache = &cache;
            scope.spawn(move || {
                for number in 0..5000 {
                    remember(cache, &key(number * 4 + thread));
                    is_hit(cache, &key(number * 4 + thread));
                }
            });
        }
    });
    // Not remembered is what came while another thread was interrupted at work there.
    let found = (0..20_000).filter(|number| is_hit(&cache, &key(*number)));
    let found = found.count();
    assert!(found == cache.len() && found > 19_000, "{found}");

    let shards: Vec<_> = cache.shards.iter().map(|shard| shard.lock()).collect();
    let look_up = std::thread::scope(|scope| {
        let look_up = || cache.look_up(&key(1), numbers(7, 1), NOW);
        scope.spawn(look_up).join().unwrap()
    });
    assert!(matches!(look_up, LookUp::Busy));
    drop(shards);
}

#[test]
fn nothing_is_remembered_where_it_is_off_or_the_key_is_too_long() {
    let off = DecisionCache::new(&CacheSettings {
        max_bytes: 0,
        ..CacheSettings::default()
    });
    remember(&off, &key(1));
    assert!(off.is_empty());
    let cache = DecisionCache::new(&CacheSettings::default());
    remember(&cache, &vec![0; MAX_KEY_BYTES + 1]);
    assert!(cache.is_empty());
}

#[test]
fn the_policy_may_shorten_the_time_and_never_lengthen_it() {
    let settings = CacheSettings::default();
    for (allow, ttl, valid_until, until) in [
        (true, None, None, Some(210)),
        (false, None, None, Some(160)),
        (true, Some(5), None, Some(155)),
        (true, Some(500), None, Some(210)),
        (true, Some(5), Some(153), Some(153)),
        (true, Some(0), None, None),
        (true, None, Some(150), None),
        (true, None, Some(1), None),
    ] {
        let verdict = Verdict {
            ttl,
            valid_until: valid_until.map(UnixSeconds),
            ..verdict(allow)
        };
        assert_eq!(
            settings.until(&verdict, NOW),
            until.map(UnixSeconds),
            "{verdict:?}"
        );
    }
}

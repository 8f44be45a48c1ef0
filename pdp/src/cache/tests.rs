//! What the cache promises by itself. Over whole decisions: `pdp/src/service/tests/caching.rs`.

use super::*;

const NOW: UnixSeconds = UnixSeconds(150);

fn verdict(allow: bool) -> Verdict {
    Verdict {
        allow,
        reasons: vec!["grant-matched".to_owned()],
        obligations: edgeward_core::decision::Obligations::default(),
        ttl: None,
        valid_until: None,
    }
}

fn remembered(policies: u64) -> Remembered {
    Remembered {
        verdict: verdict(true),
        id: "d".parse().unwrap(),
        policies,
        from: UnixSeconds(100),
        until: UnixSeconds(200),
    }
}

fn key(number: u32) -> Vec<u8> {
    format!("key {number:08}").into_bytes()
}

#[test]
fn a_decision_is_reused_while_its_policies_are_in_force_and_its_time_has_not_come() {
    let cache = DecisionCache::new(&CacheSettings::default());
    cache.remember(key(1), remembered(7));
    assert!(matches!(cache.look_up(&key(1), 7, NOW), LookUp::Hit(_)));
    assert!(matches!(
        cache.look_up(&key(1), 7, UnixSeconds(99)),
        LookUp::Expired
    ));
    assert!(matches!(
        cache.look_up(&key(1), 7, UnixSeconds(200)),
        LookUp::Expired
    ));
    assert!(matches!(cache.look_up(&key(1), 8, NOW), LookUp::Policy));
    assert!(matches!(cache.look_up(&key(2), 7, NOW), LookUp::Cold));
}

#[test]
fn a_flood_of_questions_is_bounded_in_bytes() {
    let settings = CacheSettings {
        max_bytes: 256 * 1024,
        ..CacheSettings::default()
    };
    let cache = DecisionCache::new(&settings);
    for number in 0..20_000 {
        cache.remember(key(number), remembered(7));
        assert!(cache.bytes() <= settings.max_bytes);
    }
    assert!(cache.len() > 100);
}

#[test]
fn nothing_is_remembered_where_it_is_off_or_the_key_is_too_long() {
    let off = DecisionCache::new(&CacheSettings {
        max_bytes: 0,
        ..CacheSettings::default()
    });
    off.remember(key(1), remembered(7));
    assert!(off.is_empty());
    let cache = DecisionCache::new(&CacheSettings::default());
    cache.remember(vec![0; MAX_KEY_BYTES + 1], remembered(7));
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

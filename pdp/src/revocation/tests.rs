//! The store: what is in force when, over restarts, ends and changes of mind.

use std::collections::BTreeMap;
use std::path::Path;

use edgeward_core::revocation::{Expiry, Order, Revoked};
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{KeyOwner, TokenRules};
use proptest::prelude::*;

use super::*;
use crate::keys::{IssuerSettings, IssuerSource, KeySettings};

const NOW: UnixSeconds = UnixSeconds(1_000_000);

fn open(directory: &Path, now: UnixSeconds) -> RevocationStore {
    RevocationStore::open(directory, Lifetimes::default(), now).unwrap()
}

fn policy(name: &str, expires_at: Option<Expiry>) -> Order {
    Order {
        revoked: Revoked::Policy(name.to_owned()),
        reason: None,
        expires_at,
    }
}

fn is_in_force(store: &RevocationStore, name: &str) -> bool {
    store.snapshot().revocations.has_policy(name)
}

#[derive(Debug, Clone)]
enum Step {
    Revoke(u8, Option<u64>),
    Undo(u8),
    Pass(u64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u8, proptest::option::of(1..50_u64)).prop_map(|(n, life)| Step::Revoke(n, life)),
        2 => (0..6_u8).prop_map(Step::Undo),
        2 => (0..30_u64).prop_map(Step::Pass),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_in_force_is_what_a_map_of_ends_says_after_any_steps(
        steps in proptest::collection::vec(step(), 1..40)
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut now = NOW;
        let mut store = open(directory.path(), now);
        let mut model: BTreeMap<u8, Expiry> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Revoke(number, life) => {
                    let expiry = life.map_or(Expiry::Never, |life| Expiry::At(now.plus(life)));
                    let order = policy(&number.to_string(), Some(expiry));
                    let is_new = store.revoke(order, now).unwrap().is_new;
                    let known = model.get(&number).copied();
                    prop_assert_eq!(is_new, known.is_none());
                    model.insert(number, known.map_or(expiry, |known| known.later(expiry)));
                }
                Step::Undo(number) => {
                    let id = Revoked::Policy(number.to_string()).id();
                    let undone = store.undo(&id).unwrap();
                    prop_assert_eq!(undone.is_some(), model.remove(&number).is_some());
                }
                Step::Pass(seconds) => now = now.plus(seconds),
                Step::Restart => {
                    drop(store);
                    store = open(directory.path(), now);
                }
            }
            store.expire(now);
            model.retain(|_, expiry| !expiry.is_over(now));
            for number in 0..6 {
                let expected = model.contains_key(&number);
                prop_assert_eq!(is_in_force(&store, &number.to_string()), expected);
            }
            prop_assert_eq!(store.list().len(), model.len());
        }
    }
}

#[test]
fn nothing_is_taken_where_there_is_no_place_to_keep_it() {
    let store = RevocationStore::closed();
    let refused = store.revoke(policy("p", None), NOW);
    assert!(
        matches!(refused, Err(StoreError::NotConfigured)),
        "{refused:?}"
    );
    assert!(!is_in_force(&store, "p"));
}

#[test]
fn what_cannot_be_written_down_is_refused_and_not_in_force_and_nothing_else_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("kept");
    let store = open(&folder, NOW);
    store.revoke(policy("first", None), NOW).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let refused = store.revoke(policy("second", None), NOW).unwrap_err();
    assert!(matches!(refused, StoreError::Journal(_)), "{refused}");
    let undo = store.undo(&Revoked::Policy("first".to_owned()).id());
    assert!(undo.is_err());
    assert!(is_in_force(&store, "first") && !is_in_force(&store, "second"));
    std::fs::create_dir(&folder).unwrap();
    store.revoke(policy("second", None), NOW).unwrap();
    drop(store);
    let store = open(&folder, NOW);
    assert!(is_in_force(&store, "first") && is_in_force(&store, "second"));
}

#[test]
fn an_end_that_lies_behind_or_never_comes_for_a_token_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), NOW);
    let past = store.revoke(policy("p", Some(Expiry::At(NOW))), NOW);
    assert_eq!(
        past.unwrap_err().to_string(),
        "expires_at: must lie in the future"
    );
    let token = Order {
        revoked: Revoked::TokenDigest([1; 32]),
        reason: None,
        expires_at: Some(Expiry::Never),
    };
    let never = store.revoke(token, NOW).unwrap_err().to_string();
    assert!(
        never.starts_with("expires_at: must be an instant"),
        "{never}"
    );
}

#[test]
fn a_revocation_outlives_whatever_it_revokes() {
    let issuer = |name: &str, max_lifetime: u64, leeway: u64| IssuerSettings {
        issuer: name.parse().unwrap(),
        rules: TokenRules {
            max_lifetime,
            leeway,
            ..TokenRules::for_issuer(vec!["edge".to_owned()].try_into().unwrap())
        },
        source: IssuerSource::File("keys.json".into()),
    };
    let settings = KeySettings {
        issuers: vec![
            issuer("https://short", 60, 5),
            issuer("https://long", 600, 0),
        ],
        ..KeySettings::default()
    };
    let lifetimes = Lifetimes::of(&settings);
    let owner = |name: &str| KeyOwner::Issuer(name.parse().unwrap());
    let token = |name: &str| Revoked::Token {
        owner: owner(name),
        token_id: "j".to_owned(),
    };
    let key = Revoked::Key {
        owner: owner("https://short"),
        key_id: "k".to_owned(),
    };
    let at = |seconds| Expiry::At(NOW.plus(seconds));
    for (revoked, expiry) in [
        (token("https://short"), at(70)),
        (token("https://long"), at(600)),
        (token("https://strange"), at(600)),
        (Revoked::TokenDigest([0; 32]), at(600)),
        (key, Expiry::Never),
        (Revoked::Owner(owner("https://short")), Expiry::Never),
    ] {
        assert_eq!(lifetimes.expiry(&revoked, NOW), expiry, "{revoked:?}");
    }
    assert!(lifetimes.knows(&owner("https://long")) && !lifetimes.knows(&owner("https://long/")));
}

#[test]
fn the_journal_does_not_grow_with_changes_of_mind() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), NOW);
    let id = Revoked::Policy("p".to_owned()).id();
    for _ in 0..800 {
        store.revoke(policy("p", None), NOW).unwrap();
        store.undo(&id).unwrap();
    }
    let file = directory.path().join("revocations.journal");
    let lines = std::fs::read_to_string(file).unwrap().lines().count();
    assert!(lines < 1100, "{lines} lines");
}

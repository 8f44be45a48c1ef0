//! What the state of the sync feed promises.

use super::*;
use crate::cache::Miss;
use crate::stats::Counter;

const LIMIT: Duration = Duration::from_secs(30);

fn feed(cursor: &str, audience: &str) -> String {
    format!(
        r#"{{"version":1,"cursor":"{cursor}","lease":"l{cursor}","policy_revision":"p",
        "issuers":[{{"issuer":"https://i","keys":{{"keys":[]}},"rules":{{"audiences":["{audience}"],
        "algorithms":["ES256"],"types":["jwt"],"leeway":0,"max_lifetime":60}}}}],
        "trust_domains":[]}}"#
    )
}

#[test]
fn nobody_is_believed_before_the_first_feed_nor_after_the_last_is_too_old() {
    let mut state = SyncedState::default();
    assert_eq!(state.trust(LIMIT).unwrap_err(), NotReady::NeverSynced);
    assert_eq!(state.tick(TICK).as_deref(), Some("/edgeward/v1/sync"));
    assert_eq!(state.tick(TICK), None, "one poll at a time");
    assert!(matches!(
        state.answered("200", feed("1", "a").as_bytes()),
        Ok(Update::Trust)
    ));
    assert!(state.trust(LIMIT).is_ok());
    state.tick(LIMIT);
    assert!(state.trust(LIMIT).is_ok());
    state.tick(TICK);
    assert_eq!(state.trust(LIMIT).unwrap_err(), NotReady::Stale);
    assert!(matches!(state.answered("204", b""), Ok(Update::Nothing)));
    assert!(state.trust(LIMIT).is_ok());
}

#[test]
fn an_answer_that_is_no_feed_changes_nothing_and_makes_nothing_young() {
    let mut state = SyncedState::default();
    for (status, body) in [
        ("204", ""),
        ("200", ""),
        ("200", "{}"),
        ("503", "no healthy upstream"),
        ("200", &feed("1", "")),
        (
            "200",
            &feed("1", "a").replace("\"version\":1", "\"version\":2"),
        ),
        (
            "200",
            &feed("1", "a").replace("\"issuers\"", "\"revoked\":[],\"issuers\""),
        ),
    ] {
        assert!(
            state.answered(status, body.as_bytes()).is_err(),
            "{status} {body}"
        );
    }
    assert!(!state.has_synced());
    assert_eq!(
        state.tick(Duration::from_millis(999)),
        None,
        "failures are paused for"
    );
    assert!(state.tick(Duration::from_millis(1)).is_some());
}

#[test]
fn only_a_change_of_trust_is_told_as_one() {
    let mut state = SyncedState::default();
    assert!(matches!(
        state.answered("200", feed("1", "a").as_bytes()),
        Ok(Update::Trust)
    ));
    assert!(matches!(
        state.answered("200", feed("2", "a").as_bytes()),
        Ok(Update::Nothing)
    ));
    assert!(matches!(
        state.answered("200", feed("3", "b").as_bytes()),
        Ok(Update::Trust)
    ));
    assert_eq!(
        state.tick(TICK).as_deref(),
        Some("/edgeward/v1/sync?since=3")
    );
    assert_ne!(
        state.next_decision_id(LocalKind::Identity),
        state.next_decision_id(LocalKind::Identity)
    );
}

#[test]
fn why_a_decision_fell_is_told_by_what_changed_since() {
    let mut state = SyncedState::default();
    let mut decided_in = Vec::new();
    for (program, policies) in [("1", "p"), ("2", "p"), ("3", "q")] {
        let caching =
            format!(r#"{{"program":"{program}","policies":"{policies}","vary":true}},"issuers""#);
        let feed = feed(program, "a").replace("\"issuers\"", &format!("\"caching\":{caching}"));
        state.answered("200", feed.as_bytes()).unwrap();
        decided_in.push(state.caching().unwrap().generation);
        let in_force = state.caching().unwrap();
        let causes = decided_in
            .iter()
            .map(|of| in_force.cause(Miss::Program(*of)));
        let by_data = causes.filter(|cause| *cause == Counter::CacheMissData);
        // The first decisions fell by data, then all by policies.
        assert_eq!(by_data.count(), [1, 2, 1][decided_in.len() - 1]);
    }
}

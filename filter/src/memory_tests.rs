//! What the memory of tokens promises.

use edgeward_core::token::{Claims, Profile, Subject};

use super::*;

fn entry(token: &str, expires_at: u64) -> Remembered {
    let subject = "s".repeat(1000);
    let claims = format!(r#"{{"sub":"{subject}","aud":"a","exp":{expires_at}, "x":[1e0]}}"#);
    let verified = VerifiedToken {
        profile: Profile::Oidc,
        subject: Subject::Issued {
            issuer: "https://i.test".parse().unwrap(),
            subject,
        },
        claims: Claims::parse(claims.into_bytes()).unwrap(),
        key_id: None,
        expires_at: UnixSeconds(expires_at),
    };
    Remembered::new(token, verified, UnixSeconds(100))
}

#[test]
fn the_pdp_is_told_of_the_workload_alike_every_time_and_of_its_claims_as_they_stand() {
    let entry = entry("t", 200);
    let first = entry.question().unwrap().get().to_owned();
    assert_eq!(entry.question().unwrap().get(), first);
    assert!(
        first.ends_with(r#""aud":"a","exp":200, "x":[1e0]}}}"#),
        "{first}"
    );
    assert!(first.len() < entry.bytes / 3);
}

#[test]
fn a_token_is_remembered_until_it_expires_and_not_before_it_was_verified() {
    let mut memory = TokenMemory::default();
    memory.remember(entry("t", 200));
    for (now, known) in [(99, false), (100, true), (199, true), (200, false)] {
        assert_eq!(
            memory.verified("t", UnixSeconds(now)).is_some(),
            known,
            "{now}"
        );
    }
    memory.remember(entry("t", 200));
    memory.clear();
    assert!(memory.verified("t", UnixSeconds(150)).is_none());
}

#[test]
fn a_token_with_the_same_end_is_another_token() {
    let [first, second] = ["a", "b"].map(|head| format!("{head}.{}", "x".repeat(16)));
    let now = UnixSeconds(150);
    let mut memory = TokenMemory::default();
    memory.remember(entry(&first, 200));
    memory.refuse(&first);
    assert!(memory.verified(&second, now).is_none());
    assert!(!memory.was_refused(&second));
    assert!(memory.verified(&first, now).is_some());
    memory.remember(entry(&second, 200));
    assert_eq!(*memory.verified(&second, now).unwrap().token, *second);
    assert!(memory.verified(&first, now).is_none());
}

#[test]
fn a_token_that_differs_anywhere_is_another_token() {
    let token = "x".repeat(35);
    assert!(same(&token, &token));
    assert!(!same(&token, &"x".repeat(34)));
    for place in 0..token.len() {
        let mut other = token.clone();
        other.replace_range(place..=place, "y");
        assert!(!same(&token, &other), "{place}");
    }
}

#[test]
fn a_flood_of_tokens_is_bounded_and_a_token_in_use_stays() {
    let mut memory = TokenMemory::default();
    memory.remember(entry("used", 200));
    for number in 0..20_000 {
        memory.remember(entry(&format!("{number:020}"), 200));
        assert!(
            memory.verified("used", UnixSeconds(150)).is_some(),
            "{number}"
        );
        assert!(memory.bytes() <= MAX_BYTES);
    }
}

#[test]
fn only_the_very_token_that_was_refused_is_known_as_refused() {
    let mut memory = TokenMemory::default();
    memory.refuse("bad");
    assert!(memory.was_refused("bad"));
    assert!(!memory.was_refused("good"));
}

#[test]
fn refused_tokens_spread_over_the_slots() {
    let signatures = (0..REFUSED_SLOTS).map(|number| digest_of_token(&number.to_string()));
    let slots: std::collections::BTreeSet<usize> = signatures
        .map(|signature| slot(tail(&edgeward_core::jose::encode_base64url(&signature))))
        .collect();
    assert!(slots.len() > REFUSED_SLOTS / 2, "{}", slots.len());
}

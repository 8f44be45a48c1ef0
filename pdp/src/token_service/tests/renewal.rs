//! A token of ours for another: by who it was issued to, and for as long as its attestation counts.

use std::time::Duration;

use edgeward_core::time::UnixSeconds;

use super::stage::{SERVICE, Stage, claims};

fn stage() -> Stage {
    Stage::with(|parts| parts.renewable_for = Duration::from_mins(30))
}

#[test]
fn a_token_is_renewed_until_its_workload_must_be_attested_anew() {
    let mut stage = stage();
    let attested_at = stage.now;
    let mut token = stage.token("cart", SERVICE);
    for _ in 0..7 {
        stage.now = UnixSeconds(stage.now.0 + 240);
        token = stage.ask(&token, &[("audience", SERVICE)]).unwrap().token;
        assert_eq!(claims(&token)["edgeward"]["attested_at"], attested_at.0);
        stage.ask(&token, &[("audience", "orders")]).unwrap();
    }
    assert_eq!(
        claims(&token)["exp"],
        attested_at.0 + 1800,
        "no longer than the attestation counts"
    );
    stage.now = UnixSeconds(attested_at.0 + 1799);
    stage.ask(&token, &[("audience", "orders")]).unwrap();
    stage.now = UnixSeconds(attested_at.0 + 1800);
    assert_eq!(
        stage.code(&token, &[("audience", "orders")]),
        "token-expired"
    );
}

#[test]
fn a_token_that_was_for_another_renews_nothing() {
    let stage = stage();
    let token = stage.token("cart", "orders");
    assert_eq!(
        stage.code(&token, &[("audience", "orders")]),
        "token-audience-mismatch"
    );
}

#[test]
fn a_renewed_token_has_no_scope_that_the_first_had_not() {
    let stage = stage();
    let first = stage.ask(
        &stage.evidence("cart"),
        &[("audience", SERVICE), ("scope", "read")],
    );
    let first = first.unwrap().token;
    let audience = ("audience", "orders");
    assert_eq!(
        stage.code(&first, &[audience, ("scope", "write")]),
        "scope-not-granted"
    );
    let token = stage
        .ask(&first, &[audience, ("scope", "read")])
        .unwrap()
        .token;
    assert_eq!(claims(&token)["scope"], "read");
}

#[test]
fn a_bound_token_is_renewed_over_its_certificate_only() {
    let mut stage = Stage::with(|parts| {
        parts.renewable_for = Duration::from_mins(30);
        parts.grant("cart").certificate_bound = true;
    });
    stage.certificate = Some([1; 32]);
    let token = stage.token("cart", SERVICE);
    stage.ask(&token, &[("audience", SERVICE)]).unwrap();
    for other in [Some([2; 32]), None] {
        stage.certificate = other;
        stage.ask(&token, &[("audience", SERVICE)]).unwrap_err();
    }
}

#[test]
fn a_token_that_only_says_it_is_ours_is_none() {
    let stage = stage();
    let token = stage.token("cart", SERVICE);
    let (signed, _) = token.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let other = stage.token("orders", SERVICE);
    let other_signature = other.rsplit_once('.').unwrap().1;
    let none = edgeward_core::jose::encode_base64url(br#"{"alg":"none"}"#);
    for forged in [
        format!("{signed}.{other_signature}"),
        format!("{header}.{payload}."),
        format!("{none}.{payload}."),
    ] {
        let code = stage.code(&forged, &[("audience", SERVICE)]);
        assert!(code.starts_with("token-"), "{code}");
    }
}

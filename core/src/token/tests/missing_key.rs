//! Keys that are not there: nothing verifies, and what is missing is named.

use super::*;

#[test]
fn an_empty_key_set_verifies_nothing_and_names_the_missing_key_with_its_owner() {
    let mut trust = trust(0);
    for issuer in trust.issuers.values_mut() {
        issuer.keys = KeySet::default();
    }
    for domain in trust.trust_domains.values_mut() {
        domain.keys = KeySet::default();
    }
    let owners = [
        (json!({}), "issuer `https://a.test`"),
        (json!({"sub": "spiffe://d.test/w"}), "trust domain `d.test`"),
    ];
    for (changes, owner) in owners {
        let outcome = verify(&claims(&changes), &trust, UnixSeconds(NOW), &OneSignature);
        let Err(refusal) = outcome else {
            panic!("{owner}: accepted");
        };
        assert_eq!(refusal.code(), "token-key-unknown");
        let TokenRefusal::MissingKey(missing) = refusal else {
            panic!("{owner}: {refusal}");
        };
        assert_eq!(
            (missing.owner.to_string().as_str(), missing.key_id.as_str()),
            (owner, "k")
        );
    }
}

#[test]
fn only_a_token_that_would_hold_but_for_its_key_makes_one_missing() {
    let unknown = json!({"kid": "new"});
    let refused = [
        (unknown.clone(), json!({"iss": "https://stranger.test"})),
        (unknown.clone(), json!({"sub": "spiffe://stranger.test/w"})),
        (unknown.clone(), json!({"aud": "another"})),
        (unknown.clone(), json!({"exp": NOW})),
        (json!({"kid": null, "alg": "ES256"}), json!({})),
        (json!({"kid": "other-curve"}), json!({})),
    ];
    for (header, claims) in refused {
        let token = token(&header, &claims, 1);
        let outcome = verify(&token, &trust(0), UnixSeconds(NOW), &OneSignature);
        assert!(
            !matches!(outcome, Ok(_) | Err(TokenRefusal::MissingKey(_))),
            "{header} {claims}: {outcome:?}"
        );
    }
}

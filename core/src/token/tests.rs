//! `verify` case by case: every refusal by its one fault, times at their exact boundaries, and keys
//! from nobody but the issuer or trust domain named.
//!
//! What this is not: signature arithmetic. The check here accepts one signature per key, the key's
//! own encoding; the published suites run with the real ones (`tests/tests/conformance`).

mod missing_key;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::jose::{
    Algorithm, BadSignature, KeySet, KeyUse, MAX_TOKEN_BYTES, PublicKey, SignatureCheck,
    encode_base64url,
};
use crate::time::UnixSeconds;

const NOW: u64 = 1_800_000_000;
const LIFETIME: u64 = 300;
const ISSUER: &str = "https://a.test";

/// Accepts exactly one signature per key.
struct OneSignature;

impl SignatureCheck for OneSignature {
    fn check(
        &self,
        _: Algorithm,
        key: &PublicKey,
        _: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        (key.spki_der() == signature)
            .then_some(())
            .ok_or(BadSignature)
    }
}

/// A key on `curve`, told apart by the one byte that its coordinates repeat.
fn jwk(key_id: &str, byte: u8, curve: &str, key_use: &str) -> Value {
    let length = if curve == "P-256" { 32 } else { 48 };
    let coordinate = encode_base64url(&vec![byte; length]);
    json!({
        "kty": "EC", "crv": curve, "x": coordinate, "y": coordinate, "kid": key_id, "use": key_use,
    })
}

fn signature(byte: u8) -> Vec<u8> {
    let jwk = jwk("any", byte, "P-256", "sig");
    let key = PublicKey::from_jwk(jwk.as_object().unwrap()).unwrap();
    key.spki_der().to_vec()
}

fn keys(key_use: KeyUse, entries: &[Value]) -> KeySet {
    KeySet::parse(json!({"keys": entries}).to_string().as_bytes(), key_use).unwrap()
}

/// Two issuers and two trust domains that all have a key `k`, each another one.
fn trust(leeway: u64) -> Trust {
    let audiences = || Audiences::try_from(vec!["edgeward".to_owned()]).unwrap();
    let bounded = |rules: TokenRules| TokenRules {
        algorithms: vec![Algorithm::Es256],
        leeway,
        max_lifetime: LIFETIME,
        ..rules
    };
    let mut trust = Trust::default();
    for (issuer, byte) in [(ISSUER, 1), ("https://b.test", 2)] {
        let entries = [
            jwk("k", byte, "P-256", "sig"),
            jwk("other-curve", byte, "P-384", "sig"),
            jwk("twice", byte, "P-256", "sig"),
            jwk("twice", byte + 10, "P-256", "sig"),
        ];
        let issuer_trust = IssuerTrust {
            rules: bounded(TokenRules::for_issuer(audiences())),
            keys: keys(KeyUse::Signature, &entries),
        };
        trust.issuers.insert(issuer.parse().unwrap(), issuer_trust);
    }
    for (domain, byte) in [("d.test", 3), ("e.test", 4)] {
        let domain_trust = TrustDomainTrust {
            rules: bounded(TokenRules::for_trust_domain(audiences())),
            keys: keys(KeyUse::JwtSvid, &[jwk("k", byte, "P-256", "jwt-svid")]),
        };
        trust
            .trust_domains
            .insert(domain.parse().unwrap(), domain_trust);
    }
    trust
}

/// The good token of the issuer, with members replaced (`null` removes) and signed by key `byte`.
fn token(header: &Value, claims: &Value, byte: u8) -> String {
    let good_header = json!({"alg": "ES256", "kid": "k", "typ": "JWT"});
    let good_claims = json!({
        "iss": ISSUER, "sub": "job", "aud": "edgeward", "exp": NOW + LIFETIME, "iat": NOW,
    });
    let header = changed(good_header, header);
    raw(&header, &changed(good_claims, claims).to_string(), byte)
}

fn raw(header: &Value, payload: &str, byte: u8) -> String {
    let header = encode_base64url(header.to_string().as_bytes());
    let payload = encode_base64url(payload.as_bytes());
    format!("{header}.{payload}.{}", encode_base64url(&signature(byte)))
}

fn changed(members: Value, changes: &Value) -> Value {
    let Value::Object(mut members) = members else {
        panic!("an object");
    };
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    members.into()
}

fn code(token: &str, leeway: u64, now: u64) -> &'static str {
    verify(token, &trust(leeway), UnixSeconds(now), &OneSignature)
        .map_or_else(|refusal| refusal.code(), |_| "accepted")
}

fn good() -> String {
    token(&json!({}), &json!({}), 1)
}

/// The good token with one fault in its claims.
fn claims(changes: &Value) -> String {
    token(&json!({}), changes, 1)
}

#[test]
fn a_good_token_names_its_workload_and_its_end() {
    let verified = verify(&good(), &trust(60), UnixSeconds(NOW), &OneSignature).unwrap();
    assert_eq!(verified.profile, Profile::Oidc);
    assert_eq!(verified.subject.to_string(), "https://a.test|job");
    assert_eq!(verified.expires_at, UnixSeconds(NOW + LIFETIME + 60));
    let svid = token(&json!({}), &json!({"sub": "spiffe://d.test/w"}), 3);
    let verified = verify(&svid, &trust(0), UnixSeconds(NOW), &OneSignature).unwrap();
    assert_eq!(verified.profile, Profile::JwtSvid);
    assert_eq!(verified.subject.to_string(), "spiffe://d.test/w");
    assert_eq!(verified.expires_at, UnixSeconds(NOW + LIFETIME));
}

fn header_faults() -> Vec<(&'static str, Value)> {
    vec![
        ("token-header-invalid", json!({"alg": null})),
        ("token-algorithm-unsupported", json!({"alg": "none"})),
        ("token-header-forbidden", json!({"jku": "https://a.test"})),
        ("token-header-forbidden", json!({"crit": ["exp"]})),
        ("token-algorithm-not-allowed", json!({"alg": "RS256"})),
        ("token-type-not-allowed", json!({"typ": "wit+jwt"})),
        ("token-key-id-missing", json!({"kid": null})),
        ("token-key-unknown", json!({"kid": "K"})),
        ("token-key-mismatch", json!({"kid": "other-curve"})),
        ("token-key-ambiguous", json!({"kid": "twice"})),
    ]
}

fn claim_faults() -> Vec<(&'static str, Value)> {
    let too_far = NOW + LIFETIME + 1;
    vec![
        ("token-claim-invalid", json!({"exp": "4102444800"})),
        ("token-claim-invalid", json!({"aud": []})),
        ("token-claim-missing", json!({"exp": null})),
        ("token-claim-missing", json!({"aud": null})),
        ("token-claim-missing", json!({"sub": null})),
        (
            "token-spiffe-id-invalid",
            json!({"sub": "SPIFFE://d.test/w"}),
        ),
        (
            "token-trust-domain-unknown",
            json!({"sub": "spiffe://x.test/w"}),
        ),
        ("token-issuer-unknown", json!({"iss": "https://a.test/"})),
        ("token-issuer-unknown", json!({"iss": null})),
        ("token-audience-mismatch", json!({"aud": ["Edgeward"]})),
        ("token-expired", json!({"exp": NOW, "iat": NOW - 1})),
        ("token-not-yet-valid", json!({"nbf": NOW + 1})),
        ("token-issued-in-future", json!({"iat": NOW + 1})),
        ("token-lifetime-too-long", json!({"exp": too_far})),
    ]
}

fn other_faults() -> Vec<(&'static str, String)> {
    let es256 = json!({"alg": "ES256", "kid": "k"});
    let nameless = json!({"kid": null});
    let svid = json!({"sub": "spiffe://d.test/w"});
    let unsigned = good().rsplit_once('.').unwrap().0.to_owned();
    vec![
        ("token-too-long", good() + &"A".repeat(MAX_TOKEN_BYTES)),
        ("token-not-compact", unsigned),
        ("token-encoding-invalid", good() + "="),
        ("token-payload-invalid", raw(&es256, "[]", 1)),
        (
            "token-payload-invalid",
            raw(&es256, r#"{"a":1,"\u0061":1}"#, 1),
        ),
        // A trust domain's token needs a `kid` even where only one key fits.
        ("token-key-id-missing", token(&nameless, &svid, 3)),
        ("token-signature-invalid", token(&json!({}), &json!({}), 9)),
    ]
}

#[test]
fn one_fault_is_one_code_and_no_code_is_without_a_fault() {
    assert_eq!(code(&good(), 0, NOW), "accepted");
    let mut faults = other_faults();
    for (wanted, changes) in header_faults() {
        faults.push((wanted, token(&changes, &json!({}), 1)));
    }
    for (wanted, changes) in claim_faults() {
        faults.push((wanted, claims(&changes)));
    }
    for (wanted, token) in &faults {
        assert_eq!(code(token, 0, NOW), *wanted, "{token}");
    }
    let codes: BTreeSet<&str> = faults.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes.len(), 24, "every code of `TokenRefusal::code`");
}

#[test]
fn times_hold_to_the_second() {
    for leeway in [0, 60] {
        let exp = claims(&json!({"exp": NOW + 100, "iat": NOW}));
        let nbf = claims(&json!({"nbf": NOW, "exp": NOW + 100, "iat": null}));
        let iat = claims(&json!({"iat": NOW, "exp": NOW + 100}));
        for (token, now, wanted) in [
            (&exp, NOW + 99 + leeway, "accepted"),
            (&exp, NOW + 100 + leeway, "token-expired"),
            (&nbf, NOW - leeway, "accepted"),
            (&nbf, NOW - leeway - 1, "token-not-yet-valid"),
            (&iat, NOW - leeway, "accepted"),
            (&iat, NOW - leeway - 1, "token-issued-in-future"),
        ] {
            assert_eq!(
                code(token, leeway, now),
                wanted,
                "leeway {leeway}, now {now}"
            );
        }
    }
}

#[test]
fn a_lifetime_counts_from_iat_else_nbf_else_now_and_leeway_adds_nothing() {
    let (iat, nbf) = (NOW - 10, NOW - 20);
    for leeway in [0, 60] {
        for (start, iat, nbf) in [
            (iat, json!(iat), json!(nbf)),
            (nbf, json!(null), json!(nbf)),
            (NOW, json!(null), json!(null)),
        ] {
            for (longer, wanted) in [(0, "accepted"), (1, "token-lifetime-too-long")] {
                let exp = start + LIFETIME + longer;
                let token = claims(&json!({"iat": iat, "nbf": nbf, "exp": exp}));
                assert_eq!(code(&token, leeway, NOW), wanted, "from {start} to {exp}");
            }
        }
    }
}

#[test]
fn a_key_is_only_ever_the_named_issuers_or_trust_domains_own() {
    // The same `kid` everywhere: only the one key of the one that is named will do.
    let named = [
        (json!({"iss": ISSUER}), 1),
        (json!({"iss": "https://b.test"}), 2),
        (json!({"sub": "spiffe://d.test/w"}), 3),
        (json!({"sub": "spiffe://e.test/w"}), 4),
        // A SPIFFE `sub` is never read as the private name of an issuer.
        (
            json!({"iss": "https://b.test", "sub": "spiffe://d.test/w"}),
            3,
        ),
    ];
    for (claims, own) in named {
        for byte in 1..=4 {
            let wanted = if byte == own {
                "accepted"
            } else {
                "token-signature-invalid"
            };
            let token = token(&json!({}), &claims, byte);
            assert_eq!(code(&token, 0, NOW), wanted, "{claims} signed by {byte}");
        }
    }
}

//! What is published, read by our own readers and by `jsonwebtoken`.

use edgeward_core::bundle::SpiffeBundle;
use edgeward_core::jose::{Algorithm, KeySet, KeyUse};
use edgeward_core::token::{Audiences, TokenRules, Trust, TrustDomainTrust, verify};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::*;

fn trust_of(bundle: &SpiffeBundle) -> Trust {
    let audiences = Audiences::try_from(vec!["orders".to_owned()]).unwrap();
    let trusted = TrustDomainTrust {
        rules: TokenRules::for_trust_domain(audiences),
        keys: bundle.jwt_keys.clone(),
    };
    let mut trust = Trust::default();
    trust
        .trust_domains
        .insert("example.org".parse().unwrap(), trusted);
    trust
}

#[test]
fn a_token_is_verified_by_the_published_bundle_as_a_jwt_svid() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let token = sign(&keys, after(1)).unwrap();
    let bundle = SpiffeBundle::parse(&keys.published().borrow().bundle).unwrap();
    let verified = verify(&token, &trust_of(&bundle), after(2).wall, &AwsLc).unwrap();
    assert_eq!(verified.key_id, Some(current_id(&keys)));
    let other = Stage::new().open(after(0));
    let bundle = SpiffeBundle::parse(&other.published().borrow().bundle).unwrap();
    let refused = verify(&token, &trust_of(&bundle), after(2).wall, &AwsLc).unwrap_err();
    assert_eq!(refused.code(), "token-key-unknown");
}

#[test]
fn a_token_is_verified_by_the_published_jwk_set_with_another_library() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let jwks: JwkSet = serde_json::from_slice(&keys.published().borrow().jwks).unwrap();
    let mut validation = Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.validate_exp = false;
    validation.set_audience(&["orders"]);
    let token = sign(&keys, after(1)).unwrap();
    let header = decode_header(&token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    let decoding = |kid: &str| DecodingKey::from_jwk(jwks.find(kid).unwrap()).unwrap();
    let kid = header.kid.unwrap();
    decode::<Value>(&token, &decoding(&kid), &validation).unwrap();
    let next = published_ids(&keys).into_iter().find(|id| *id != kid);
    decode::<Value>(&token, &decoding(&next.unwrap()), &validation).unwrap_err();
}

#[test]
fn jwk_set_and_bundle_have_the_same_public_keys_and_nothing_private() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    for seconds in [PROPAGATION, DAY, DAY + PROPAGATION] {
        keys.rotate(after(seconds)).unwrap();
    }
    let published = keys.published().borrow().clone();
    let document = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
    let (jwks, bundle) = (document(&published.jwks), document(&published.bundle));
    let members = |key_use: &str| {
        ["alg", "crv", "kid", "kty", "use", "x", "y"].map(|name| {
            (
                name,
                if name == "use" {
                    key_use.to_owned()
                } else {
                    String::new()
                },
            )
        })
    };
    for (document, key_use) in [(&jwks, "sig"), (&bundle, "jwt-svid")] {
        let entries = document["keys"].as_array().unwrap();
        assert_eq!(entries.len(), 3, "next, current, retired");
        for entry in entries {
            let entry = entry.as_object().unwrap();
            let names: Vec<_> = entry.keys().map(String::as_str).collect();
            assert_eq!(names, members(key_use).map(|(name, _)| name));
            assert_eq!(entry["use"], key_use);
            assert_eq!(entry["alg"], "ES256");
        }
    }
    assert_eq!(bundle["spiffe_sequence"], published.sequence);
    assert_eq!(bundle["spiffe_refresh_hint"], 300);
    assert_eq!(bundle.as_object().unwrap().len(), 3);
    assert_eq!(jwks.as_object().unwrap().len(), 1);
    let read = SpiffeBundle::parse(&published.bundle).unwrap();
    assert_eq!(read.sequence, Some(published.sequence));
    assert_eq!(read.refresh_hint, Some(300));
    assert_eq!(read.jwt_keys, published.keys);
    let set = KeySet::parse(&published.jwks, KeyUse::Signature).unwrap();
    assert_eq!(set, published.keys);
    let current = current_id(&keys);
    assert!(set.select(Some(&current), Algorithm::Es256).is_ok());
}

#[test]
fn who_waits_is_told_each_change_of_the_set_and_no_other() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let mut published = keys.published();
    published.mark_unchanged();
    keys.rotate(after(PROPAGATION)).unwrap();
    assert!(!published.has_changed().unwrap(), "the set is the same");
    keys.rotate(after(DAY)).unwrap();
    assert!(published.has_changed().unwrap());
    let before = published.borrow_and_update().sequence;
    keys.rotate(after(DAY + PUBLISHED_AFTER)).unwrap();
    assert!(published.has_changed().unwrap());
    assert!(published.borrow().sequence > before);
}

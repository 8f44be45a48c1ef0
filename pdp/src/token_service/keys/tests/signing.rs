//! A token of one key.

use edgeward_core::jose::{MAX_TOKEN_BYTES, decode_base64url};
use serde_json::Value;

use super::*;

#[test]
fn the_header_says_what_the_token_is_and_who_signed_it() {
    let keys = Stage::new().open(after(0));
    for (jwt_type, typ) in [(JwtType::Jwt, "JWT"), (JwtType::AccessToken, "at+jwt")] {
        let token = keys.sign(jwt_type, b"{}", after(0).wall).unwrap();
        let header = decode_base64url(token.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        let expected = json!({"alg": "ES256", "kid": current_id(&keys), "typ": typ});
        assert_eq!(header, expected);
        assert!(verifies(&token, &keys.published().borrow().keys));
    }
}

#[test]
fn the_claims_are_signed_as_they_are() {
    let keys = Stage::new().open(after(0));
    let claims = br#"{"b": 1,  "a":"\u00e9"}"#;
    let token = keys.sign(JwtType::Jwt, claims, after(0).wall).unwrap();
    let payload = token.split('.').nth(1).unwrap();
    assert_eq!(decode_base64url(payload).unwrap(), claims);
}

#[test]
fn a_token_that_no_verifier_would_look_at_is_not_signed() {
    let keys = Stage::new().open(after(0));
    let sign = |length| keys.sign(JwtType::AccessToken, &vec![b'x'; length], after(0).wall);
    let shortest_refused = (0..MAX_TOKEN_BYTES).find(|length| sign(*length).is_err());
    let longest = sign(shortest_refused.unwrap() - 1).unwrap();
    assert!((MAX_TOKEN_BYTES - 2..=MAX_TOKEN_BYTES).contains(&longest.len()));
    let refused = sign(shortest_refused.unwrap()).unwrap_err();
    assert_eq!(refused.code(), "signed-token-too-long");
}

#[test]
fn nothing_private_is_shown() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let shown = format!("{keys:?} {:?} {:?}", keys.current(), keys.status());
    assert!(shown.contains(&current_id(&keys)));
    let sealing_key = [0xa5, 1, 2, 3].repeat(8);
    for secret in [format!("{sealing_key:?}"), "a5010203".to_owned()] {
        assert!(!shown.contains(&secret), "{shown}");
    }
    for name in ["EcdsaKeyPair", "PRIVATE", "pkcs8", "evp"] {
        assert!(!shown.contains(name), "{shown}");
    }
}

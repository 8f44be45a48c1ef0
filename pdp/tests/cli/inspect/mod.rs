//! `edgeward token inspect`: what it says of tokens, and what it never says.

mod signs;

use serde_json::{Value, json};

use crate::program::{Place, Said};
use crate::tokens::{ALICE, development, mint};

/// 2026-01-31T12:00:00Z.
const AT: &str = "1769860800";

fn base64url(text: &str) -> String {
    edgeward_core::jose::encode_base64url(text.as_bytes())
}

/// A token of any header and claims, with a signature that is none.
fn token(header: &Value, claims: &Value) -> String {
    let (header, claims) = (header.to_string(), claims.to_string());
    format!(
        "{}.{}.{}",
        base64url(&header),
        base64url(&claims),
        base64url("not-a-signature")
    )
}

fn inspect(place: &Place, token: &str, arguments: &[&str]) -> Said {
    place.run_with(
        &[&["token", "inspect"], arguments].concat(),
        token.as_bytes(),
    )
}

fn inspected(place: &Place, token: &str) -> Value {
    let said = inspect(place, token, &["--at", AT, "--output", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).expect("JSON")
}

/// Claims in which nothing looks wrong.
fn plain() -> Value {
    json!({
        "iss": "https://idp.example", "sub": "alice", "aud": "orders",
        "iat": 1_769_860_700, "exp": 1_769_860_980,
    })
}

fn with(mut claims: Value, more: Value) -> Value {
    let (members, Value::Object(more)) = (claims.as_object_mut().expect("an object"), more) else {
        unreachable!("an object")
    };
    members.extend(more);
    claims
}

#[test]
fn a_token_is_told_in_words_and_never_its_signature() {
    let place = development();
    let cart = mint(
        &place,
        &[
            "--as",
            "spiffe://example.org/cart",
            "--issued-at",
            "2026-01-31T12:00:00Z",
            "--ttl",
            "5m",
        ],
    );
    let said = inspect(&place, &cart, &["--at", "2026-01-31T12:02:00Z"]);
    assert_eq!(said.code, 0, "{}", said.err);
    for words in [
        "kind       a SPIFFE JWT-SVID (jwt-svid)\n",
        "signature  NOT verified",
        "  alg              ES256\n",
        "  sub              spiffe://example.org/cart\n",
        "  exp              1769861100  (2026-01-31T12:05:00Z, in 3m)\n",
        "  iat              1769860800  (2026-01-31T12:00:00Z, 2m ago)\n",
        "life       expires in 3m\n",
        "binding    none: whoever holds it can use it\n",
    ] {
        assert!(
            said.out.contains(words),
            "{words:?} is not in\n{}",
            said.out
        );
    }
    assert!(!said.out.contains("looks wrong"), "{}", said.out);
    let later = inspect(&place, &cart, &["--at", "2026-01-31T14:05:01Z"]);
    assert!(
        later.out.contains("life       EXPIRED 2h ago\n"),
        "{}",
        later.out
    );
    let json = inspect(&place, &cart, &["--output", "json"]);
    let signature = cart.rsplit('.').next().expect("a signature");
    for out in [said.out, later.out, json.out] {
        assert!(!out.contains(signature), "the signature is shown:\n{out}");
    }
}

#[test]
fn with_keys_the_verdict_is_the_filter_s() {
    let place = development();
    let (cart, alice) = (
        mint(&place, &["--as", "spiffe://example.org/cart"]),
        mint(&place, &ALICE),
    );
    let forged = mint(&place, &[&ALICE[..], &["--forged"]].concat());
    for (token, keys, code, expected) in [
        (&alice, &["--config", "dev.yaml"][..], 0, Value::Null),
        (&cart, &["--config", "dev.yaml"], 0, Value::Null),
        (
            &forged,
            &["--config", "dev.yaml"],
            1,
            "token-signature-invalid".into(),
        ),
        (&alice, &["--jwks", "jwks.json"], 0, Value::Null),
        (&cart, &["--jwks", "bundle.json"], 0, Value::Null),
        (
            &alice,
            &["--jwks", "jwks.json", "--audience", "edgeward"],
            0,
            Value::Null,
        ),
        (
            &alice,
            &["--jwks", "jwks.json", "--audience", "x"],
            1,
            "token-audience-mismatch".into(),
        ),
        (
            &forged,
            &["--jwks", "jwks.json"],
            1,
            "token-signature-invalid".into(),
        ),
        (
            &cart,
            &["--jwks", "jwks.json"],
            1,
            "token-key-unknown".into(),
        ),
        (
            &alice,
            &["--jwks", "jwks.json", "--at", "2030-01-01T00:00:00Z"],
            1,
            "token-expired".into(),
        ),
    ] {
        let said = inspect(&place, token, &[keys, &["--output", "json"]].concat());
        assert_eq!(said.code, code, "{keys:?}: {}{}", said.out, said.err);
        let report: Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(report["reason"], expected, "{keys:?}");
        assert_eq!(report["verified"], Value::Bool(code == 0));
    }
    let said = inspect(&place, &forged, &["--jwks", "jwks.json"]);
    assert!(
        said.out
            .contains("signature  REFUSED: token-signature-invalid"),
        "{}",
        said.out
    );
    // One that lives long is no less well signed.
    let long = mint(&place, &[&ALICE[..], &["--ttl", "90d"]].concat());
    let said = inspect(&place, &long, &["--jwks", "jwks.json"]);
    assert_eq!(said.code, 0);
    assert!(
        said.out
            .contains("verified as oidc of https://idp.example|alice"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("looks wrong lives for 90d"),
        "{}",
        said.out
    );
}

#[test]
fn a_token_comes_from_a_file_a_header_or_the_command_line() {
    let place = Place::empty();
    let token = token(&json!({ "alg": "ES256", "kid": "k" }), &plain());
    place.write("token", &format!("Bearer {token}\n"));
    let from_file = place.run(&["token", "inspect", "--at", AT, "--file", "token"]);
    assert_eq!(from_file.code, 0, "{}", from_file.err);
    let from_line = place.run(&["token", "inspect", "--at", AT, &token]);
    assert_eq!(from_line.out, from_file.out);
    let two = inspect(
        &place,
        &format!("{token}\n\n{token}\n"),
        &["--output", "json"],
    );
    assert_eq!(two.out.lines().count(), 2);
    let help = place.run(&["token", "inspect", "--help"]);
    assert!(help.out.contains("shell's history"), "{}", help.out);
    for (arguments, expected) in [
        (&["--file", "none"][..], "none: "),
        (&["--jwks", "none"], "there is no such file"),
        (&["--jwks", "token"], "token: "),
        (&[], "there is no token"),
        (&["--audience", "x"], "--jwks"),
    ] {
        let said = inspect(&place, " \n", arguments);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{arguments:?}");
        assert!(said.err.contains(expected), "{arguments:?}: {}", said.err);
    }
}

#[test]
fn a_stranger_s_token_does_not_move_the_cursor() {
    let place = Place::empty();
    let claims = with(
        plain(),
        json!({ "\u{1b}[2J": "\u{1b}]0;x\u{7}", "sub": "\u{1b}[31m" }),
    );
    let said = inspect(&place, &token(&json!({ "alg": "\u{1b}[1m" }), &claims), &[]);
    assert!(
        said.out
            .bytes()
            .all(|byte| byte == b'\n' || !byte.is_ascii_control()),
        "{:?}",
        said.out
    );
}

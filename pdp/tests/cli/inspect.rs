//! `edgeward token inspect`: what it says of tokens, and what it never says.

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

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings");
    findings
        .iter()
        .filter_map(|finding| finding["code"].as_str())
        .collect()
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
fn every_kind_is_known_by_its_signs() {
    let place = Place::empty();
    let header = json!({ "alg": "RS256", "kid": "k", "typ": "JWT" });
    let kind = |token: &str| inspected(&place, token)["kind"].clone();
    for (more, expected) in [
        (json!({ "sub": "spiffe://example.org/x" }), "jwt-svid"),
        (json!({ "kubernetes.io": {} }), "kubernetes"),
        (
            json!({ "iss": "https://token.actions.githubusercontent.com" }),
            "github",
        ),
        (
            json!({ "iss": "https://gitlab.example", "project_path": "a/b" }),
            "gitlab",
        ),
        (
            json!({ "iss": "https://oidc.circleci.com/org/1" }),
            "circleci",
        ),
        (json!({ "workspaceUuid": "{1}" }), "bitbucket"),
        (json!({ "iss": "https://app.terraform.io" }), "terraform"),
        (json!({ "iss": "https://accounts.google.com" }), "gcp"),
        (
            json!({ "iss": "https://login.microsoftonline.com/x/v2.0" }),
            "azure",
        ),
        (json!({ "https://sts.amazonaws.com/": {} }), "aws"),
        (
            json!({ "iss": "https://accounts.google.com.evil.test" }),
            "jwt",
        ),
        (json!({}), "jwt"),
    ] {
        assert_eq!(kind(&token(&header, &with(plain(), more))), expected);
    }
    let access = json!({ "alg": "ES256", "kid": "k", "typ": "at+jwt" });
    assert_eq!(kind(&token(&access, &plain())), "access-token");
    let jwe = format!(
        "{}.a.b.c.d",
        base64url(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#)
    );
    assert_eq!(kind(&jwe), "encrypted");
    assert_eq!(kind("k8s-aws-v1.aHR0cHM6Ly9zdHM"), "aws-sts");
    for opaque in ["ya29.secret", "a.b.c", "{}", "not a token at all"] {
        let said = inspect(&place, opaque, &[]);
        assert!(
            said.out.starts_with("kind       an opaque token"),
            "{}",
            said.out
        );
        assert!(!said.out.contains(opaque), "an opaque token is shown");
    }
}

#[test]
fn what_looks_wrong_is_said() {
    let place = Place::empty();
    let header = json!({ "alg": "RS256", "kid": "k" });
    assert_eq!(
        codes(&inspected(&place, &token(&header, &plain()))),
        [""; 0]
    );
    for (header, more, expected) in [
        (
            json!({ "alg": "none", "kid": "k" }),
            json!({}),
            "not-signed",
        ),
        (
            json!({ "alg": "HS256", "kid": "k" }),
            json!({}),
            "algorithm-symmetric",
        ),
        (
            json!({ "alg": "XS1", "kid": "k" }),
            json!({}),
            "algorithm-unknown",
        ),
        (json!({ "alg": "RS256" }), json!({}), "no-key-id"),
        (
            json!({ "alg": "RS256", "kid": "k", "jku": "https://x" }),
            json!({}),
            "header-steers",
        ),
        (header.clone(), json!({ "aud": null }), "no-audience"),
        (header.clone(), json!({ "aud": [] }), "no-audience"),
        (
            header.clone(),
            json!({ "aud": ["a", "b"] }),
            "many-audiences",
        ),
        (header.clone(), json!({ "sub": "" }), "no-subject"),
        (header.clone(), json!({ "iss": null }), "no-issuer"),
        (
            header.clone(),
            json!({ "sub": "spiffe://Example.org/x" }),
            "spiffe-id-invalid",
        ),
        (header.clone(), json!({ "exp": 1_769_860_799 }), "expired"),
        (
            header.clone(),
            json!({ "exp": 1_779_860_800 }),
            "long-lived",
        ),
        (
            header.clone(),
            json!({ "nbf": 1_769_860_900 }),
            "not-yet-valid",
        ),
        (
            header.clone(),
            json!({ "iat": 1_769_860_900 }),
            "issued-in-future",
        ),
        (header.clone(), json!({ "nbf": "soon" }), "time-unreadable"),
    ] {
        let report = inspected(&place, &token(&header, &with(plain(), more.clone())));
        assert_eq!(codes(&report), [expected], "{header} {more}");
    }
    let mut endless = plain();
    endless.as_object_mut().expect("an object").remove("exp");
    assert_eq!(
        codes(&inspected(&place, &token(&header, &endless))),
        ["no-expiry"]
    );
    let twice = plain().to_string().replacen('{', r#"{"sub":"bob","#, 1);
    let head = base64url(&header.to_string());
    let twice = format!("{head}.{}.AAAA", base64url(&twice));
    assert_eq!(codes(&inspected(&place, &twice)), ["duplicate-member"]);
}

#[test]
fn binding_and_who_acts_are_told() {
    let place = Place::empty();
    let header = json!({ "alg": "ES256", "kid": "k" });
    let claims = with(
        plain(),
        json!({
            "cnf": { "x5t#S256": "digest" },
            "act": { "sub": "spiffe://a.example/orders", "act": { "sub": "spiffe://a.example/cart" } },
        }),
    );
    let report = inspected(&place, &token(&header, &claims));
    assert_eq!(report["binding"], "certificate");
    assert_eq!(
        report["actors"],
        json!(["spiffe://a.example/orders", "spiffe://a.example/cart"])
    );
    let said = inspect(&place, &token(&header, &claims), &[]);
    let acting = "acting     spiffe://a.example/orders, before that spiffe://a.example/cart, on behalf of `sub`";
    assert!(said.out.contains(acting), "{}", said.out);
    assert!(
        said.out.contains("client certificate of SHA-256 digest"),
        "{}",
        said.out
    );
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

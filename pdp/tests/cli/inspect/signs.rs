//! By which signs a token is known, and what looks wrong with it.

use serde_json::{Value, json};

use super::{base64url, inspect, inspected, plain, token, with};
use crate::program::Place;

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings");
    findings
        .iter()
        .filter_map(|finding| finding["code"].as_str())
        .collect()
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

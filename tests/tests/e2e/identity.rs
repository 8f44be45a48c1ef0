//! Promises 1 and 3: only a verified workload is asked about. Here: tokens in a real Envoy; the
//! full table of token forms is in `core`.

use edgeward_tests::keys::{AUDIENCE, BATCH, FRONTEND, ISSUER, now, oidc_claims, svid_claims};
use edgeward_tests::raw::Request;
use serde_json::{Value, json};

use crate::{assert_refused, stage};

/// The claims of the frontend's token with `change` made.
fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut claims = svid_claims(FRONTEND);
    change(&mut claims);
    claims
}

#[test]
fn a_workload_is_known_by_its_jwt_svid_or_by_its_issuer_s_token() {
    let stage = stage();
    let pipeline = format!("{ISSUER}|pipeline");
    let tokens = [
        (stage.keys.jwt_svid(FRONTEND), FRONTEND),
        (stage.keys.oidc("pipeline"), pipeline.as_str()),
        (
            stage.keys.issuer_eddsa.token(&oidc_claims("pipeline")),
            pipeline.as_str(),
        ),
    ];
    for (index, (token, subject)) in tokens.iter().enumerate() {
        let path = format!("/known-{index}");
        // Twice: the second time the token is remembered.
        for _ in 0..2 {
            let reply = stage.send(&Request::get(&path).bearer(token));
            assert_eq!(reply.status, 200, "{subject}: {}", reply.text());
        }
        for seen in stage.upstream.seen(&path) {
            assert_eq!(seen.header("x-edgeward-subject"), [*subject]);
        }
        assert_eq!(stage.tap.asked(&path)[0]["subject"]["id"], *subject);
    }
}

#[test]
fn a_workload_without_a_grant_is_denied_by_policy_with_its_reason() {
    let stage = stage();
    let batch = stage.keys.jwt_svid(BATCH);
    let reply = stage.send(&Request::get("/reports/of-batch").bearer(&batch));
    assert_eq!(reply.status, 200, "{}", reply.text());
    for (path, token) in [
        ("/wrong-workload", batch),
        ("/forbidden/x", stage.keys.jwt_svid(FRONTEND)),
    ] {
        let reply = stage.send(&Request::get(path).bearer(&token));
        assert_refused(stage, &reply, 403, "no-rule-allows", path);
    }
}

#[test]
fn a_request_without_a_token_is_told_what_to_show() {
    let stage = stage();
    let reply = stage.send(&Request::get("/without-token"));
    assert_refused(stage, &reply, 401, "identity-missing", "/without-token");
    let challenge = reply.header("www-authenticate").expect("a challenge");
    assert!(challenge.starts_with("Bearer"), "{challenge}");
    assert_eq!(
        reply.header("content-type").as_deref(),
        Some("application/problem+json")
    );
    for member in ["type", "title", "status", "code", "decision_id"] {
        assert!(
            !reply.json()[member].is_null(),
            "{member}: {}",
            reply.text()
        );
    }
}

#[test]
fn a_token_whose_claims_do_not_hold_is_refused() {
    let stage = stage();
    let now = now();
    let cases = [
        (
            "expired",
            changed(|c| c["exp"] = json!(now - 3600)),
            "token-expired",
        ),
        (
            "early",
            changed(|c| c["nbf"] = json!(now + 3600)),
            "token-not-yet-valid",
        ),
        (
            "from-future",
            changed(|c| c["iat"] = json!(now + 3600)),
            "token-issued-in-future",
        ),
        (
            "long-lived",
            changed(|c| c["exp"] = json!(now + 10_000_000)),
            "token-lifetime-too-long",
        ),
        (
            "other-audience",
            changed(|c| c["aud"] = json!(["other"])),
            "token-audience-mismatch",
        ),
        (
            "no-audience",
            changed(|c| c["aud"] = json!([])),
            "token-claim-invalid",
        ),
        (
            "exp-text",
            changed(|c| c["exp"] = json!("9999999999")),
            "token-claim-invalid",
        ),
        (
            "nbf-text",
            changed(|c| c["nbf"] = json!("0")),
            "token-claim-invalid",
        ),
        (
            "no-exp",
            changed(|c| c["exp"] = Value::Null),
            "token-claim-invalid",
        ),
        (
            "stranger",
            changed(|c| c["sub"] = json!("spiffe://stranger.test/x")),
            "token-trust-domain-unknown",
        ),
        (
            "bad-id",
            changed(|c| c["sub"] = json!("spiffe://example.org/../x")),
            "token-spiffe-id-invalid",
        ),
    ];
    for (name, claims, code) in cases {
        let path = format!("/claims-{name}");
        let reply = stage.send(&Request::get(&path).bearer(&stage.keys.svid.token(&claims)));
        assert_refused(stage, &reply, 401, code, &path);
        let challenge = reply.header("www-authenticate").expect("a challenge");
        assert!(challenge.contains("invalid_token"), "{name}: {challenge}");
    }
}

#[test]
fn an_issuer_speaks_for_itself_only() {
    let stage = stage();
    let keys = &stage.keys;
    let mut unknown = oidc_claims("pipeline");
    unknown["iss"] = json!("https://unknown.test");
    let mut several = oidc_claims("pipeline");
    several["iss"] = json!([ISSUER, "https://unknown.test"]);
    let mut spiffe = oidc_claims(FRONTEND);
    spiffe["iss"] = json!(ISSUER);
    let other_domain = svid_claims("spiffe://other.test/ns/shop/sa/frontend");
    let cases = [
        (
            "unknown",
            keys.issuer.token(&unknown),
            "token-issuer-unknown",
        ),
        (
            "several",
            keys.issuer.token(&several),
            "token-claim-invalid",
        ),
        (
            "as-svid",
            keys.issuer.token(&spiffe),
            "token-algorithm-not-allowed|token-key-unknown",
        ),
        (
            "cross-domain",
            keys.other_svid.token(&svid_claims(FRONTEND)),
            "token-key-unknown",
        ),
        (
            "cross-domain-2",
            keys.svid.token(&other_domain),
            "token-key-unknown",
        ),
    ];
    for (name, token, codes) in cases {
        let path = format!("/issuer-{name}");
        let reply = stage.send(&Request::get(&path).bearer(&token));
        let code = reply.code();
        assert!(
            codes.split('|').any(|allowed| allowed == code),
            "{name}: {code}"
        );
        assert_refused(stage, &reply, 401, &code, &path);
    }
}

#[test]
fn two_authorization_headers_are_no_credential() {
    let stage = stage();
    let token = stage.keys.jwt_svid(FRONTEND);
    let twice = Request::get("/two-tokens")
        .bearer(&token)
        .bearer(&stage.keys.jwt_svid(BATCH));
    // Envoy joins the two into one value, with a comma that no token has.
    let reply = stage.send(&twice);
    assert_refused(stage, &reply, 401, "token-not-compact", "/two-tokens");
    let joined = Request::get("/joined-tokens").bearer(&format!("{token}, Bearer {token}"));
    let reply = stage.send(&joined);
    assert_refused(stage, &reply, 401, &reply.code(), "/joined-tokens");
    let basic = Request::get("/basic").header("Authorization", "Basic dTpw");
    assert_refused(
        stage,
        &stage.send(&basic),
        401,
        "token-scheme-unsupported",
        "/basic",
    );
    let hidden = Request::get("/hidden").header("Authorization_", format!("Bearer {token}"));
    assert_refused(
        stage,
        &stage.send(&hidden),
        401,
        "identity-missing",
        "/hidden",
    );
    let lower = Request::get("/lower-scheme").header("authorization", format!("bearer {token}"));
    assert_eq!(stage.send(&lower).status, 200);
}

#[test]
fn a_token_bound_to_a_certificate_is_refused_without_it() {
    let stage = stage();
    let leaf = stage.keys.authority.issue(&[FRONTEND]);
    let claims = changed(|c| c["cnf"] = json!({ "x5t#S256": leaf.x5t_s256() }));
    let reply = stage.send(&Request::get("/bound").bearer(&stage.keys.svid.token(&claims)));
    assert_refused(stage, &reply, 401, "token-binding-mismatch", "/bound");
    let forged = format!("Hash={};URI={FRONTEND}", "0".repeat(64));
    let request = Request::get("/bound")
        .bearer(&stage.keys.svid.token(&claims))
        .header("X-Forwarded-Client-Cert", forged);
    assert_refused(
        stage,
        &stage.send(&request),
        401,
        "token-binding-mismatch",
        "/bound",
    );
    assert_eq!(claims["aud"], json!([AUDIENCE]));
}

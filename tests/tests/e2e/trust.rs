//! Issue 5: who is asking. Workloads get in by their own evidence and reach their own service; stolen,
//! replayed, re-targeted and misplaced evidence is refused, each with its reason.
use edgeward_tests::raw::{self, Request};
use edgeward_tests::trust::Trust;
use edgeward_tests::trust::cases::{self, form};
use serde_json::{Value, json};

#[test]
fn each_workload_gets_in_by_its_own_evidence_and_nobody_by_another_s() {
    let trust = Trust::start();
    let wrong: Vec<String> = cases::all(&trust)
        .iter()
        .filter_map(|case| {
            let outcome = trust.play(case);
            let line = format!(
                "{}, {}: {outcome:?}, not {:?}",
                case.who, case.title, case.must
            );
            (outcome != case.must).then_some(line)
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{}\n{}",
        wrong.join("\n"),
        trust.pdp.log()
    );
}

/// A token for `audience`, on this evidence.
#[track_caller]
fn token(trust: &Trust, evidence: &str, audience: &str) -> String {
    let reply = trust.ask(&form(evidence, audience).each(), None);
    let answer = reply.json();
    let token = answer["access_token"].as_str().map(str::to_owned);
    token.unwrap_or_else(|| panic!("{answer}\n{}", trust.pdp.log()))
}

/// The `kid` of a token.
fn key_id(token: &str) -> String {
    let header = token.split('.').next().unwrap_or_default();
    let header = edgeward_core::jose::decode_base64url(header).expect("base64url");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
}

#[test]
fn the_doors_of_the_token_service_answer_as_oauth_and_spiffe_have_it() {
    let trust = Trust::with(&json!({ "issuer": "https://edgeward.demo" }));
    let address = trust.pdp.address();
    let evidence = trust.platforms.pod("cart", &json!({}));
    let granted = trust.ask(&form(&evidence, "orders").each(), None);
    assert_eq!(granted.header("cache-control").as_deref(), Some("no-store"));
    let answer = granted.json();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 300);
    assert_eq!(
        answer["issued_token_type"],
        "urn:ietf:params:oauth:token-type:jwt"
    );

    let refused = trust.ask(&form(&evidence, "payments").each(), None);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["error"], "invalid_target");
    let refused = trust.ask(&[("grant_type", "password")], None);
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (400, &json!("unsupported_grant_type"))
    );
    let json_body = Request::new("POST", "/edgeward/v1/token")
        .header("content-type", "application/json")
        .body("{}")
        .send(address);
    assert_eq!(json_body.status, 400);
    assert_eq!(Request::get("/edgeward/v1/token").send(address).status, 405);
    let long = format!("subject_token={}", "a".repeat(70_000));
    let long = Request::new("POST", "/edgeward/v1/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(long)
        .send(address);
    assert_eq!(long.status, 413);

    let get = |path: &str| raw::get(address, path).expect("an answer").json();
    let metadata = get("/.well-known/openid-configuration");
    assert_eq!(metadata, get("/.well-known/oauth-authorization-server"));
    assert_eq!(metadata["issuer"], "https://edgeward.demo");
    assert_eq!(
        metadata["jwks_uri"],
        "https://edgeward.demo/edgeward/v1/jwks.json"
    );
    // RFC 8414 section 2: who names `private_key_jwt` names its algorithms, never `none`.
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array();
    assert!(methods.is_some_and(|all| all.contains(&"private_key_jwt".into())));
    let signed_by = metadata["token_endpoint_auth_signing_alg_values_supported"].as_array();
    let signed_by = signed_by.expect("algorithms");
    assert!(signed_by.contains(&"ES256".into()) && !signed_by.contains(&"none".into()));
    let jwks = get("/edgeward/v1/jwks.json");
    let bundle = get("/edgeward/v1/bundle.json");
    assert!(bundle["spiffe_sequence"].is_u64() && bundle["spiffe_refresh_hint"].is_u64());
    let signed = key_id(&token(&trust, &evidence, "orders"));
    for keys in [&jwks["keys"], &bundle["keys"]] {
        let mut ids = keys.as_array().expect("keys").iter().map(|key| &key["kid"]);
        assert!(
            ids.any(|id| *id == signed),
            "{signed} is not published: {keys}"
        );
        assert!(
            !keys.to_string().contains("\"d\""),
            "a private key is published"
        );
    }
    let metrics = raw::get(address, "/metrics").expect("metrics").text();
    for line in [
        "edgeward_token_requests_total{outcome=\"issued\",code=\"\"} 2",
        "edgeward_token_requests_total{outcome=\"refused\",code=\"audience-not-granted\"} 1",
        "edgeward_token_requests_total{outcome=\"refused\",code=\"request-invalid\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    let log = trust.pdp.log();
    assert!(log.contains("token issued"));
    let signature = |token: &str| token.rsplit('.').next().unwrap_or_default().to_owned();
    assert!(
        !log.contains(&signature(&evidence)),
        "evidence is in the log"
    );
}

#[test]
fn a_platform_s_new_keys_and_its_outage_fail_nobody() {
    let mut trust = Trust::start();
    token(&trust, &trust.platforms.pod("cart", &json!({})), "orders");
    token(&trust, &trust.platforms.svid("/feed"), "stock");
    // It signs by a new key, published this very moment: the first who shows it waits for the fetch.
    trust.platforms.cluster.rotate(true);
    token(
        &trust,
        &trust.platforms.pod("cart", &json!({ "jti": "after" })),
        "orders",
    );
    // A federated trust domain rolls over, its sequence with it.
    trust.platforms.partner.roll_over(2);
    token(&trust, &trust.platforms.svid("/feed"), "stock");
    // Nobody answers for its keys any more: those that are known stay good.
    trust.platforms.cluster.keys().stop();
    trust.platforms.partner.keys().stop();
    token(
        &trust,
        &trust.platforms.pod("orders", &json!({ "jti": "outage" })),
        "payments",
    );
    token(&trust, &trust.platforms.svid("/feed"), "stock");
    // Also after a restart, from the disk.
    trust.pdp.crash();
    trust.pdp.run();
    token(
        &trust,
        &trust.platforms.pod("cart", &json!({ "jti": "restart" })),
        "orders",
    );
    // What it signs by a key that it never published is nobody's.
    trust.platforms.cluster.rotate(false);
    let unknown = trust.platforms.pod("cart", &json!({ "jti": "unknown" }));
    let refused = trust.ask(&form(&unknown, "orders").each(), None);
    assert_eq!(refused.json()["code"], "token-key-unknown");
}

#[test]
fn evidence_that_counts_once_counts_once_also_after_a_crash() {
    let mut trust = Trust::start();
    let evidence = trust.platforms.job(&json!({}));
    token(&trust, &evidence, "deploys");
    trust.pdp.crash();
    trust.pdp.run();
    let refused = trust.ask(&form(&evidence, "deploys").each(), None);
    assert_eq!(refused.json()["code"], "evidence-replayed");
}

#[test]
fn a_restart_signs_by_keys_that_are_known() {
    let mut trust = Trust::start();
    let evidence = trust.platforms.pod("cart", &json!({}));
    let before = token(&trust, &evidence, "orders");
    trust.pdp.crash();
    trust.pdp.run();
    let after = token(&trust, &evidence, "orders");
    assert_eq!(key_id(&before), key_id(&after));
    assert_eq!(trust.call("/orders/7", &before, None).status, 200);
}

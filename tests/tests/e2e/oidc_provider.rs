//! Issue 5: a real OpenID provider. Its JWTs are verified by the keys that discovery leads to, its opaque tokens by
//! asking it; its keys change, tokens are revoked there, and it stands still.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use edgeward_tests::oidc_provider::OidcProvider;
use edgeward_tests::process::wait_for;
use edgeward_tests::reply::Reply;
use edgeward_tests::trust::Trust;
use serde_json::json;

const AUDIENCE: &str = "https://edgeward.demo";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The provider, and a PDP that takes its tokens; none where npm could not fetch it.
fn stage() -> Option<(OidcProvider, Trust)> {
    let Some(provider) = OidcProvider::start() else {
        eprintln!(
            "skipped: no oidc-provider (`./just setup` fetches it): no real OpenID provider is tried"
        );
        return None;
    };
    let workload = |name: &str, provider: &str| {
        json!({
            "name": name, "spiffe_id": format!("spiffe://prod.demo/{name}"), "provider": provider,
            "selectors": { "client_id": "batch" }, "audiences": ["orders"],
        })
    };
    let trust = Trust::of(&json!({
        "trust_providers": [
            provider.jwts("jwts", AUDIENCE),
            provider.opaque("asked", AUDIENCE, false),
            provider.opaque("asked-by-key", AUDIENCE, true),
        ],
        "client_workloads": [
            workload("by-jwt", "jwts"), workload("by-asking", "asked"), workload("by-asking-as-key", "asked-by-key"),
        ],
    }));
    Some((provider, trust))
}

fn ask(trust: &Trust, evidence: &str, trust_provider: Option<&str>) -> Reply {
    let mut form = vec![
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("subject_token", evidence),
        ("subject_token_type", ACCESS_TOKEN),
        ("audience", "orders"),
    ];
    form.extend(trust_provider.map(|name| ("trust_provider", name)));
    trust.ask(&form, None)
}

#[track_caller]
fn assert_granted(trust: &Trust, evidence: &str, provider: Option<&str>) {
    let reply = ask(trust, evidence, provider);
    assert_eq!(reply.status, 200, "{}\n{}", reply.text(), trust.pdp.log());
}

#[track_caller]
fn assert_refused(trust: &Trust, evidence: &str, provider: Option<&str>, must: (u16, &str)) {
    let reply = ask(trust, evidence, provider);
    let code = reply.json()["code"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (reply.status, code.as_str()),
        must,
        "{}\n{}",
        reply.text(),
        trust.pdp.log()
    );
}

#[test]
fn a_jwt_of_a_provider_counts_by_the_keys_that_it_publishes_whenever_they_change() {
    let Some((provider, trust)) = stage() else {
        return;
    };
    let old = provider.token("https://edgeward.demo/jwt");
    assert_granted(&trust, &old, None);
    for _ in 0..2 {
        provider.rotate();
        assert_granted(&trust, &provider.token("https://edgeward.demo/jwt"), None);
    }
    assert_granted(&trust, &old, None);
    let for_others = provider.token("https://vault.demo/jwt");
    assert_refused(&trust, &for_others, None, (400, "token-audience-mismatch"));
    // As a client that proves itself (RFC 7523 section 2.2), with the same evidence.
    let form = [
        ("grant_type", "client_credentials"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", &old),
        ("audience", "orders"),
    ];
    assert_eq!(trust.ask(&form, None).status, 200);
    // The old keys are withdrawn; whatever has the PDP fetch them shows it.
    provider.drop_old_keys();
    provider.rotate();
    let gone = wait_for(Duration::from_secs(20), || {
        assert_granted(&trust, &provider.token("https://edgeward.demo/jwt"), None);
        (ask(&trust, &old, None).json()["code"] == "token-key-unknown").then_some(())
    });
    assert!(gone.is_some(), "{}", trust.pdp.log());
}

#[test]
fn no_valid_token_is_refused_while_the_keys_change_under_those_who_exchange() {
    let Some((provider, trust)) = stage() else {
        return;
    };
    let ended = AtomicBool::new(false);
    let exchanged = thread::scope(|scope| {
        let askers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut exchanged = 0;
                    while !ended.load(Ordering::Relaxed) {
                        let token = provider.token("https://edgeward.demo/jwt");
                        assert_granted(&trust, &token, None);
                        exchanged += 1;
                    }
                    exchanged
                })
            })
            .collect();
        for _ in 0..4 {
            thread::sleep(Duration::from_millis(1200));
            provider.rotate();
        }
        thread::sleep(Duration::from_millis(1200));
        ended.store(true, Ordering::Relaxed);
        let counts = askers.into_iter().map(|asker| asker.join());
        counts.collect::<Result<Vec<u32>, _>>()
    });
    let exchanged = exchanged.expect("nobody was refused");
    assert!(exchanged.iter().all(|count| *count > 5), "{exchanged:?}");
}

#[test]
fn an_opaque_token_counts_while_its_provider_says_so() {
    let Some((provider, trust)) = stage() else {
        return;
    };
    let token = provider.token("https://edgeward.demo/opaque");
    assert!(!token.contains('.'), "an opaque token: {token}");
    for by in ["asked", "asked-by-key"] {
        assert_granted(&trust, &token, Some(by));
    }
    // Two could be asked, and the token does not say which.
    assert_refused(&trust, &token, None, (400, "evidence-provider-unknown"));
    assert_refused(
        &trust,
        &token,
        Some("jwts"),
        (400, "evidence-provider-unknown"),
    );
    let for_others = provider.token("https://vault.demo/opaque");
    assert_refused(
        &trust,
        &for_others,
        Some("asked"),
        (400, "token-audience-mismatch"),
    );
    assert_refused(&trust, "made-up", Some("asked"), (400, "token-inactive"));
    let jwt = provider.token("https://edgeward.demo/jwt");
    assert_refused(
        &trust,
        &jwt,
        Some("cluster"),
        (400, "evidence-provider-mismatch"),
    );
    provider.freeze(true);
    assert_refused(
        &trust,
        &token,
        Some("asked"),
        (503, "introspection-unavailable"),
    );
    provider.freeze(false);
    assert_granted(&trust, &token, Some("asked"));
    provider.revoke(&token);
    for by in ["asked", "asked-by-key"] {
        assert_refused(&trust, &token, Some(by), (400, "token-inactive"));
    }
    for secret in [token.as_str(), "secret: of"] {
        assert!(!trust.pdp.log().contains(secret), "a secret is in the log");
    }
}

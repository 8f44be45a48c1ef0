//! The operators' doors: who is let in, what is taken, and what comes of it.

use std::time::{Duration, Instant};

use edgeward_core::feed::Feed;
use edgeward_core::revocation::hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::fixtures::{ISSUER, frontend};
use super::harness::{Answer, Pdp, exchange, settings};
use crate::service::{Administrators, ServiceSettings};

const PATH: &str = "/edgeward/v1/revocations";
const TOKEN: &str = "an-admin-token";

fn with_admin() -> ServiceSettings {
    let mut settings = settings();
    settings.sync_max_wait = Duration::from_secs(15);
    settings.administrators = Administrators {
        token_digests: vec![
            Sha256::digest("another").into(),
            Sha256::digest(TOKEN).into(),
        ],
        operators: Vec::new(),
    };
    settings
}

fn call(pdp: &Pdp, method: &str, path: &str, authorization: &[&str], body: &str) -> Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(authorization.iter().map(|value| ("authorization", *value)));
    exchange(pdp.connect(), method, path, &headers, body.as_bytes())
}

fn admin(pdp: &Pdp, method: &str, path: &str, body: &Value) -> Answer {
    let authorization = format!("Bearer {TOKEN}");
    call(pdp, method, path, &[&authorization], &body.to_string())
}

fn revoke(pdp: &Pdp, order: &Value) -> Value {
    let answer = admin(pdp, "POST", PATH, order);
    assert_eq!(answer.status, 201, "{order}: {}", answer.body);
    answer.json()
}

fn decision(pdp: &Pdp) -> Value {
    pdp.ask(&frontend("GET", &["orders", "42"]).to_string())
        .json()
}

fn subject() -> Value {
    json!({ "kind": "subject", "subject": "spiffe://demo.edgeward.dev/ns/shop/sa/frontend" })
}

#[test]
fn nobody_without_an_admin_token_reads_or_changes_anything() {
    let pdp = Pdp::start(with_admin());
    let body = subject().to_string();
    let good = format!("Bearer {TOKEN}");
    for authorization in [
        &[][..],
        &[""],
        &["Bearer"],
        &["Bearer "],
        &["Bearer wrong"],
        &[TOKEN],
        &["Basic an-admin-token"],
        &["Bearer an-admin-tokenn"],
        &[&good, &good],
    ] {
        for (method, path) in [
            ("POST", PATH),
            ("GET", PATH),
            ("DELETE", "/edgeward/v1/revocations/x"),
            ("PUT", PATH),
        ] {
            let answer = call(&pdp, method, path, authorization, &body);
            assert_eq!(
                answer.status, 401,
                "{method} {authorization:?}: {}",
                answer.body
            );
            assert_eq!(
                answer.header("www-authenticate"),
                Some("Bearer realm=\"edgeward\"")
            );
        }
    }
    assert_eq!(decision(&pdp)["decision"], true);
}

#[test]
fn without_tokens_and_operators_the_door_is_closed_and_says_what_to_configure() {
    let pdp = Pdp::start(settings());
    let answer = call(&pdp, "POST", PATH, &["Bearer "], &subject().to_string());
    assert_eq!(answer.status, 403);
    let message = answer.json().as_str().unwrap().to_owned();
    let settings = "`revocations.admin_tokens_sha256` or `revocations.operators`";
    assert!(message.contains(settings), "{message}");
}

#[test]
fn a_revoked_subject_is_denied_before_the_policy_is_asked_until_that_is_undone() {
    let mut pdp = Pdp::start(with_admin());
    assert_eq!(decision(&pdp)["decision"], true);
    let mut order = subject();
    order["reason"] = "laptop stolen".into();
    let revoked = revoke(&pdp, &order);
    let denied = decision(&pdp);
    assert_eq!(denied["decision"], false);
    assert_eq!(denied["context"]["reasons"], json!(["subject-revoked"]));
    assert_eq!(
        admin(&pdp, "POST", PATH, &order).status,
        200,
        "it is revoked already"
    );

    pdp = pdp.restart(with_admin());
    assert_eq!(
        decision(&pdp)["context"]["reasons"],
        json!(["subject-revoked"])
    );
    let listed = admin(&pdp, "GET", PATH, &Value::Null).json();
    assert_eq!(listed, json!({ "revocations": [revoked] }));
    assert_eq!(revoked["reason"], "laptop stolen");
    assert_eq!(revoked["expires_at"], "never");

    let one = format!("{PATH}/{}", revoked["id"].as_str().unwrap());
    assert_eq!(admin(&pdp, "GET", &one, &Value::Null).json(), revoked);
    assert_eq!(admin(&pdp, "DELETE", &one, &Value::Null).status, 200);
    assert_eq!(admin(&pdp, "DELETE", &one, &Value::Null).status, 404);
    assert_eq!(decision(&pdp)["decision"], true);
}

#[test]
fn a_revoked_policy_decides_nothing_until_another_is_in_force() {
    let pdp = Pdp::start(with_admin());
    let revision = decision(&pdp)["context"]["policy"]["revision"].clone();
    revoke(&pdp, &json!({ "kind": "policy", "revision": revision }));
    let denied = decision(&pdp);
    assert_eq!(denied["context"]["reasons"], json!(["policy-revoked"]));
    assert_eq!(denied["context"]["policy"]["revision"], revision);
    std::fs::write(pdp.folder.path().join("more.rego"), "package more\n").unwrap();
    pdp.store.reload();
    let started = Instant::now();
    while decision(&pdp)["decision"] != true {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{}",
            decision(&pdp)
        );
    }
}

#[test]
fn the_feed_is_pushed_at_once_when_something_is_revoked_or_undone() {
    let pdp = Pdp::start(with_admin());
    let feed = |since: &str| {
        let answer = pdp.get(&format!("/edgeward/v1/sync?since={since}"));
        assert_eq!(answer.status, 200);
        Feed::parse(answer.body.as_bytes()).unwrap()
    };
    let first = feed("");
    assert!(first.revocations.is_empty());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| (feed(&first.cursor), Instant::now()));
        std::thread::sleep(Duration::from_millis(200));
        assert!(!waiting.is_finished());
        let id = revoke(&pdp, &json!({ "kind": "issuer", "issuer": ISSUER }))["id"].clone();
        let acknowledged = Instant::now();
        let (second, told) = waiting.join().unwrap();
        println!(
            "told {:?} after",
            told.saturating_duration_since(acknowledged)
        );
        assert!(told.saturating_duration_since(acknowledged) < Duration::from_secs(5));
        assert_eq!(second.revocations.tags(), [format!("issuer {ISSUER}")]);
        let one = format!("{PATH}/{}", id.as_str().unwrap());
        assert_eq!(admin(&pdp, "DELETE", &one, &Value::Null).status, 200);
        assert!(feed(&second.cursor).revocations.is_empty());
    });
}

#[test]
fn what_cannot_be_written_down_is_not_acknowledged_and_not_in_force() {
    let pdp = Pdp::start(with_admin());
    std::fs::remove_dir_all(pdp.folder.path().join(".revocations")).unwrap();
    let answer = admin(&pdp, "POST", PATH, &subject());
    assert_eq!(answer.status, 503, "{}", answer.body);
    let message = answer.json().as_str().unwrap().to_owned();
    assert!(
        message.starts_with("not in force, since it could not be written down"),
        "{message}"
    );
    assert_eq!(decision(&pdp)["decision"], true);
}

#[test]
fn what_is_no_order_is_refused_by_the_name_of_its_fault_and_a_strange_issuer_is_warned_of() {
    let pdp = Pdp::start(with_admin());
    for (order, fault) in [
        (json!({}), "kind: must be given"),
        (
            json!({ "kind": "subject", "subject": "job" }),
            "subject: must be a SPIFFE ID",
        ),
        (
            json!({ "kind": "policy", "revision": "r", "expires_at": 1 }),
            "expires_at: must lie in the future",
        ),
    ] {
        let answer = admin(&pdp, "POST", PATH, &order);
        assert_eq!(answer.status, 400, "{order}");
        let message = answer.json().as_str().unwrap().to_owned();
        assert!(message.starts_with(fault), "{order}: {message}");
    }
    let long = json!({ "kind": "policy", "revision": "r".repeat(17_000) });
    assert_eq!(admin(&pdp, "POST", PATH, &long).status, 413);
    assert_eq!(admin(&pdp, "PUT", PATH, &Value::Null).status, 405);
    let strange = json!({ "kind": "issuer", "issuer": "https://typo.test" });
    let warning = revoke(&pdp, &strange)["warning"].clone();
    assert!(
        warning.as_str().unwrap().contains("is not configured here"),
        "{warning}"
    );
    let digest = hex(&Sha256::digest("a.b"));
    let token = revoke(&pdp, &json!({ "kind": "token", "sha256": digest }));
    assert!(
        token["expires_at"].is_u64() && token["warning"].is_null(),
        "{token}"
    );
}

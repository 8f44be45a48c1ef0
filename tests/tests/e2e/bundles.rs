//! Policy bundles of a server: what is in force while it publishes, lies, hangs, dies and comes back.
//!
//! Decisions are asked of the PDP itself; that filters drop theirs with the policy is `caching.rs`'s. Deltas
//! are `bundle_deltas.rs`'s.

use std::path::Path;
use std::time::{Duration, Instant};

use edgeward_tests::bundle_server::{BundleServer, TOKEN};
use edgeward_tests::keys::Keys;
use edgeward_tests::mint::SigningKey;
use edgeward_tests::pdp::Pdp;
use edgeward_tests::policy_bundle::PolicyBundle;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::{self, Request};
use edgeward_tests::small_disk::SmallDisk;
use serde_json::{Value, json};
use tempfile::TempDir;

const POLICY: &str =
    "package authz\n\ndecision := {\"allow\": data.authz.open, \"reasons\": [\"by-data\"]}\n";
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A release pipeline, its server, and a PDP that follows it.
pub(crate) struct World {
    pub(crate) key: SigningKey,
    pub(crate) server: BundleServer,
    pub(crate) pdp: Pdp,
    folder: TempDir,
}

/// A bundle that allows everything, or nothing.
pub(crate) fn bundle(revision: &str, open: bool) -> PolicyBundle {
    PolicyBundle::new(revision, &["authz"])
        .file("authz/policy.rego", POLICY)
        .file("authz/data.json", json!({ "open": open }).to_string())
}

impl World {
    /// The server serves revision 1, which allows. `change` is made to the bundle's configuration.
    pub(crate) fn new(cache: Option<&Path>, change: impl FnOnce(&mut Value)) -> Self {
        let key = SigningKey::es256("release-1");
        let server = BundleServer::start(bundle("1", true).signed_by(&key).pack());
        let folder = TempDir::with_prefix("edgeward-keys").expect("a temporary folder");
        let keys = folder.path().join("keys.jwks");
        std::fs::write(&keys, json!({ "keys": [key.jwk("sig")] }).to_string()).expect("keys");
        let mut configured = json!({
            "url": server.url(),
            "signature": { "jwks": keys },
            "bearer_token_file": server.token_file(),
            "fetch": { "ca_file": server.ca_file(), "refresh": "1s", "timeout": "2s" },
        });
        change(&mut configured);
        let mut policies = json!({
            "entrypoint": "data.authz.decision",
            "bundles": { "authz": configured },
        });
        if let Some(cache) = cache {
            policies["bundle_cache"] = json!(cache);
        }
        let mut config = Keys::generate().pdp_config();
        config["policies"] = policies;
        config["opa_api"] = json!({});
        let pdp = Pdp::prepare(&config, Path::new("unused"));
        Self {
            key,
            server,
            pdp,
            folder,
        }
    }

    pub(crate) fn publish(&self, revision: &str, open: bool) {
        let bundle = bundle(revision, open).signed_by(&self.key);
        self.server.publish(bundle.pack());
    }

    /// Whether the policy allows, and its first reason.
    pub(crate) fn decision(&self) -> (bool, String) {
        let question = json!({
            "subject": { "type": "workload", "id": "a" },
            "action": { "name": "read" },
            "resource": { "type": "thing", "id": "b" },
        });
        let reply = Request::new("POST", "/access/v1/evaluation")
            .header("content-type", "application/json")
            .body(question.to_string())
            .send(self.pdp.address());
        assert_eq!(reply.status, 200, "{}", reply.text());
        let answer = reply.json();
        let reason = answer["context"]["reasons"][0].as_str();
        let allowed = answer["decision"].as_bool().expect("a decision");
        (allowed, reason.unwrap_or_default().to_owned())
    }

    /// The bundle's status, as OPA's clients read it; null before the PDP listens.
    pub(crate) fn status(&self) -> Value {
        let reply = raw::get(self.pdp.address(), "/v1/status").unwrap_or_default();
        reply.json()["result"]["bundles"]["authz"].clone()
    }

    fn get(&self, path: &str) -> u16 {
        raw::get(self.pdp.address(), path).map_or(0, |reply| reply.status)
    }

    /// Waits until `what` holds of the status.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) {
        let found = wait_for(SOON, || holds(&self.status()).then_some(()));
        assert!(
            found.is_some(),
            "{what}: {}\n{}",
            self.status(),
            self.pdp.log()
        );
    }

    /// Each thread changes its engine between two requests, a moment after the status says so.
    #[track_caller]
    pub(crate) fn until_allowed(&self, allowed: bool) {
        let expected = (allowed, "by-data".to_owned());
        let found = wait_for(SOON, || (self.decision() == expected).then_some(()));
        assert!(found.is_some(), "{:?}\n{}", self.decision(), self.pdp.log());
    }

    #[track_caller]
    pub(crate) fn until_revision(&self, revision: &str) {
        self.until(revision, |status| status["active_revision"] == revision);
    }
}

#[test]
fn a_pdp_without_a_bundle_denies_everything_and_is_not_ready_until_one_comes() {
    let mut world = World::new(None, |_| {});
    world.server.crash();
    world.pdp.run_without_waiting();
    let up = wait_for(SOON, || (world.get("/health/live") == 200).then_some(()));
    assert!(up.is_some(), "{}", world.pdp.log());
    assert_eq!(world.decision(), (false, "policy-not-loaded".to_owned()));
    assert_eq!(world.get("/health/ready"), 503);
    assert_eq!(
        (world.get("/health"), world.get("/health?bundles")),
        (200, 500)
    );
    assert_eq!(world.get("/v1/data/authz/decision"), 503);
    world.until("named", |status| status["code"] == "bundle-server");

    world.server.run();
    world.until_revision("1");
    world.until_allowed(true);
    assert_eq!(
        (world.get("/health/ready"), world.get("/health?bundles")),
        (200, 200)
    );
    let asked = raw::get(world.pdp.address(), "/v1/data/authz/decision?provenance");
    let answer = asked.expect("an answer").json();
    assert_eq!(answer["result"]["allow"], true);
    assert_eq!(answer["provenance"]["bundles"]["authz"]["revision"], "1");
    let asked = world.server.requests();
    let bearer = format!("Bearer {TOKEN}");
    assert!(
        asked
            .iter()
            .all(|headers| headers["authorization"] == *bearer)
    );
    assert!(!world.pdp.log().contains(TOKEN), "the token is in the log");
}

#[test]
fn what_a_server_must_not_serve_is_named_and_the_bundle_in_force_stays() {
    let mut world = World::new(None, |_| {});
    world.pdp.run();
    world.publish("5", true);
    world.until_revision("5");
    world.until_allowed(true);
    let other = SigningKey::es256("release-1");
    let good = bundle("6", false);
    let packed = good.clone().signed_by(&world.key).pack();
    let overlong = vec![b'x'; 65 << 20];
    for (published, code) in [
        (good.pack(), "bundle-unsigned"),
        (good.clone().signed_by(&other).pack(), "bundle-signature"),
        (
            bundle("4", false).signed_by(&world.key).pack(),
            "bundle-rollback",
        ),
        (packed[..packed.len() - 20].to_vec(), "bundle-broken"),
        (overlong, "bundle-oversized"),
        (b"<html>not found</html>".to_vec(), "bundle-broken"),
    ] {
        world.server.publish(published);
        world.until(code, |status| status["code"] == code);
        assert_eq!(world.status()["active_revision"], "5", "{code}");
        assert!(world.decision().0, "{code}");
    }
    world.publish("6", false);
    world.until_revision("6");
    world.until_allowed(false);
    assert_eq!(world.status()["code"], Value::Null);
    let metrics = raw::get(world.pdp.address(), "/metrics")
        .expect("metrics")
        .text();
    let counted = r#"edgeward_bundle_refusals_total{bundle="authz",code="bundle-unsigned"}"#;
    assert!(metrics.contains(counted), "{metrics}");
}

#[test]
fn a_server_that_lets_askers_wait_is_heard_at_once() {
    let mut world = World::new(None, |bundle| {
        bundle["long_poll"] = json!("30s");
        bundle["fetch"]["refresh"] = json!("10m");
    });
    world.pdp.run();
    for revision in 2..5 {
        // The question that waits is on its way.
        std::thread::sleep(Duration::from_millis(300));
        let published = Instant::now();
        world.publish(&revision.to_string(), revision % 2 == 1);
        world.until_revision(&revision.to_string());
        let took = published.elapsed();
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    let asked = world.server.requests();
    assert!(asked.iter().any(|headers| {
        headers
            .get("prefer")
            .is_some_and(|prefer| prefer == "modes=snapshot,delta;wait=30")
    }));
}

#[test]
fn bundles_that_nobody_confirms_any_more_deny_once_they_are_too_old() {
    let mut world = World::new(None, |bundle| bundle["max_age"] = json!("3s"));
    world.pdp.run();
    world.until_allowed(true);
    world.server.crash();
    let denied = wait_for(SOON, || {
        (world.decision() == (false, "policy-too-old".to_owned())).then_some(())
    });
    assert!(denied.is_some(), "{}", world.pdp.log());
    assert_eq!(world.get("/health/ready"), 503);
    world.server.run();
    world.until_allowed(true);
}

#[test]
fn the_last_good_bundle_outlives_a_dead_server_a_full_disk_and_a_restart() {
    let folder = TempDir::with_prefix("edgeward-disk").expect("a temporary folder");
    let cache = folder.path().join("bundles");
    let disk = SmallDisk::mount(&cache);
    let mut world = World::new(Some(&cache), |_| {});
    world.pdp.run();
    world.until_revision("1");

    if let Some(disk) = &disk {
        // What came while the disk was full decides, and it is said that it would not be back.
        disk.fill();
        world.publish("2", false);
        world.until_revision("2");
        world.until_allowed(false);
        world.until("said", |status| status["not_kept"].is_string());
        disk.free();
        world.until("kept", |status| status["not_kept"].is_null());
    } else {
        eprintln!("skipped: a full disk (no right to mount one)");
        world.publish("2", false);
        world.until_revision("2");
    }
    world.server.publish(bundle("3", true).pack());
    world.until("refused", |status| status["code"] == "bundle-unsigned");

    world.server.crash();
    world.pdp.crash();
    world.pdp.run();
    world.until_revision("2");
    assert_eq!(world.decision(), (false, "by-data".to_owned()));

    // Back with an older one, properly signed: whoever can hold back a bundle gains nothing by it.
    world.publish("1", true);
    world.server.run();
    world.until("refused", |status| status["code"] == "bundle-rollback");
    assert!(!world.decision().0);
    world.publish("3", true);
    world.until_revision("3");
    world.until_allowed(true);

    // Without its keys nothing that is on disk is believed.
    world.server.crash();
    world.pdp.crash();
    std::fs::write(world.folder.path().join("keys.jwks"), r#"{"keys":[]}"#).expect("no keys");
    world.pdp.run_without_waiting();
    let up = wait_for(SOON, || (world.get("/health/live") == 200).then_some(()));
    assert!(up.is_some(), "{}", world.pdp.log());
    assert_eq!(world.decision(), (false, "policy-not-loaded".to_owned()));
}

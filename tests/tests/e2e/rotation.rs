//! Promise 5 the other way round, and promise 8: keys that an issuer or a trust domain brings in
//! are believed soon after the first token that needs them, without waiting for the regular
//! refresh, and tokens with invented key ids cannot turn that into a flood of fetches.
//!
//! Each test has its own parts: keys come over https from a server that counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use edgeward_tests::envoy::{Envoy, tail};
use edgeward_tests::issuer::Issuer;
use edgeward_tests::keys::{AUDIENCE, FRONTEND, ISSUER, oidc_claims, svid_claims};
use edgeward_tests::mint::SigningKey;
use edgeward_tests::pdp::Pdp;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::Request;
use edgeward_tests::reply::Reply;
use edgeward_tests::setup::Setup;
use edgeward_tests::stage::policy_folder;
use edgeward_tests::upstream::Upstream;
use serde_json::{Value, json};

/// Long after these tests are over.
const REFRESH: &str = "1h";
/// The shortest time between two fetches that tokens cause (`RefreshSettings`).
const INTERVAL: Duration = Duration::from_secs(10);
/// A tick, a fetch, a push of the feed: half a second; the rest is for a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// An Envoy and a PDP that know one issuer and one trust domain, each with a server of its keys.
struct Parts {
    issuer: Issuer,
    bundle: Issuer,
    pdp: Pdp,
    upstream: Upstream,
    envoy: Envoy,
}

impl Parts {
    fn start(issuer_key: &SigningKey, svid_key: &SigningKey) -> Self {
        Self::with(issuer_key, svid_key, REFRESH, "identity")
    }

    fn with(issuer_key: &SigningKey, svid_key: &SigningKey, refresh: &str, mode: &str) -> Self {
        let issuer = Issuer::start(jwks(&[issuer_key]));
        let bundle = Issuer::start(spiffe_bundle(1, &[svid_key]));
        let mut pdp = Pdp::prepare(&trust(&issuer, &bundle, refresh), &policy_folder());
        pdp.run();
        let upstream = Upstream::start();
        let setup = Setup::local()
            .cluster("edgeward_pdp", pdp.address())
            .cluster("upstream", upstream.address())
            .plugin(|plugin| {
                plugin["routes"] = json!([{ "path_prefix": "/", "mode": mode }]);
            });
        let envoy = Envoy::start(&setup);
        Self {
            issuer,
            bundle,
            pdp,
            upstream,
            envoy,
        }
    }

    fn send(&self, path: &str, token: &str) -> Reply {
        Request::get(path).bearer(token).send(self.envoy.address())
    }

    /// Waits until every worker accepts `token`; how long that took.
    #[track_caller]
    fn accepted_within(&self, path: &str, token: &str, patience: Duration) -> Duration {
        let started = Instant::now();
        let mut last = Reply::default();
        let accepted = wait_for(patience, || {
            (0..16)
                .all(|_| {
                    last = self.send(path, token);
                    last.status == 200
                })
                .then_some(())
        });
        assert!(
            accepted.is_some(),
            "{path}: {} {}\n{}\n{}",
            last.status,
            last.text(),
            tail(&self.pdp.log()),
            tail(&self.envoy.log())
        );
        started.elapsed()
    }

    /// Waits until no worker accepts `token` any more; how long that took.
    #[track_caller]
    fn refused_within(&self, path: &str, token: &str, code: &str, patience: Duration) -> Duration {
        let started = Instant::now();
        let mut last = Reply::default();
        let refused = wait_for(patience, || {
            let streak = Instant::now();
            let all = (0..16).all(|_| {
                last = self.send(path, token);
                (last.status, last.code().as_str()) == (401, code)
            });
            all.then_some(streak)
        });
        let log = tail(&self.pdp.log());
        let streak = refused.unwrap_or_else(|| panic!("{path}: {} {log}", last.status));
        streak.duration_since(started)
    }

    /// Has `token` accepted by every worker, for a decision that it remembers.
    #[track_caller]
    fn remembered(&self, path: &str, token: &str) {
        self.accepted_within(path, token, Duration::from_secs(20));
        let last = self.upstream.seen(path).pop().expect("it was forwarded");
        let id = last.header("x-edgeward-decision-id").concat();
        assert!(id.starts_with("cached-"), "{id}");
    }

    #[track_caller]
    fn assert_refused(&self, path: &str, token: &str, code: &str) {
        let reply = self.send(path, token);
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, code),
            "{path}: {}",
            reply.text()
        );
        assert!(self.upstream.seen(path).is_empty(), "{path} was forwarded");
    }
}

fn jwks(keys: &[&SigningKey]) -> Value {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk("sig")).collect();
    json!({ "keys": keys })
}

fn spiffe_bundle(sequence: u64, keys: &[&SigningKey]) -> Value {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk("jwt-svid")).collect();
    json!({ "spiffe_sequence": sequence, "keys": keys })
}

fn trust(issuer: &Issuer, bundle: &Issuer, refresh: &str) -> Value {
    let fetch = |server: &Issuer| json!({ "ca_file": server.ca_file(), "refresh": refresh });
    json!({
        "issuers": [{
            "issuer": ISSUER,
            "keys": { "jwks_url": issuer.url() },
            "audiences": [AUDIENCE],
            "fetch": fetch(issuer),
        }],
        "trust_domains": [{
            "name": "example.org",
            "bundle": { "https_web": { "url": bundle.url() } },
            "audiences": [AUDIENCE],
            "fetch": fetch(bundle),
        }],
    })
}

#[test]
fn a_token_by_a_key_that_was_rotated_in_is_accepted_within_seconds_of_its_first_sight() {
    let [old, new] = ["old", "new"].map(SigningKey::es256);
    let [old_svid, new_svid] = ["old-svid", "new-svid"].map(SigningKey::es256);
    let parts = Parts::start(&old, &old_svid);
    let (oidc, svid) = (oidc_claims("job"), svid_claims(FRONTEND));
    parts.accepted_within("/before", &old.token(&oidc), Duration::from_secs(20));
    parts.accepted_within("/before", &old_svid.token(&svid), Duration::from_secs(20));

    parts.issuer.publish(jwks(&[&new]));
    parts.bundle.publish(spiffe_bundle(2, &[&new_svid]));
    let (oidc_token, svid_token) = (new.token(&oidc), new_svid.token(&svid));
    parts.assert_refused("/first-oidc", &oidc_token, "token-key-unknown");
    parts.assert_refused("/first-svid", &svid_token, "token-key-unknown");
    let took = parts.accepted_within("/oidc", &oidc_token, SOON);
    println!("a new key of the issuer was believed after {took:?}");
    let took = parts.accepted_within("/svid", &svid_token, SOON);
    println!("a new key of the trust domain was believed after {took:?}");

    // Withdrawn in the same breath: the whole set is replaced.
    parts.assert_refused("/old-oidc", &old.token(&oidc), "token-key-unknown");
    parts.assert_refused("/old-svid", &old_svid.token(&svid), "token-key-unknown");
    assert_eq!((parts.issuer.fetches(), parts.bundle.fetches()), (2, 2));
}

#[test]
fn a_key_that_is_withdrawn_turns_what_is_remembered_by_it_into_a_refusal_at_the_next_refresh() {
    let [old, new] = ["old", "new"].map(SigningKey::es256);
    let [old_svid, new_svid] = ["old-svid", "new-svid"].map(SigningKey::es256);
    let parts = Parts::with(&old, &old_svid, "1s", "decide");
    let oidc = old.token(&oidc_claims("pipeline"));
    let svid = old_svid.token(&svid_claims(FRONTEND));
    parts.remembered("/oidc-withdrawn", &oidc);
    parts.remembered("/svid-withdrawn", &svid);

    let published = Instant::now();
    parts.issuer.publish(jwks(&[&new]));
    parts.bundle.publish(spiffe_bundle(2, &[&new_svid]));
    parts.refused_within("/oidc-withdrawn", &oidc, "token-key-unknown", SOON);
    parts.refused_within("/svid-withdrawn", &svid, "token-key-unknown", SOON);
    let took = published.elapsed();
    println!("two keys were withdrawn {took:?} after their issuers said so, asked each second");
    assert!(took < Duration::from_secs(5), "{took:?}");
    parts.accepted_within("/oidc", &new.token(&oidc_claims("pipeline")), SOON);
    parts.accepted_within("/svid", &new_svid.token(&svid_claims(FRONTEND)), SOON);
}

#[test]
fn a_flood_of_invented_kids_costs_an_issuer_one_fetch_an_interval_and_no_one_their_keys() {
    let [old, new, svid_key] = ["old", "new", "svid"].map(SigningKey::es256);
    let parts = Parts::start(&old, &svid_key);
    let claims = oidc_claims("job");
    parts.accepted_within("/before", &old.token(&claims), Duration::from_secs(20));
    assert_eq!(parts.issuer.fetches(), 1);

    let started = Instant::now();
    let sent = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (parts, old, sent, claims) = (&parts, &old, &sent, &claims);
            scope.spawn(move || {
                while started.elapsed() < Duration::from_secs(4) {
                    let number = sent.fetch_add(1, Ordering::Relaxed);
                    let kid = format!("invented-{thread}-{number}");
                    let header = json!({ "alg": "ES256", "kid": kid, "typ": "JWT" });
                    let token = old.sign(&header.to_string(), &claims.to_string());
                    parts.assert_refused("/flood", &token, "token-key-unknown");
                }
            });
        }
    });
    let (sent, fetches) = (sent.into_inner(), parts.issuer.fetches());
    let intervals = 1 + started.elapsed().as_secs() / INTERVAL.as_secs();
    assert!(sent > 100, "{sent} tokens are no flood");
    assert!(
        fetches <= 1 + intervals,
        "{sent} tokens caused {fetches} fetches"
    );
    assert_eq!(parts.bundle.fetches(), 1, "a flood for one is no other's");
    let (reports, workers) = (parts.envoy.stat("edgeward.keys.reported"), 2);
    let seconds = started.elapsed().as_secs() + 2;
    assert!(
        (1..=workers * seconds).contains(&reports),
        "{sent} tokens caused {reports} reports in {seconds} s"
    );
    println!("{sent} invented kids: {reports} reports, {fetches} fetches with the first");

    // The keys in force stay so, and a key that comes in meanwhile waits no longer than the interval.
    assert_eq!(parts.send("/after", &old.token(&claims)).status, 200);
    parts.issuer.publish(jwks(&[&old, &new]));
    let took = parts.accepted_within("/new", &new.token(&claims), INTERVAL + SOON);
    println!("a new key was believed {took:?} after the flood");
}

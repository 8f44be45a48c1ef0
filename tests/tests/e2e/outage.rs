//! Promises 1 and 5 while the PDP is away: absent at start, crashed, frozen, without keys, its feed
//! too old. Each test has its own parts, with Envoy speaking to the PDP directly.

use std::sync::Arc;
use std::time::{Duration, Instant};

use edgeward_tests::envoy::Envoy;
use edgeward_tests::envoy::tail;
use edgeward_tests::keys::{FRONTEND, Keys};
use edgeward_tests::pdp::Pdp;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::Request;
use edgeward_tests::reply::Reply;
use edgeward_tests::setup::Setup;
use edgeward_tests::stage::policy_folder;
use edgeward_tests::upstream::Upstream;
use serde_json::json;

/// Parts without the tap.
struct Parts {
    keys: Arc<Keys>,
    pdp: Pdp,
    upstream: Upstream,
    envoy: Envoy,
}

impl Parts {
    fn new(max_staleness: &str) -> Self {
        let keys = Arc::new(Keys::generate());
        let pdp = Pdp::prepare(&keys.pdp_config(), &policy_folder());
        Self::around(keys, pdp, max_staleness)
    }

    fn around(keys: Arc<Keys>, pdp: Pdp, max_staleness: &str) -> Self {
        let upstream = Upstream::start();
        let setup = Setup::local()
            .cluster("edgeward_pdp", pdp.address())
            .cluster("upstream", upstream.address())
            .plugin(|plugin| {
                plugin["sync"] = json!({ "max_staleness": max_staleness });
                plugin["routes"] = json!([{ "path_prefix": "/identity", "mode": "identity" }]);
            });
        let envoy = Envoy::start(&setup);
        Self {
            keys,
            pdp,
            upstream,
            envoy,
        }
    }

    fn ask(&self, path: &str) -> Reply {
        let token = self.keys.jwt_svid(FRONTEND);
        Request::get(path).bearer(&token).send(self.envoy.address())
    }

    /// With a PDP, and requests already decided and forwarded.
    fn serving(max_staleness: &str) -> Self {
        let mut parts = Self::new(max_staleness);
        parts.pdp.run();
        let forwards = parts.forwards_within(Duration::from_secs(15));
        assert!(forwards, "{}", tail(&parts.envoy.log()));
        parts
    }

    /// Whether both workers forward, within `patience`.
    fn forwards_within(&self, patience: Duration) -> bool {
        wait_for(patience, || {
            (0..16)
                .all(|_| self.ask("/forwards").status == 200)
                .then_some(())
        })
        .is_some()
    }

    #[track_caller]
    fn assert_denies(&self, path: &str, codes: &[&str]) {
        for _ in 0..8 {
            let reply = self.ask(path);
            assert_eq!(reply.status, 503, "{path}: {}", reply.text());
            assert!(
                codes.contains(&reply.code().as_str()),
                "{path}: {}",
                reply.text()
            );
        }
        assert!(self.upstream.seen(path).is_empty());
    }
}

#[test]
fn without_a_pdp_at_start_nothing_passes_and_with_one_requests_do() {
    let mut parts = Parts::new("30s");
    for path in ["/absent", "/identity/absent"] {
        parts.assert_denies(path, &["not-ready"]);
    }
    parts.pdp.run();
    assert!(
        parts.forwards_within(Duration::from_secs(15)),
        "{}",
        tail(&parts.envoy.log())
    );
}

#[test]
fn a_crashed_pdp_lets_nothing_pass_and_a_restarted_one_is_found_again() {
    let mut parts = Parts::serving("30s");
    for round in 0..3 {
        parts.pdp.crash();
        parts.assert_denies(&format!("/crashed-{round}"), &["pdp-unavailable"]);
        parts.pdp.run();
        assert!(
            parts.forwards_within(Duration::from_secs(15)),
            "round {round}"
        );
    }
}

#[test]
fn a_frozen_pdp_lets_nothing_pass() {
    let parts = Parts::serving("30s");
    parts.pdp.freeze(true);
    let started = Instant::now();
    let reply = parts.ask("/frozen");
    assert_eq!(
        (reply.status, reply.code()),
        (503, "pdp-timeout".to_owned())
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(parts.upstream.seen("/frozen").is_empty());
    parts.pdp.freeze(false);
    assert!(parts.forwards_within(Duration::from_secs(15)));
    assert!(
        parts.upstream.seen("/frozen").is_empty(),
        "a late answer was obeyed"
    );
}

#[test]
fn keys_are_not_believed_longer_than_max_staleness_after_the_pdp_is_gone() {
    let mut parts = Parts::serving("3s");
    assert_eq!(parts.ask("/identity/fresh").status, 200);
    parts.pdp.crash();
    let gone = Instant::now();
    let stale = wait_for(Duration::from_secs(10), || {
        (0..8)
            .all(|_| parts.ask("/identity/stale").code() == "feed-stale")
            .then(|| gone.elapsed())
    });
    let stale = stale.expect("the feed is never stale");
    assert!(stale < Duration::from_secs(5), "{stale:?}");
    parts.pdp.run();
    assert!(parts.forwards_within(Duration::from_secs(15)));
}

#[test]
fn a_pdp_without_keys_lets_nothing_pass() {
    let keys = Arc::new(Keys::generate());
    let mut trust = keys.pdp_config();
    let nowhere = edgeward_tests::pdp::free_address();
    trust["issuers"] = json!([]);
    trust["trust_domains"] = json!([{
        "name": "example.org",
        "bundle": { "https_web": { "url": format!("https://{nowhere}/bundle") } },
        "audiences": ["edgeward"],
    }]);
    let mut pdp = Pdp::prepare(&trust, &policy_folder());
    pdp.run_without_waiting();
    let parts = Parts::around(keys, pdp, "30s");
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        let reply = parts.ask("/keyless");
        let refusal = (reply.status, reply.code());
        let expected = [
            (503, "not-ready"),
            (401, "token-key-unknown"),
            (401, "token-trust-domain-unknown"),
        ];
        assert!(
            expected
                .iter()
                .any(|(status, code)| refusal == (*status, (*code).to_owned())),
            "{refusal:?}"
        );
    }
    assert!(parts.upstream.seen("/keyless").is_empty());
}

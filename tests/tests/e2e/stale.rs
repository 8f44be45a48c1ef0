//! The exception to promise 5 that an operator may configure: what is reused beyond its time while
//! the PDP gives no answer, and what ends it all the same.

use std::time::{Duration, Instant};

use edgeward_tests::envoy::{Envoy, tail};
use edgeward_tests::keys::{FRONTEND, Keys};
use edgeward_tests::pdp::Pdp;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::Request;
use edgeward_tests::reply::Reply;
use edgeward_tests::setup::Setup;
use edgeward_tests::upstream::Upstream;
use serde_json::json;

/// Enough connections to reach both workers.
const ENOUGH: usize = 16;
/// On a machine that is busy.
const SOON: Duration = Duration::from_secs(20);

struct Parts {
    token: String,
    pdp: Pdp,
    upstream: Upstream,
    envoy: Envoy,
}

impl Parts {
    /// Decisions hold for a second, the feed for eight.
    fn start() -> Self {
        let keys = Keys::generate();
        let pdp = Pdp::start(&keys);
        let upstream = Upstream::start();
        let setup = Setup::local()
            .cluster("edgeward_pdp", pdp.address())
            .cluster("upstream", upstream.address())
            .plugin(|plugin| {
                plugin["pdp"]["timeout"] = json!("5s");
                plugin["sync"] = json!({ "max_staleness": "8s" });
                plugin["cache"] = json!({ "allow_ttl": "1s", "deny_ttl": "1s" });
                plugin["routes"] = json!([{
                    "path_prefix": "/reports",
                    "posture": { "pdp_unavailable": { "serve_stale": "30s" } },
                }]);
            });
        let envoy = Envoy::start(&setup);
        Self {
            token: keys.jwt_svid(FRONTEND),
            pdp,
            upstream,
            envoy,
        }
    }

    fn send(&self, path: &str) -> Reply {
        let request = Request::get(path).bearer(&self.token);
        request.send(self.envoy.address())
    }

    /// The decision id of the last request for `path` that was forwarded.
    fn last_id(&self, path: &str) -> String {
        let last = self.upstream.seen(path).pop().expect("it was forwarded");
        last.header("x-edgeward-decision-id").concat()
    }

    #[track_caller]
    fn remember(&self, path: &str, status: u16) {
        let all = || (0..ENOUGH).all(|_| self.send(path).status == status);
        let log = || tail(&self.envoy.log());
        assert!(
            wait_for(SOON, || all().then_some(())).is_some(),
            "{}",
            log()
        );
    }
}

#[test]
fn a_route_that_serves_stale_decisions_does_so_while_the_pdp_is_gone_and_the_feed_is_not_too_old() {
    let mut parts = Parts::start();
    parts.remember("/reports/1", 200);
    parts.remember("/forbidden/1", 403);
    parts.remember("/strict", 200);
    let kept = || {
        let entries = parts.envoy.stat("edgeward.cache.entries");
        let bytes = parts.envoy.stat("edgeward.cache.bytes");
        (entries >= 3 && bytes > entries * 200).then_some((entries, bytes))
    };
    let (entries, bytes) = wait_for(SOON, kept).expect("the gauges are told");
    println!("{entries} decisions are remembered in {bytes} bytes");

    parts.pdp.crash();
    let crashed = Instant::now();
    // Longer than decisions hold, and than the feed is fresh enough for what still holds.
    std::thread::sleep(Duration::from_millis(3500));
    for _ in 0..ENOUGH {
        let reply = parts.send("/reports/1");
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(parts.last_id("/reports/1").starts_with("stale-"));
    }
    let original = parts.last_id("/reports/1");
    // The PDP may have had it from its own memory, and named another in turn.
    let (_, original) = original.split_once('.').expect("an original");
    let ids: Vec<String> = parts
        .upstream
        .seen("/reports/1")
        .iter()
        .map(|seen| seen.header("x-edgeward-decision-id").concat())
        .collect();
    assert!(ids.iter().any(|id| id == original), "{original} was made");
    for (path, code) in [
        ("/strict", "pdp-unavailable"),
        ("/reports/2", "pdp-unavailable"),
    ] {
        let reply = parts.send(path);
        assert_eq!((reply.status, reply.code().as_str()), (503, code), "{path}");
    }
    let counted = || (parts.envoy.stat("edgeward.posture.stale") >= ENOUGH as u64).then_some(());
    assert!(wait_for(SOON, counted).is_some());

    let ended = wait_for(SOON, || {
        let reply = parts.send("/reports/1");
        (reply.status != 200).then(|| (reply.status, reply.code(), crashed.elapsed()))
    });
    let (status, code, after) = ended.expect("not for ever");
    assert_eq!((status, code.as_str()), (503, "feed-stale"));
    assert!(after < Duration::from_secs(12), "{after:?}");
    println!("a cut feed ended the reuse beyond its time after {after:?}");

    parts.pdp.run();
    parts.remember("/reports/1", 200);
    let last = parts.last_id("/reports/1");
    assert!(!last.starts_with("stale-"), "{last}");
}

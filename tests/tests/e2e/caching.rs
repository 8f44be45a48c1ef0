//! Promises 4 and 5 with remembered decisions: what the policy cannot tell apart shares a decision,
//! and a remembered one falls with whatever it rests on. Each test has its own parts and policies.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use edgeward_tests::envoy::{Envoy, tail};
use edgeward_tests::keys::{FRONTEND, Keys, now, svid_claims};
use edgeward_tests::pdp::Pdp;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::Request;
use edgeward_tests::reply::Reply;
use edgeward_tests::setup::Setup;
use edgeward_tests::tap::Tap;
use edgeward_tests::upstream::Upstream;
use serde_json::json;
use tempfile::TempDir;

/// The most a change of policies or data may take to be seen, on a machine that is busy.
const SOON: Duration = Duration::from_secs(5);
/// Enough connections to reach both workers.
const ENOUGH: usize = 16;
/// What the clocks of issuer and proxy may differ by where nothing is configured, in seconds.
const LEEWAY: u64 = 60;

struct Parts {
    keys: Keys,
    token: String,
    policies: TempDir,
    pdp: Pdp,
    tap: Tap,
    upstream: Upstream,
    envoy: Envoy,
}

impl Parts {
    /// With the rule `decision`, and `data.access.open` false for nobody.
    fn deciding(decision: &str) -> Self {
        let policies = TempDir::with_prefix("edgeward-policies").expect("a temporary folder");
        write_policy(policies.path(), decision);
        write_data(policies.path(), true);
        let keys = Keys::generate();
        let pdp = Pdp::start_with(&keys, policies.path());
        let tap = Tap::start(pdp.address());
        let upstream = Upstream::start();
        let setup = Setup::local()
            .cluster("edgeward_pdp", tap.address())
            .cluster("upstream", upstream.address())
            .plugin(|plugin| plugin["pdp"]["timeout"] = json!("5s"));
        let envoy = Envoy::start(&setup);
        let token = keys.jwt_svid(FRONTEND);
        let parts = Self {
            keys,
            token,
            policies,
            pdp,
            tap,
            upstream,
            envoy,
        };
        assert!(
            parts.all_within(Duration::from_secs(20), "/warm", 200),
            "{}",
            tail(&parts.envoy.log())
        );
        parts
    }

    fn request(&self, path: &str) -> Request {
        Request::get(path).bearer(&self.token)
    }

    fn send(&self, path: &str) -> Reply {
        self.request(path).send(self.envoy.address())
    }

    /// Whether every worker comes to answer `path` with `status`.
    fn all_within(&self, patience: Duration, path: &str, status: u16) -> bool {
        let all = || (0..ENOUGH).all(|_| self.send(path).status == status);
        wait_for(patience, || all().then_some(())).is_some()
    }

    /// Has `path` allowed, and from memory by every worker.
    #[track_caller]
    fn remember(&self, path: &str) {
        assert!(
            self.all_within(SOON, path, 200),
            "{}",
            tail(&self.pdp.log())
        );
        let asked = self.tap.asked(path).len();
        assert!(asked <= 2, "two workers asked {asked} times");
        let last = self.upstream.seen(path).pop().expect("it was forwarded");
        assert!(id(&last).starts_with("cached-"), "{}", id(&last));
    }
}

fn id(seen: &edgeward_tests::upstream::Seen) -> String {
    seen.header("x-edgeward-decision-id").concat()
}

fn write_policy(folder: &Path, decision: &str) {
    let text = format!("package edgeward.authz\n\n{decision}\n");
    std::fs::write(folder.join("policy.rego"), text).expect("the policy is written");
}

fn write_data(folder: &Path, open: bool) {
    write_data_with(folder, open, "nothing");
}

/// With something beside it that [`BY_PATH`] does not read.
fn write_data_with(folder: &Path, open: bool, beside: &str) {
    let data = json!({ "access": { "open": open, "beside": beside }, "beside": beside });
    std::fs::write(folder.join("data.json"), data.to_string()).expect("the data is written");
}

const BY_PATH: &str = r#"decision := {"allow": allow, "reasons": [reason]}
default allow := false
allow if {
	data.access.open
	input.subject.id == "spiffe://example.org/ns/shop/sa/frontend"
	not startswith(input.resource.properties.path, "/closed")
}
reason := "open" if allow
reason := "closed" if not allow"#;

#[test]
fn requests_that_differ_only_outside_the_footprint_share_one_question_and_others_do_not() {
    let parts = Parts::deciding(BY_PATH);
    for number in 0..64 {
        let request = parts
            .request(&format!("/shared?page={number}"))
            .header("X-Number", number.to_string());
        assert_eq!(request.send(parts.envoy.address()).status, 200);
    }
    let asked = parts.tap.asked("/shared").len();
    assert!((1..=2).contains(&asked), "two workers asked {asked} times");
    let seen = parts.upstream.seen("/shared");
    let (made, reused): (Vec<String>, Vec<String>) = seen
        .iter()
        .map(id)
        .partition(|id| !id.starts_with("cached-"));
    assert_eq!((made.len() + reused.len(), seen.len()), (64, 64));
    assert!(made.len() <= 2 && reused.len() >= 62, "{made:?}");
    let names_its_original = |id: &String| id.split('.').any(|part| part.len() == 36);
    assert!(reused.iter().all(names_its_original), "{reused:?}");
    let counted = || (parts.envoy.stat("edgeward.cache.hit") >= 62).then_some(());
    assert!(wait_for(SOON, counted).is_some());

    // What the policy can tell apart: another path, another workload.
    let other = parts.keys.jwt_svid("spiffe://example.org/ns/shop/sa/batch");
    for _ in 0..ENOUGH {
        assert_eq!(parts.send("/closed").status, 403);
        let request = Request::get("/shared?page=1").bearer(&other);
        assert_eq!(request.send(parts.envoy.address()).status, 403);
    }
}

#[test]
fn another_policy_and_other_data_turn_a_remembered_allow_into_a_deny() {
    let parts = Parts::deciding(BY_PATH);
    parts.remember("/data");
    let started = Instant::now();
    write_data(parts.policies.path(), false);
    assert!(
        parts.all_within(SOON, "/data", 403),
        "{}",
        tail(&parts.pdp.log())
    );
    println!("other data were seen after {:?}", started.elapsed());
    write_data(parts.policies.path(), true);
    assert!(parts.all_within(SOON, "/data", 200));

    parts.remember("/policy");
    let started = Instant::now();
    write_policy(
        parts.policies.path(),
        r#"decision := {"allow": false, "reasons": ["over"]}"#,
    );
    assert!(
        parts.all_within(SOON, "/policy", 403),
        "{}",
        tail(&parts.pdp.log())
    );
    println!("another policy was seen after {:?}", started.elapsed());
}

#[test]
fn other_data_that_the_policy_cannot_read_leave_remembered_decisions_in_force() {
    let parts = Parts::deciding(BY_PATH);
    parts.remember("/kept");
    let asked = parts.tap.asked("/kept").len();
    let original = |seen| id(&seen).rsplit('.').next().map(str::to_owned);
    let made: BTreeSet<_> = parts
        .upstream
        .seen("/kept")
        .into_iter()
        .map(original)
        .collect();
    assert!(made.len() <= 2, "two workers had {made:?}");
    let reloads = || parts.pdp.log().matches("policies reloaded").count();
    let before = reloads();
    write_data_with(parts.policies.path(), true, "something");
    let reloaded = || (reloads() > before).then_some(());
    assert!(
        wait_for(SOON, reloaded).is_some(),
        "{}",
        tail(&parts.pdp.log())
    );
    // Another revision, which is the PDP's word for this, has reached the filters by then.
    std::thread::sleep(Duration::from_secs(1));
    for _ in 0..ENOUGH {
        assert_eq!(parts.send("/kept").status, 200);
    }
    assert_eq!(parts.tap.asked("/kept").len(), asked);
    let kept: BTreeSet<_> = parts
        .upstream
        .seen("/kept")
        .into_iter()
        .map(original)
        .collect();
    assert_eq!(kept, made, "nothing was decided anew");
    // What it can read still counts.
    write_data_with(parts.policies.path(), false, "something");
    assert!(
        parts.all_within(SOON, "/kept", 403),
        "{}",
        tail(&parts.pdp.log())
    );
}

#[test]
fn a_remembered_allow_ends_when_the_token_does() {
    let mut parts = Parts::deciding(BY_PATH);
    let mut claims = svid_claims(FRONTEND);
    // With the leeway that holds where nothing is configured.
    claims["exp"] = json!(now() - LEEWAY + 5);
    let ends = now() + 5;
    parts.token = parts.keys.svid.token(&claims);
    parts.remember("/expiring");
    let last = wait_for(Duration::from_secs(15), || {
        let reply = parts.send("/expiring");
        (reply.status != 200).then(|| (reply.status, reply.code(), now()))
    });
    let (status, code, at) = last.expect("the token expires");
    assert_eq!((status, code.as_str()), (401, "token-expired"));
    assert!((ends..=ends + 2).contains(&at), "{ends} {at}");
}

#[test]
fn a_remembered_allow_ends_at_the_boundary_the_policy_names_or_reads() {
    let parts = Parts::deciding(BY_PATH);
    let end = now() + 8;
    let named = format!(
        r#"decision := {{"allow": allow, "valid_until": until}}
until := {end} if allow
until := {} if not allow
default allow := false
allow if time.parse_rfc3339_ns(input.context.time) < {end}000000000"#,
        end + 3600
    );
    write_policy(parts.policies.path(), &named);
    let in_force = || parts.pdp.log().matches("policies").count() > 1;
    assert!(
        wait_for(SOON, || in_force().then_some(())).is_some(),
        "{}",
        parts.pdp.log()
    );
    assert_eq!(parts.send("/until").status, 200);
    let denied = wait_for(Duration::from_secs(15), || {
        (parts.send("/until").status == 403).then(now)
    });
    let denied = denied.expect("the boundary comes");
    assert!((end..=end + 1).contains(&denied), "{end} {denied}");
}

#[test]
fn a_feed_that_is_cut_ends_the_reuse_of_decisions_within_two_seconds() {
    let mut parts = Parts::deciding(BY_PATH);
    parts.remember("/cut");
    parts.pdp.crash();
    let started = Instant::now();
    assert_eq!(parts.send("/cut").status, 200, "it is still fresh");
    let refused = wait_for(SOON, || {
        let reply = parts.send("/cut");
        (reply.status != 200).then(|| (reply.status, reply.code(), started.elapsed()))
    });
    let (status, code, after) = refused.expect("the decision is not reused for ever");
    // The tap answers for a PDP that is gone, and what it says is no decision.
    assert_eq!((status, code.as_str()), (503, "pdp-answer-invalid"));
    assert!(after < Duration::from_millis(3500), "{after:?}");
    println!("a cut feed ended the reuse after {after:?}");
    for _ in 0..ENOUGH {
        parts.send("/cut");
    }
    // Counted on the tick.
    let counted = || (parts.envoy.stat("edgeward.cache.miss_stale") > 0).then_some(());
    assert!(wait_for(SOON, counted).is_some());
}

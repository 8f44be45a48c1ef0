//! Remembered decisions by networks, routes and schedules: requests that share their atoms share a
//! decision, others do not, and a schedule's boundary ends it.

use std::time::Duration;

use edgeward_tests::envoy::{Envoy, tail};
use edgeward_tests::keys::{FRONTEND, Keys, now};
use edgeward_tests::pdp::Pdp;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::{Request, connect_from, exchange, get};
use edgeward_tests::reply::Reply;
use edgeward_tests::setup::Setup;
use edgeward_tests::upstream::Upstream;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Enough connections to reach both workers.
const ENOUGH: u8 = 16;
const HOME: &str = "127.0.0.1";

struct Parts {
    token: String,
    _policies: TempDir,
    pdp: Pdp,
    upstream: Upstream,
    envoy: Envoy,
}

impl Parts {
    fn deciding(decision: &str, definitions: Value) -> Self {
        let policies = TempDir::with_prefix("edgeward-policies").expect("a temporary folder");
        let text = format!("package edgeward.authz\n\n{decision}\n");
        std::fs::write(policies.path().join("policy.rego"), text).expect("the policy is written");
        let keys = Keys::generate();
        let mut config = keys.pdp_config();
        let (Some(config_members), Value::Object(definitions)) =
            (config.as_object_mut(), definitions)
        else {
            panic!("both are objects");
        };
        config_members.extend(definitions);
        let mut pdp = Pdp::prepare(&config, policies.path());
        pdp.run();
        let upstream = Upstream::start();
        let setup = Setup::local()
            .cluster("edgeward_pdp", pdp.address())
            .cluster("upstream", upstream.address())
            .plugin(|plugin| plugin["pdp"]["timeout"] = json!("5s"));
        let envoy = Envoy::start(&setup);
        let token = keys.jwt_svid(FRONTEND);
        Self {
            token,
            _policies: policies,
            pdp,
            upstream,
            envoy,
        }
    }

    fn send(&self, source: &str, path: &str) -> Reply {
        let request = Request::get(path)
            .bearer(&self.token)
            .header("Connection", "close");
        let source = source.parse().expect("an address");
        let stream = connect_from(source, self.envoy.address()).expect("the listener accepts");
        exchange(stream, &request.bytes()).expect("an HTTP answer")
    }

    #[track_caller]
    fn wait_until_allowed(&self, path: &str) {
        let all = || (0..ENOUGH).all(|_| self.send(HOME, path).status == 200);
        let allowed = wait_for(Duration::from_secs(20), || all().then_some(()));
        assert!(
            allowed.is_some(),
            "{}\n{}",
            tail(&self.pdp.log()),
            tail(&self.envoy.log())
        );
    }

    /// How often the PDP was asked, on whichever way.
    fn asked(&self) -> usize {
        let reply = get(self.pdp.address(), "/metrics").expect("the metrics");
        let text = String::from_utf8(reply.body).expect("UTF-8");
        let counters = text
            .lines()
            .filter(|line| line.starts_with("edgeward_decisions_total"));
        let counts =
            counters.map(|line| line.rsplit(' ').next().unwrap_or_default().parse::<usize>());
        counts.map(|count| count.expect("a number")).sum()
    }
}

#[test]
fn requests_of_one_network_and_one_route_share_one_question_and_others_do_not() {
    let parts = Parts::deciding(
        r#"decision := {"allow": allow, "reasons": []}
default allow := false
allow if {
	"home" in input.context.source.networks
	input.resource.properties.route == "order"
	input.resource.properties.params.kind == "book"
}"#,
        json!({
            "networks": {"home": ["127.0.0.0/28"], "guests": ["127.0.0.64/26"]},
            "routes": [
                {"name": "order", "template": "/orders/{kind}/{number}", "methods": ["GET"]},
                {"name": "help", "template": "/help/**"},
            ],
        }),
    );
    parts.wait_until_allowed("/orders/book/0");
    let before = parts.asked();
    assert!(
        (1..=2).contains(&before),
        "two workers asked {before} times"
    );
    for number in 1..=ENOUGH {
        let (source, path) = (
            format!("127.0.0.{}", number % 15 + 1),
            format!("/orders/book/%3{}", number % 10),
        );
        assert_eq!(parts.send(&source, &path).status, 200, "{source} {path}");
    }
    assert_eq!(parts.asked(), before, "all were answered from memory");

    // Another network, another parameter, another route, none: each is a question of its own.
    for (source, path) in [
        ("127.0.0.65", "/orders/book/7"),
        ("127.0.0.16", "/orders/book/7"),
        (HOME, "/orders/film/7"),
        (HOME, "/help/orders/book/7"),
        (HOME, "/orders/book/7/"),
    ] {
        let before = parts.asked();
        for _ in 0..ENOUGH {
            assert_eq!(parts.send(source, path).status, 403, "{source} {path}");
        }
        let asked = parts.asked() - before;
        assert!(
            (1..=2).contains(&asked),
            "{source} {path}: two workers asked {asked} times"
        );
    }
    let forwarded = parts.upstream.seen("/orders/film").len() + parts.upstream.seen("/help").len();
    assert_eq!(forwarded, 0);
}

/// A schedule `open` that ends at `end`, in seconds since 1970.
fn open_until(end: u64) -> Value {
    let end = i64::try_from(end).expect("it is this century");
    let until = jiff::Timestamp::from_second(end).expect("an instant");
    let window = json!({"from": "2026-01-01T00:00:00Z", "until": until.to_string()});
    json!({ "open": { "windows": [window] } })
}

#[test]
fn a_schedule_that_ends_turns_a_remembered_allow_into_a_deny() {
    let mut parts = Parts::deciding(
        r#"decision if "open" in input.context.schedules"#,
        json!({ "schedules": open_until(now() + 100_000) }),
    );
    parts.wait_until_allowed("/open");
    // Only now, for on a busy machine it takes long until all parts run.
    let file = parts.pdp.config_file();
    let text = std::fs::read_to_string(&file).expect("the configuration is read");
    let mut config: Value = serde_json::from_str(&text).expect("JSON");
    let end = now() + 15;
    config["schedules"] = open_until(end);
    std::fs::write(&file, config.to_string()).expect("the configuration is written");
    parts.pdp.crash();
    parts.pdp.run();
    parts.wait_until_allowed("/open");
    assert!(now() < end, "the PDP took too long to start");
    let (mut hits, mut denied) = (0_u32, None);
    while denied.is_none() {
        let asked = parts.asked();
        match parts.send(HOME, "/open").status {
            200 => hits += u32::from(parts.asked() == asked),
            403 => denied = Some(now()),
            other => panic!("{other}"),
        }
        assert!(now() < end + 10, "the boundary is not seen");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(hits > 10, "it was remembered: {hits}");
    let denied = denied.expect("the loop ended with it");
    assert!((end..=end + 1).contains(&denied), "{end} {denied}");
    for _ in 0..ENOUGH {
        assert_eq!(parts.send(HOME, "/open").status, 403, "by every worker");
    }
}

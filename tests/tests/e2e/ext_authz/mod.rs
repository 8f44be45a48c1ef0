//! The promises, through Envoy's own `ext_authz` and no filter of ours: the setup that ships, the
//! real PDP behind it.

mod headers;
mod identity;
mod istio;
mod opa_envoy;
mod outage;
mod over_http;
mod paths;

use std::path::Path;
use std::sync::{Arc, LazyLock};

use edgeward_tests::envoy::{Envoy, tail};
use edgeward_tests::keys::{FRONTEND, Keys};
use edgeward_tests::pdp::Pdp;
use edgeward_tests::raw::Request;
use edgeward_tests::reply::Reply;
use edgeward_tests::setup::Setup;
use edgeward_tests::upstream::Upstream;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The frontend may do everything but what is below `/forbidden` or said in a banned role; nobody
/// knows the path `/public`.
const POLICY: &str = r#"package edgeward.authz

default decision := {"allow": false, "reasons": ["no-rule-allows"]}

decision := {"allow": true, "reasons": ["frontend"], "obligations": obligations} if {
	input.subject.id == "spiffe://example.org/ns/shop/sa/frontend"
	not forbidden
}

decision := {"allow": true, "reasons": ["public"]} if input.resource.properties.path == "/public"

forbidden if input.resource.properties.segments[0] == "forbidden"

forbidden if "banned" in input.resource.properties.headers["x-role"]

forbidden if input.resource.id == "forbidden.test"

default obligations := {}

obligations := {
	"request_headers": {"x-obliged": "by policy"},
	"response_headers": {"x-policy-note": "seen"},
} if {
	input.resource.properties.segments[0] == "obliged"
}
"#;

/// Envoy with ext_authz, the PDP that it asks, and what it forwards to.
struct Door {
    keys: Arc<Keys>,
    pdp: Pdp,
    upstream: Upstream,
    envoy: Envoy,
    policies: TempDir,
}

impl Door {
    fn open(setup: Setup, section: &Value) -> Self {
        Self::with_keys(Arc::new(Keys::generate()), setup, section)
    }

    fn with_keys(keys: Arc<Keys>, setup: Setup, section: &Value) -> Self {
        let policies = TempDir::with_prefix("edgeward-policy").expect("a temporary folder");
        write_policy(policies.path(), POLICY);
        let mut config = keys.pdp_config();
        config["ext_authz"] = section.clone();
        let mut pdp = Pdp::prepare(&config, policies.path());
        pdp.run();
        let upstream = Upstream::start();
        let setup = setup
            .cluster("edgeward_pdp", pdp.address())
            .cluster("upstream", upstream.address());
        Self {
            envoy: Envoy::start(&setup),
            keys,
            pdp,
            upstream,
            policies,
        }
    }

    fn send(&self, request: &Request) -> Reply {
        request.send(self.envoy.address())
    }

    fn allowed(&self, target: impl AsRef<[u8]>) -> Request {
        Request::get(target).bearer(&self.keys.jwt_svid(FRONTEND))
    }

    /// Asserts that `reply` is a refusal with this status and code, of a request that the upstream
    /// has not seen.
    #[track_caller]
    fn assert_refused(&self, reply: &Reply, status: u16, code: &str, marker: &str) {
        let got = (reply.status, reply.code());
        let context = || format!("{marker}: {}\n{}", reply.text(), tail(&self.envoy.log()));
        assert_eq!(got, (status, code.to_owned()), "{}", context());
        assert!(reply.json()["decision_id"].is_string(), "{}", context());
        assert_eq!(
            reply.header("x-edgeward-decision-id").as_deref(),
            reply.json()["decision_id"].as_str(),
        );
        assert!(self.upstream.seen(marker).is_empty(), "{marker} passed");
    }
}

/// The setup that ships, shared by every test that breaks nothing.
fn door() -> &'static Door {
    static DOOR: LazyLock<Door> = LazyLock::new(|| {
        let section = json!({ "allowed_request_headers": ["x-obliged"], "anonymous": true });
        Door::open(patient(Setup::ext_authz()), &section)
    });
    &DOOR
}

/// With time enough for a machine that does much else.
fn patient(setup: Setup) -> Setup {
    filter(setup, |filter| {
        filter["grpc_service"]["timeout"] = json!("10s");
    })
}

/// Changes the filter `ext_authz`.
fn filter(mut setup: Setup, change: impl FnOnce(&mut Value)) -> Setup {
    let filter = setup.find_filter("envoy.filters.http.ext_authz");
    change(&mut filter.expect("the filter is in the chain")["typed_config"]);
    setup
}

fn write_policy(folder: &Path, policy: &str) {
    std::fs::write(folder.join("authz.rego"), policy).expect("the policy is written");
}

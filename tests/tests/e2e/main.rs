//! End to end in a real Envoy with the release filter and the real PDP. Each test is named for the
//! promise it keeps (`SECURITY.md`); the module says which promise.
//!
//! One test program, so that all tests share the stages below: an Envoy and a PDP are started once.

mod atoms;
mod attest;
mod bundle_deltas;
mod bundle_registries;
mod bundle_stores;
mod bundles;
mod caching;
mod callouts;
mod canonical;
mod canonical_host;
mod clock;
mod ext_authz;
mod faults;
mod federation;
mod flight;
mod hygiene;
mod identity;
mod identity_forged;
mod inventory;
mod istio;
mod kubernetes;
mod mtls;
mod oidc_provider;
mod outage;
mod revocation;
mod rotation;
mod routes;
mod shipped;
mod stale;
mod svid;
mod trap;
mod trust;
mod trust_load;

use std::sync::LazyLock;

use edgeward_tests::envoy::{Launch, tail};
use edgeward_tests::reply::Reply;
use edgeward_tests::setup::Setup;
use edgeward_tests::stage::Stage;
use serde_json::json;

/// The plain setup with a few routes, shared by every test that breaks nothing.
fn stage() -> &'static Stage {
    static STAGE: LazyLock<Stage> =
        LazyLock::new(|| Stage::with(with_routes(Setup::local()), &Launch::default()));
    &STAGE
}

/// One route of each mode, one header that obligations may set, and a patience with the PDP that
/// a busy machine does not exhaust.
fn with_routes(setup: Setup) -> Setup {
    setup.plugin(|plugin| {
        plugin["pdp"]["timeout"] = json!("10s");
        plugin["allowed_request_headers"] = json!(["x-obliged"]);
        plugin["routes"] = json!([
            { "path": "/healthz", "mode": "off" },
            { "path_prefix": "/public", "anonymous": true },
            { "path_prefix": "/identity", "mode": "identity" },
            { "host": "off.test", "path_prefix": "/", "mode": "off" },
        ]);
    })
}

/// Asserts that `reply` is a refusal with this status and code, and that nothing whose line
/// contains `marker` has reached the upstream.
#[track_caller]
fn assert_refused(stage: &Stage, reply: &Reply, status: u16, code: &str, marker: &str) {
    let got = (reply.status, reply.code());
    assert!(
        !reply.code().is_empty(),
        "{marker}: {} with no code\n{}",
        reply.status,
        tail(&stage.envoy.log())
    );
    assert_eq!(got, (status, code.to_owned()), "{marker}: {}", reply.text());
    let id = &reply.json()["decision_id"];
    assert!(
        id.as_str().is_some_and(|id| !id.is_empty()),
        "{marker}: no decision id"
    );
    assert!(
        stage.upstream.seen(marker).is_empty(),
        "{marker} reached the upstream"
    );
}

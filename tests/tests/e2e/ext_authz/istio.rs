//! A mesh that asks by itself (`AuthorizationPolicy` with `CUSTOM`): what Istio makes of `envoy/istio-custom/`,
//! in a real Envoy.
//!
//! What this is not: Istio. Its two filters are written here as its sources have them
//! (`pilot/pkg/security/authz/builder`); the patch and the PDP's configuration are the files that ship.

use std::collections::BTreeMap;
use std::sync::Arc;

use edgeward_tests::keys::Keys;
use edgeward_tests::raw::Request;
use edgeward_tests::setup::Setup;
use serde_json::{Value, json};

use super::{Door, filter};
use crate::istio::{check_configuration, files_of};

const FILTER: &str = "envoy.filters.http.ext_authz";

/// What the files give the filter, as Envoy merges a patch.
fn patched(files: &BTreeMap<String, Value>, is_patched: bool) -> Setup {
    let provider = &files["istiooperator.yaml"]["spec"]["meshConfig"]["extensionProviders"][0];
    let policy = &files["authorizationpolicy.yaml"]["spec"];
    assert_eq!(policy["provider"]["name"], provider["name"]);
    let provider = &provider["envoyExtAuthzGrpc"];
    let status = provider["statusOnError"].as_str().expect("a status");
    let mut config = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
        "transport_api_version": "V3",
        "grpc_service": {
            "envoy_grpc": { "cluster_name": "edgeward_pdp", "authority": "outbound_.8181_._.edgeward-pdp" },
            // Ours is 0.5 s; this machine does much else.
            "timeout": "10s",
        },
        "failure_mode_allow": provider["failOpen"],
        "status_on_error": { "code": status.parse::<u16>().expect("a number") },
        "filter_enabled_metadata": {
            "filter": "envoy.filters.http.rbac",
            "path": [{ "key": "istio_ext_authz_shadow_effective_policy_id" }],
            "value": { "string_match": { "prefix": "istio-ext-authz" } },
        },
    });
    if is_patched {
        let patch = &files["envoyfilter.yaml"]["spec"]["configPatches"][0];
        let place = "/match/listener/filterChain/filter/subFilter/name";
        assert_eq!(patch.pointer(place), Some(&json!(FILTER)));
        assert_eq!(patch["patch"]["operation"], "MERGE");
        let patch = patch["patch"]["value"]["typed_config"].as_object();
        let config = config.as_object_mut().expect("an object");
        config.extend(patch.expect("a patch").clone());
    }
    let setup = filter(Setup::ext_authz(), |filter| *filter = config);
    setup.filter_before(json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "shadow_rules_stat_prefix": "istio_ext_authz_",
            "shadow_rules": { "action": "DENY", "policies": {
                "istio-ext-authz-ns[shop]-policy[edgeward]-rule[0]": {
                    "permissions": [{ "and_rules": { "rules": [{ "not_rule": { "or_rules": { "rules":
                        policy["rules"][0]["to"][0]["operation"]["notPaths"].as_array()
                            .expect("paths").iter()
                            .map(|path| json!({ "url_path": { "path": { "exact": path } } }))
                            .collect::<Vec<_>>()
                    } } }] } }],
                    "principals": [{ "any": true }],
                },
            } },
        },
    }))
}

/// The section `ext_authz` of the `ConfigMap`.
fn section(files: &BTreeMap<String, Value>) -> Value {
    let text = files["configmap.yaml"]["data"]["config.yaml"].as_str();
    let config: Value = serde_saphyr::from_str(text.expect("text")).expect("YAML");
    config["ext_authz"].clone()
}

#[test]
fn a_mesh_that_asks_by_itself_is_answered_and_its_probes_are_not_asked_about() {
    let files = files_of("istio-custom");
    check_configuration(&files);
    let door = Door::open(patched(&files, true), &section(&files));
    let reply = door.send(&door.allowed("/istio-allowed"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = door.upstream.seen("/istio-allowed");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("x-edgeward-decision-id").len(), 1);
    let reply = door.send(&door.allowed("/forbidden/istio"));
    door.assert_refused(&reply, 403, "no-rule-allows", "/forbidden/istio");
    let reply = door.send(&Request::get("/istio-nobody"));
    door.assert_refused(&reply, 401, "identity-missing", "/istio-nobody");
    // By `notPaths` of the policy.
    let reply = door.send(&Request::get("/healthz"));
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn a_mesh_without_the_patch_is_denied_everything() {
    let files = files_of("istio-custom");
    let keys = Arc::new(Keys::generate());
    let door = Door::with_keys(keys, patched(&files, false), &section(&files));
    let reply = door.send(&door.allowed("/istio-unpatched"));
    door.assert_refused(&reply, 503, "ext-authz-headers-joined", "/istio-unpatched");
}

//! Whatever ships in `envoy/` is loaded here, and keeps the settings that the promises rest on.

use std::collections::BTreeSet;

use edgeward_tests::ca::Authority;
use edgeward_tests::envoy::{self, Envoy};
use edgeward_tests::keys::TRUST_DOMAIN;
use edgeward_tests::raw::Request;
use edgeward_tests::setup::Setup;
use edgeward_tests::{built, wasm};
use serde_json::Value;
use tempfile::TempDir;

const EXT_AUTHZ: &str = "envoy.filters.http.ext_authz";

/// Every Envoy configuration that ships, with certificates where it wants some.
fn setups() -> Vec<(&'static str, Setup, TempDir)> {
    let folder = TempDir::new().expect("a temporary folder");
    let authority = Authority::new(TRUST_DOMAIN);
    authority.write_server(
        &authority.issue(&["spiffe://example.org/edge"]),
        folder.path(),
    );
    let mtls = Setup::mtls(folder.path());
    vec![
        (
            "ext_authz",
            Setup::ext_authz(),
            TempDir::new().expect("a temporary folder"),
        ),
        (
            "ext_authz_http",
            Setup::ext_authz_http(),
            TempDir::new().expect("a temporary folder"),
        ),
        (
            "local",
            Setup::local(),
            TempDir::new().expect("a temporary folder"),
        ),
        ("mtls", mtls, folder),
    ]
}

/// Those of them whose filter chain has this filter.
fn setups_with(filter: &str) -> Vec<(&'static str, Setup, TempDir)> {
    let mut setups = setups();
    setups.retain_mut(|(_, setup, _)| setup.find_filter(filter).is_some());
    assert!(setups.len() > 1, "{filter}");
    setups
}

#[test]
fn every_envoy_setup_that_ships_is_tested() {
    let folder = built::workspace().join("envoy");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.join("envoy.yaml").is_file() {
            found.push(
                path.file_name()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned(),
            );
        }
    }
    found.sort();
    let tested: Vec<_> = setups()
        .iter()
        .map(|(name, ..)| (*name).to_owned())
        .collect();
    assert_eq!(found, tested);
}

#[test]
fn every_envoy_setup_is_valid_and_starts() {
    for (name, setup, _folder) in setups() {
        assert_eq!(envoy::validate(&setup), Ok(()), "{name}");
        let mut envoy = Envoy::start(&setup);
        assert!(envoy.is_running(), "{name}");
        let warned = envoy
            .log()
            .lines()
            .any(|line| line.contains("Deprecated field"));
        assert!(
            !warned,
            "{name} uses what Envoy will drop:\n{}",
            envoy.log()
        );
    }
}

#[test]
fn every_envoy_setup_reloads_a_trapped_filter_and_never_fails_open() {
    for (name, mut setup, _folder) in setups_with("edgeward") {
        let config = &setup.filter()["typed_config"]["config"];
        assert_eq!(config["failure_policy"], "FAIL_RELOAD", "{name}");
        assert_eq!(
            config["reload_config"]["backoff"]["base_interval"], "0.1s",
            "{name}"
        );
        let capabilities = &config["vm_config"]["capability_restriction_config"];
        assert!(capabilities["allowed_capabilities"].is_object(), "{name}");
    }
}

#[test]
fn every_ext_authz_setup_tells_all_of_a_request_and_never_fails_open() {
    for (name, mut setup, _folder) in setups_with(EXT_AUTHZ) {
        let filter = setup.find_filter(EXT_AUTHZ).expect("the filter is there");
        let config = &filter["typed_config"];
        assert_eq!(config["failure_mode_allow"], false, "{name}");
        for setting in [
            "encode_raw_headers",
            "validate_mutations",
            "clear_route_cache",
        ] {
            assert_eq!(config[setting], true, "{name}: {setting}");
        }
        assert!(config["disallowed_headers"].is_null(), "{name}");
        let allowed = &config["allowed_headers"]["patterns"][0]["safe_regex"]["regex"];
        assert!(allowed.is_null() || allowed == ".*", "{name}: {allowed}");
        // What is rewritten behind the decision is not what was decided.
        let manager = &setup.document()["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
            [0]["typed_config"];
        let text = manager["route_config"].to_string();
        assert!(!text.contains("rewrite"), "{name}: {text}");
        let filters = manager["http_filters"].as_array().expect("filters");
        assert_eq!(
            filters.len(),
            2,
            "{name}: nothing between the decision and the router"
        );
    }
}

#[test]
fn every_envoy_setup_ends_stranded_requests_and_bounds_what_they_hold() {
    for (name, setup, _folder) in setups() {
        let listener = &setup.document()["static_resources"]["listeners"][0];
        let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
        let timer = manager["stream_idle_timeout"]
            .as_str()
            .expect("a stream timer");
        let seconds: u32 = timer.trim_end_matches('s').parse().expect("whole seconds");
        assert!((1..=30).contains(&seconds), "{name}: {timer}");
        assert!(
            listener["per_connection_buffer_limit_bytes"].as_u64() <= Some(1 << 20),
            "{name}"
        );
        let breakers = &cluster(&setup, "edgeward_pdp")["circuit_breakers"]["thresholds"][0];
        for limit in ["max_connections", "max_pending_requests", "max_requests"] {
            assert!(
                breakers[limit].is_u64(),
                "{name}: {limit} is left to Envoy's default"
            );
        }
        assert_eq!(breakers["max_retries"], 0, "{name}");
    }
}

#[test]
fn the_release_filter_imports_nothing_but_proxy_calls() {
    let imports = wasm::imports(built::filter());
    assert!(!imports.is_empty());
    for import in imports {
        assert!(
            import.starts_with("env.proxy_"),
            "`{import}` would not load, or reaches too far"
        );
    }
}

#[test]
fn every_callback_that_the_release_filter_exports_is_one_that_the_setups_let_envoy_make() {
    let callbacks: BTreeSet<_> = wasm::exports(built::filter())
        .into_iter()
        .filter(|name| name.starts_with("proxy_on_"))
        .collect();
    for (name, mut setup, _folder) in setups_with("edgeward") {
        let vm = &setup.filter()["typed_config"]["config"]["vm_config"];
        let allowed = &vm["capability_restriction_config"]["allowed_capabilities"];
        let allowed = allowed.as_object().expect("a map").keys();
        let allowed: BTreeSet<_> = allowed
            .filter(|name| name.starts_with("proxy_on_"))
            .cloned()
            .collect();
        // Where wasm-opt is missing the module exports those too of which it makes nothing.
        assert!(
            allowed.is_subset(&callbacks),
            "{name}: {allowed:?} of {callbacks:?}"
        );
        let optimised = !callbacks.contains("proxy_on_log");
        assert!(
            !optimised || allowed == callbacks,
            "{name}: {allowed:?} for {callbacks:?}"
        );
    }
}

#[test]
fn the_release_filter_is_below_400_kb() {
    let size = std::fs::metadata(built::filter())
        .expect("the filter is built")
        .len();
    assert!(size < 400_000, "{size} bytes");
}

#[test]
fn a_filter_without_configuration_never_serves() {
    for text in [
        "",
        "{}",
        "[]",
        r#"{"pdp":{"cluster":""}}"#,
        r#"{"pdp":{"cluster":"edgeward_pdp"},"unknown":1}"#,
    ] {
        let setup = Setup::local().plugin_text(text);
        let refused = std::panic::catch_unwind(|| Envoy::start(&setup));
        if let Ok(envoy) = refused {
            let reply = Request::get("/").send(envoy.address());
            panic!(
                "Envoy serves with the plugin configuration `{text}`: {}",
                reply.status
            );
        }
    }
}

fn cluster<'s>(setup: &'s Setup, name: &str) -> &'s Value {
    let clusters = setup.document()["static_resources"]["clusters"].as_array();
    let mut clusters = clusters.expect("clusters").iter();
    clusters
        .find(|cluster| cluster["name"] == name)
        .expect("the cluster is there")
}

//! The files in `envoy/istio/` and `envoy/istio-custom/`: each one object, each listed, and what of them Envoy
//! reads is loaded by Envoy (of the second in `ext_authz/istio.rs`). Their own shape was checked against the published schemas by hand
//! (`envoy/README.md` says how): no cluster runs here.

use std::collections::BTreeMap;
use std::process::Command;

use edgeward_tests::built;
use edgeward_tests::envoy::{Envoy, validate};
use edgeward_tests::setup::Setup;
use serde_json::Value;

/// Every file of the setup with the filter, by name.
fn files() -> BTreeMap<String, Value> {
    files_of("istio")
}

/// Every file of `envoy/<setup>`, by name.
pub(crate) fn files_of(setup: &str) -> BTreeMap<String, Value> {
    let folder = built::workspace().join("envoy").join(setup);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("readable");
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let document = serde_saphyr::from_str(&text);
        files.insert(
            name.clone(),
            document.unwrap_or_else(|cause| panic!("{name}: {cause}")),
        );
    }
    files
}

#[test]
fn every_object_of_the_istio_setups_has_its_own_file_and_is_listed() {
    // What is applied to the mesh itself is not listed, and the base is no file.
    for (setup, unlisted) in [("istio", ""), ("istio-custom", "istiooperator.yaml")] {
        let files = files_of(setup);
        let kustomization = &files["kustomization.yaml"];
        let resources = kustomization["resources"].as_array().expect("a list");
        let patches = kustomization["patches"].as_array().into_iter().flatten();
        let listed = resources.iter().chain(patches.map(|patch| &patch["path"]));
        let mut listed: Vec<&str> = listed.filter_map(Value::as_str).collect();
        listed.retain(|name| *name != "../istio");
        listed.sort_unstable();
        let present = files.keys().map(String::as_str);
        let present: Vec<&str> = present
            .filter(|name| ![unlisted, "kustomization.yaml"].contains(name))
            .collect();
        assert_eq!(listed, present, "{setup}");
        assert_objects(&files);
    }
}

fn assert_objects(files: &BTreeMap<String, Value>) {
    for (name, object) in files {
        for member in ["apiVersion", "kind"] {
            assert!(object[member].is_string(), "{name}: {member}");
        }
        let kind = object["kind"].as_str().map(str::to_ascii_lowercase);
        assert_eq!(kind.as_deref(), name.strip_suffix(".yaml"), "{name}");
    }
}

#[test]
fn the_wasm_plugin_of_the_istio_setup_is_a_configuration_the_filter_accepts() {
    let plugin = &files()["wasmplugin.yaml"]["spec"];
    assert_eq!(plugin["failStrategy"], "FAIL_RELOAD");
    assert_eq!(plugin["phase"], "AUTHN");
    let config = &plugin["pluginConfig"];
    let mut envoy = Envoy::start(&Setup::local().plugin_text(&config.to_string()));
    assert!(envoy.is_running());
    let service = &files()["service.yaml"];
    let host = format!(
        "outbound|{}||{}.{}.svc.cluster.local",
        service["spec"]["ports"][0]["port"],
        service["metadata"]["name"].as_str().expect("a name"),
        service["metadata"]["namespace"]
            .as_str()
            .expect("a namespace"),
    );
    assert_eq!(config["pdp"]["cluster"], host.as_str());
}

#[test]
fn the_envoy_filter_of_the_istio_setup_is_one_that_envoy_accepts() {
    let filter = &files()["envoyfilter.yaml"]["spec"];
    for patch in filter["configPatches"].as_array().expect("patches") {
        let value = patch["patch"]["value"]["typed_config"]
            .as_object()
            .expect("a patch");
        let setup = Setup::local().manager(|manager| {
            manager
                .as_object_mut()
                .expect("a manager")
                .extend(value.clone());
        });
        assert_eq!(validate(&setup), Ok(()));
        assert!(value.contains_key("stream_idle_timeout"));
    }
}

#[test]
fn the_pdp_configuration_of_the_istio_setup_is_one_the_pdp_accepts() {
    check_configuration(&files());
}

/// That the configuration in the `ConfigMap` is one that `edgeward check` finds nothing wrong with.
pub(crate) fn check_configuration(files: &BTreeMap<String, Value>) {
    let text = &files["configmap.yaml"]["data"]["config.yaml"];
    let file = tempfile::NamedTempFile::with_suffix(".yaml").expect("a temporary file");
    std::fs::write(file.path(), text.as_str().expect("text")).expect("written");
    let output = Command::new(built::edgeward())
        .args(["check", "--config"])
        .arg(file.path())
        .output()
        .expect("edgeward starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

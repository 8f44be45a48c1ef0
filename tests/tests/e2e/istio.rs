//! The files in `envoy/istio/`: each one object, each listed, and what of them Envoy reads is
//! loaded by Envoy. Their own shape was checked against the published schemas by hand
//! (`envoy/README.md` says how): no cluster runs here.

use std::collections::BTreeMap;
use std::process::Command;

use edgeward_tests::built;
use edgeward_tests::envoy::{Envoy, validate};
use edgeward_tests::setup::Setup;
use serde_json::Value;

/// Every file of the setup, by name.
fn files() -> BTreeMap<String, Value> {
    let folder = built::workspace().join("envoy/istio");
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
fn every_object_of_the_istio_setup_has_its_own_file_and_is_listed() {
    let files = files();
    let mut listed: Vec<&str> = Vec::new();
    for resource in files["kustomization.yaml"]["resources"]
        .as_array()
        .expect("a list")
    {
        listed.push(resource.as_str().expect("a name"));
    }
    listed.sort_unstable();
    let present: Vec<&str> = files.keys().map(String::as_str).collect();
    let present: Vec<&str> = present
        .into_iter()
        .filter(|name| *name != "kustomization.yaml")
        .collect();
    assert_eq!(listed, present);
    for (name, object) in &files {
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
    let text = &files()["configmap.yaml"]["data"]["config.yaml"];
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

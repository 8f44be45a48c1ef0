//! Questions, policies and keys for the tests of the service.

use std::fs;
use std::path::Path;

use edgeward_core::token::TokenRules;
use serde_json::{Value, json};

use crate::keys::{IssuerSettings, IssuerSource, KeySettings};

pub(super) fn write_decision(folder: &Path, decision: &str) {
    // As editors and mounts do it: a whole new file in place of the old.
    let new = folder.join(".new");
    fs::write(&new, format!("package edgeward.authz\n{decision}\n")).unwrap();
    fs::rename(new, folder.join("policy.rego")).unwrap();
}

pub(super) fn frontend(method: &str, segments: &[&str]) -> Value {
    question(
        "spiffe://demo.edgeward.dev/ns/shop/sa/frontend",
        method,
        segments,
    )
}

pub(super) fn question(id: &str, method: &str, segments: &[&str]) -> Value {
    json!({
        "subject": {"type": "workload", "id": id},
        "action": {"name": method},
        "resource": {"type": "http", "id": "shop", "properties": {
            "host": "shop", "path": format!("/{}", segments.join("/")), "segments": segments,
            "query": {}, "headers": {},
        }},
        "context": {"source": {"address": "10.0.0.1"}},
    })
}

pub(super) const ISSUER: &str = "https://issuer.demo.edgeward.dev";

/// One issuer, without keys, whose file the tests may change.
pub(super) fn key_settings(folder: &Path) -> KeySettings {
    fs::create_dir_all(folder.join(".keys")).unwrap();
    write_keys(folder, "");
    let issuer = IssuerSettings {
        issuer: ISSUER.parse().unwrap(),
        rules: TokenRules::for_issuer(vec!["edgeward".to_owned()].try_into().unwrap()),
        source: IssuerSource::File(folder.join(".keys/keys.json")),
    };
    KeySettings {
        issuers: vec![issuer],
        ..KeySettings::default()
    }
}

/// A JWK Set with these JWKs in it. The folder is hidden, so it is no data of the policies.
pub(super) fn write_keys(folder: &Path, jwks: &str) {
    let new = folder.join(".keys/new");
    fs::write(&new, format!(r#"{{"keys":[{jwks}]}}"#)).unwrap();
    fs::rename(new, folder.join(".keys/keys.json")).unwrap();
}

pub(super) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

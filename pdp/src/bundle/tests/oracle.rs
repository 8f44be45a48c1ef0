//! OPA's own tools make and sign a bundle, and it is taken as it is: `opa build` of 1.4.2, built by
//! `./just setup-opa`. Skipped, and said so, where that was not done.

use std::path::Path;
use std::process::Command;

use edgeward_core::jose::Algorithm;
use serde_json::json;

use super::{ALLOW, Release};
use crate::bundle::{BundleKeys, PemKey, PolicyBundle, Trust};
use crate::crypto::{KeyPurpose, Signer};
use crate::opa_program::opa_program;

/// Numbers and texts that JSON libraries write in more than one way.
const DATA: &str = r#"{
  "z": [1.0, 1e3, 0.1e-7, -0, 12345678901234567890123, 1E+2],
  "a": {"<&>": "\u2028\u000b\b\f\/é\ud83d\ude00", "": null}
}"#;
const YAML: &str =
    "half: 0.5\nwhole: 3.0\ntiny: 1.0e-9\nhuge: 1e25\nlist: [true, ~, 12, text]\n'1': one\n";

fn opa(arguments: &[&str], folder: &Path) -> bool {
    let mut command = Command::new(opa_program().unwrap());
    let ended = command
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    true
}

#[test]
fn a_bundle_that_opa_built_and_signed_is_taken_and_one_changed_afterwards_is_not() {
    if opa_program().is_none() {
        return;
    }
    for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::Es384] {
        let signer = Signer::generate(algorithm).unwrap().with_key_id("release");
        let place = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = place.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("key.pem", &signer.to_pkcs8_pem().unwrap());
        let jwks = json!({ "keys": [signer.public_jwk(KeyPurpose::Signature)] });
        write("keys.jwks", &jwks.to_string());
        write("policy/authz/policy.rego", ALLOW);
        write("policy/authz/data.json", DATA);
        write("policy/grants/data.yaml", YAML);
        write(
            "policy/.manifest",
            r#"{"roots": ["authz", "grants"], "metadata": {"by": 1.0}}"#,
        );
        let name = algorithm.as_str();
        let sign = [
            "--signing-key",
            "key.pem",
            "--signing-alg",
            name,
            "--claims-file",
            "claims.json",
        ];
        write("claims.json", r#"{"keyid": "release", "scope": "edge"}"#);
        let build = [
            "build",
            "-b",
            "policy",
            "-r",
            "2026-11-26T12:00:00Z",
            "-o",
            "b.tar.gz",
        ];
        opa(&[&build[..], &sign].concat(), place.path());

        let trust = Trust {
            keys: BundleKeys::Jwks(place.path().join("keys.jwks")),
            key_id: None,
            scope: Some("edge".to_owned()),
        };
        let bytes = std::fs::read(place.path().join("b.tar.gz")).unwrap();
        let bundle = PolicyBundle::unpack(&bytes, Some(&trust)).unwrap();
        assert_eq!(bundle.revision(), "2026-11-26T12:00:00Z");
        assert!(
            bundle
                .files()
                .any(|file| file.ends_with("authz/policy.rego"))
        );

        // Signed in place, where files are as they were written: `opa sign` hashes their values.
        let folder = place.path().join("policy");
        let sign = ["--signing-key", "../key.pem", "--signing-alg", name];
        let claims = ["--claims-file", "../claims.json"];
        opa(
            &[&["sign", "-b", "."][..], &sign, &claims].concat(),
            &folder,
        );
        PolicyBundle::read_folder(&folder, Some(&trust)).unwrap();
        std::fs::write(folder.join("grants/data.yaml"), YAML.replace("0.5", "0.6")).unwrap();
        let error = PolicyBundle::read_folder(&folder, Some(&trust)).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("`grants/data.yaml` is not what was signed"),
            "{error}"
        );
    }
}

#[test]
fn keys_in_pem_verify_what_opa_signed_by_their_key_id() {
    if opa_program().is_none() {
        return;
    }
    let release = Release::new();
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("policy")).unwrap();
    std::fs::write(place.path().join("policy/p.rego"), ALLOW).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    std::fs::write(place.path().join("key.pem"), key.serialize_pem()).unwrap();
    std::fs::write(place.path().join("public.pem"), key.public_key_pem()).unwrap();
    let build = [
        "build",
        "-b",
        "policy",
        "-o",
        "b.tar.gz",
        "--signing-key",
        "key.pem",
    ];
    opa(
        &[&build[..], &["--signing-alg", "ES256"]].concat(),
        place.path(),
    );
    let bytes = std::fs::read(place.path().join("b.tar.gz")).unwrap();
    let with_key = |id: &str, key_id: Option<&str>, algorithm| Trust {
        keys: BundleKeys::Pem(vec![PemKey {
            id: id.to_owned(),
            algorithm,
            file: place.path().join("public.pem"),
        }]),
        key_id: key_id.map(str::to_owned),
        scope: None,
    };
    let is_taken = |trust: &Trust| PolicyBundle::unpack(&bytes, Some(trust)).map(drop);
    // `opa` says `default` where it was told no key id.
    is_taken(&with_key("default", None, Algorithm::Es256)).unwrap();
    is_taken(&with_key("release", Some("release"), Algorithm::Es256)).unwrap();
    for (trust, says) in [
        (
            with_key("release", None, Algorithm::Es256),
            "`default`: no key with this",
        ),
        (with_key("default", None, Algorithm::Es384), "no key"),
        (
            Trust {
                key_id: Some("default".to_owned()),
                ..release.trust()
            },
            "no key",
        ),
        (
            Trust {
                key_id: Some("release-1".to_owned()),
                ..release.trust()
            },
            "not verify",
        ),
    ] {
        let error = is_taken(&trust).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

//! `edgeward bundle verify`, and configurations whose policies come in bundles.

use std::process::Command;

use edgeward::crypto::{KeyPurpose, Signer};
use edgeward_core::jose::Algorithm;
use edgeward_core::revocation::hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::program::Place;

const POLICY: &str = "package authz\n\ndecision if data.authz.open\n";
const MANIFEST: &str = r#"{"revision":"1.2.3","roots":["authz"]}"#;

/// A folder `policies` with an unpacked bundle.
fn place() -> Place {
    Place::with(&[
        ("policies/.manifest", MANIFEST),
        ("policies/authz/policy.rego", POLICY),
        ("policies/authz/data.json", r#"{"open":true}"#),
    ])
}

/// Signs the folder, writes `keys.jwks`, and packs it all as `bundle.tar.gz`.
fn sign_and_pack(place: &Place) {
    let signer = Signer::generate(Algorithm::Es256).expect("a key");
    let signer = signer.with_key_id("release");
    let listed = [".manifest", "authz/policy.rego", "authz/data.json"].map(|file| {
        let content = std::fs::read(place.path(&format!("policies/{file}"))).expect("a file");
        json!({ "name": file, "hash": hex(&Sha256::digest(content)), "algorithm": "SHA-256" })
    });
    let payload = json!({ "files": listed }).to_string();
    let jws = signer.sign(None, payload.as_bytes()).expect("a signature");
    place.write(
        "policies/.signatures.json",
        &json!({ "signatures": [jws] }).to_string(),
    );
    let keys = json!({ "keys": [signer.public_jwk(KeyPurpose::Signature)] });
    place.write("keys.jwks", &keys.to_string());
    let packed = Command::new("tar")
        .args(["czf", "bundle.tar.gz", "-C", "policies", "."])
        .current_dir(place.path("."))
        .status();
    assert!(packed.expect("tar runs").success());
}

#[test]
fn a_bundle_is_verified_as_a_pdp_would_and_refused_with_the_reason() {
    let place = place();
    let said = place.run(&[
        "bundle",
        "verify",
        "policies",
        "--entrypoint",
        "data.authz.decision",
    ]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(
        said.out,
        "policies: ok: unsigned, revision 1.2.3, roots authz, 3 files, policies in bytecode\n"
    );
    sign_and_pack(&place);
    let said = place.run(&["bundle", "verify", "bundle.tar.gz", "--jwks", "keys.jwks"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(
        said.out.contains("ok: signed, revision 1.2.3"),
        "{}",
        said.out
    );
    let said = place.run(&["bundle", "verify", "bundle.tar.gz"]);
    assert_eq!(said.code, 1);
    assert!(
        said.out
            .contains("refused: is signed, and no key is configured"),
        "{}",
        said.out
    );

    place.write(
        "policies/authz/policy.rego",
        "package authz\n\ndecision := true\n",
    );
    let verify = [
        "bundle",
        "verify",
        "policies",
        "--jwks",
        "keys.jwks",
        "--output",
        "json",
    ];
    let said = place.run(&verify);
    assert_eq!(said.code, 1);
    let answer: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(
        (&answer["result"], &answer["code"]),
        (&json!("refused"), &json!("bundle-signature"))
    );
    let message = answer["message"].as_str().expect("a message");
    assert!(
        message.contains("`authz/policy.rego` is not what was signed"),
        "{message}"
    );
}

#[test]
fn a_configuration_with_bundles_is_checked_as_far_as_they_lie_here() {
    let place = place();
    sign_and_pack(&place);
    let config = |source: &str| {
        format!(
            "policies:\n  entrypoint: data.authz.decision\n  bundles:\n    authz: {{ {source} }}\n"
        )
    };
    let check = |source: &str| {
        place.write("edgeward.yaml", &config(source));
        place.run(&["check", "--config", "edgeward.yaml"])
    };
    let said = check("path: bundle.tar.gz, signature: { jwks: keys.jwks }");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("policies in bytecode"), "{}", said.out);
    let said = check("url: 'https://bundles.example/a.tar.gz', signature: { jwks: keys.jwks }");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out
            .contains("policies in bundles, which are not fetched here"),
        "{}",
        said.out
    );
    for (source, says) in [
        (
            "path: bundle.tar.gz",
            "policies.bundles.authz: is signed, and no key",
        ),
        ("path: nowhere.tar.gz", "policies.bundles.authz: "),
        (
            "path: bundle.tar.gz, signature: { jwks: nowhere.jwks }",
            "policies.bundles.authz: `",
        ),
        (
            "url: 'https://bundles.example/a', signature: { keys: { a: { file: keys.jwks, algorithm: ES256 } } }",
            "failed to extract a Key",
        ),
    ] {
        let said = check(source);
        assert_eq!(said.code, 2, "{source}: {}", said.out);
        assert!(said.err.contains(says), "{source}: {}", said.err);
    }
}

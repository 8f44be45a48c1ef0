//! What is refused of a registry, without one: `tests/tests/e2e/bundle_registries.rs` has a real one.

use serde_json::json;

use super::*;

fn artifact(token_hosts: &[&str]) -> OciArtifact {
    OciArtifact::new(
        "registry.example.com/policies/authz:1".parse().unwrap(),
        OciLogin::Anonymous,
        token_hosts.iter().map(|host| (*host).to_owned()).collect(),
        FetchSettings::default(),
    )
    .unwrap()
}

#[test]
fn tokens_are_of_the_registrys_host_or_of_one_that_is_named() {
    let asked = |artifact: &OciArtifact, realm: &str| {
        artifact.may_give_tokens(&SourceUrl::parse(realm, artifact.fetch.plaintext).unwrap())
    };
    let own = artifact(&[]);
    let named = artifact(&["auth.example.com", "tokens.example.com:8443"]);
    for (realm, by_own, by_named) in [
        ("https://registry.example.com/token", true, true),
        ("https://auth.example.com/token", false, true),
        ("https://tokens.example.com:8443/token", false, true),
        ("https://tokens.example.com/token", false, false),
        ("https://example.com/token", false, false),
        ("https://registry.example.com.evil.test/token", false, false),
    ] {
        assert_eq!(
            (asked(&own, realm), asked(&named, realm)),
            (by_own, by_named),
            "{realm}"
        );
    }
}

#[test]
fn a_password_is_not_sent_where_a_registry_says() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let token = artifact(&[]);
    let refused = runtime
        .block_on(token.credential("Bearer realm=\"https://evil.test/token\""))
        .unwrap_err();
    assert!(refused.why.contains("oci.token_hosts"), "{}", refused.why);
}

#[test]
fn an_index_and_what_is_both_are_refused() {
    let artifact = artifact(&[]);
    let layer =
        json!({"mediaType": LAYER, "digest": format!("sha256:{}", "a".repeat(64)), "size": 1});
    let index = "application/vnd.oci.image.index.v1+json";
    let image = json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer]});
    assert!(artifact.layer(image.to_string().as_bytes()).is_ok());
    for wrong in [
        json!({"schemaVersion": 2, "mediaType": index, "manifests": []}),
        json!({"schemaVersion": 2, "manifests": [{"digest": "x"}]}),
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer], "manifests": []}),
        json!({"schemaVersion": 2, "mediaType": index, "layers": [layer]}),
        json!({"schemaVersion": 1, "layers": [layer]}),
        json!({"schemaVersion": 2, "layers": [layer, layer]}),
        json!({"schemaVersion": 2, "layers": []}),
    ] {
        let refused = artifact.layer(wrong.to_string().as_bytes());
        assert!(refused.is_err(), "{wrong}");
    }
}

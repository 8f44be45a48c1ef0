//! SPIFFE bundle endpoints: who may serve a bundle, and how one follows another.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward_core::token::TokenRules;
use serde_json::{Value, json};

use super::authority::Authority;
use super::server::{Reply, TestServer};
use super::{accepts_svid, audiences, eventually, last_error, quick, signer, status};
use crate::crypto::{KeyPurpose, Signer};
use crate::fetch::{Plaintext, SourceUrl};
use crate::keys::{BundleSource, KeySettings, Keyring, TrustDomainSettings};

const SERVER: &str = "spiffe://example.org/spire/server";
const WORKLOAD: &str = "spiffe://example.org/w";

fn bundle(authority: &Authority, key: &Signer, sequence: u64) -> Value {
    json!({
        "spiffe_sequence": sequence,
        "keys": [
            {"use": "x509-svid", "kty": "EC", "x5c": [STANDARD.encode(authority.der())]},
            key.public_jwk(KeyPurpose::JwtSvid),
        ],
    })
}

struct Setup {
    authority: Authority,
    server: TestServer,
    directory: tempfile::TempDir,
    key: Signer,
}

impl Setup {
    /// A proper endpoint and the initial bundle that vouches for it.
    async fn new() -> Self {
        let authority = Authority::new();
        let server = TestServer::start(authority.svid_server(&[SERVER])).await;
        let key = signer("k");
        let directory = tempfile::tempdir().unwrap();
        let first = bundle(&authority, &signer("initial"), 1).to_string();
        std::fs::write(directory.path().join("initial.json"), first).unwrap();
        server.say(
            "/bundle",
            Reply::json(bundle(&authority, &key, 2).to_string()),
        );
        Self {
            authority,
            server,
            directory,
            key,
        }
    }

    fn initial(&self) -> PathBuf {
        self.directory.path().join("initial.json")
    }

    fn keyring(&self) -> Keyring {
        Self::keyring_for(BundleSource::HttpsSpiffe {
            url: self.server.url("/bundle"),
            endpoint_id: SERVER.parse().unwrap(),
            initial_bundle: self.initial(),
            fetch: quick(&self.authority.pem_file()),
        })
    }

    fn keyring_for(source: BundleSource) -> Keyring {
        let settings = KeySettings {
            trust_domains: vec![TrustDomainSettings {
                name: "example.org".parse().unwrap(),
                rules: TokenRules::for_trust_domain(audiences()),
                source,
            }],
            ..KeySettings::default()
        };
        Keyring::open(settings).unwrap()
    }
}

#[tokio::test]
async fn the_right_svid_may_serve_the_bundle() {
    let setup = Setup::new().await;
    let keyring = setup.keyring();
    assert!(
        !keyring.is_ready(),
        "the initial bundle vouches for the server, not for workloads"
    );
    keyring.fetch_all().await;
    assert_eq!(last_error(&keyring), "");
    assert!(accepts_svid(&keyring, WORKLOAD, &setup.key));
    assert_eq!(status(&keyring).sequence, Some(2));
}

#[tokio::test]
async fn any_other_server_is_refused() {
    let setup = Setup::new().await;
    let stranger = Authority::new();
    let good = &setup.authority;
    for (config, why) in [
        (
            good.svid_server(&["spiffe://example.org/other"]),
            "another ID",
        ),
        (
            good.svid_server(&["spiffe://example.org/spire/server/x"]),
            "a longer ID",
        ),
        (
            good.svid_server(&["spiffe://other.org/spire/server"]),
            "another trust domain",
        ),
        (
            good.svid_server(&[SERVER, "spiffe://example.org/other"]),
            "two IDs",
        ),
        (good.svid_server(&[]), "no ID"),
        (good.web_server(), "a host name only"),
        (good.signing_server(SERVER), "a signing certificate"),
        (stranger.svid_server(&[SERVER]), "another authority"),
    ] {
        setup.server.become_server(config);
        let keyring = setup.keyring();
        keyring.fetch_all().await;
        assert!(
            last_error(&keyring).contains("cannot connect"),
            "{why}: {}",
            last_error(&keyring)
        );
        assert!(!accepts_svid(&keyring, WORKLOAD, &setup.key), "{why}");
    }
    assert_eq!(setup.server.hits("/bundle"), 0);
}

#[tokio::test]
async fn an_endpoint_without_tls_proves_nothing_and_is_not_asked() {
    let setup = Setup::new().await;
    let url = format!("http://127.0.0.1:{}/bundle", setup.server.port());
    let keyring = Setup::keyring_for(BundleSource::HttpsSpiffe {
        url: SourceUrl::parse(&url, Plaintext::Loopback).unwrap(),
        endpoint_id: SERVER.parse().unwrap(),
        initial_bundle: setup.initial(),
        fetch: quick(&setup.authority.pem_file()),
    });
    keyring.fetch_all().await;
    assert!(
        last_error(&keyring).contains("must be https"),
        "{}",
        last_error(&keyring)
    );
}

#[tokio::test]
async fn web_pki_does_not_take_an_svid_for_a_host() {
    let setup = Setup::new().await;
    let source = || BundleSource::HttpsWeb {
        url: setup.server.url("/bundle"),
        fetch: quick(&setup.authority.pem_file()),
    };
    let keyring = Setup::keyring_for(source());
    keyring.fetch_all().await;
    assert!(
        last_error(&keyring).contains("cannot connect"),
        "{}",
        last_error(&keyring)
    );
    setup.server.become_server(setup.authority.web_server());
    let keyring = Setup::keyring_for(source());
    keyring.fetch_all().await;
    assert!(accepts_svid(&keyring, WORKLOAD, &setup.key));
}

#[tokio::test]
async fn a_fetched_bundle_takes_the_place_of_the_initial_one() {
    let setup = Setup::new().await;
    let (next, key) = (Authority::new(), signer("next"));
    let both = {
        let mut both = bundle(&setup.authority, &setup.key, 3);
        let x509 = bundle(&next, &key, 3)["keys"][0].clone();
        both["keys"].as_array_mut().unwrap().push(x509);
        both
    };
    setup.server.say("/bundle", Reply::json(both.to_string()));
    let keyring = setup.keyring();
    let _tasks = keyring.start();
    eventually("sequence 3", || status(&keyring).sequence == Some(3)).await;
    setup
        .server
        .say("/bundle", Reply::json(bundle(&next, &key, 4).to_string()));
    setup.server.become_server(next.svid_server(&[SERVER]));
    eventually("sequence 4", || status(&keyring).sequence == Some(4)).await;
    assert!(accepts_svid(&keyring, WORKLOAD, &key));
    assert!(
        !accepts_svid(&keyring, WORKLOAD, &setup.key),
        "bundles are never merged"
    );

    // The old authority vouches for nothing any more.
    setup
        .server
        .become_server(setup.authority.svid_server(&[SERVER]));
    setup.server.say(
        "/bundle",
        Reply::json(bundle(&setup.authority, &setup.key, 5).to_string()),
    );
    eventually("a refusal", || {
        last_error(&keyring).contains("cannot connect")
    })
    .await;
    assert!(!accepts_svid(&keyring, WORKLOAD, &setup.key));
}

#[tokio::test]
async fn a_bundle_older_than_the_one_we_have_is_refused() {
    let setup = Setup::new().await;
    setup.server.say(
        "/bundle",
        Reply::json(bundle(&setup.authority, &setup.key, 0).to_string()),
    );
    let keyring = setup.keyring();
    keyring.fetch_all().await;
    assert!(
        last_error(&keyring).contains("went back from 1 to 0"),
        "{}",
        last_error(&keyring)
    );
    assert!(!accepts_svid(&keyring, WORKLOAD, &setup.key));
}

#[tokio::test]
async fn an_empty_bundle_revokes_everything() {
    let setup = Setup::new().await;
    let keyring = setup.keyring();
    keyring.fetch_all().await;
    assert!(accepts_svid(&keyring, WORKLOAD, &setup.key));
    setup
        .server
        .say("/bundle", Reply::json(r#"{"spiffe_sequence":9,"keys":[]}"#));
    keyring.fetch_all().await;
    assert!(!accepts_svid(&keyring, WORKLOAD, &setup.key));
    keyring.fetch_all().await;
    assert!(
        last_error(&keyring).contains("no X.509 authority"),
        "{}",
        last_error(&keyring)
    );
}

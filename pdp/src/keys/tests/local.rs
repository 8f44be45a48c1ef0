//! Sources on this machine, and settings that are refused at the start.

use std::path::Path;

use edgeward_core::token::TokenRules;
use serde_json::json;

use super::authority::Authority;
use super::{
    accepts, accepts_svid, audiences, document, eventually, jwks, last_error, one_issuer, owner,
    quick, signer, status,
};
use crate::crypto::KeyPurpose;
use crate::fetch::{FetchSettings, Plaintext, SourceUrl};
use crate::keys::{BundleSource, IssuerSource, KeySettings, Keyring, Refetch, TrustDomainSettings};

const NAME: &str = "https://i.test";

fn trust_domain(source: BundleSource) -> KeySettings {
    KeySettings {
        trust_domains: vec![TrustDomainSettings {
            name: "example.org".parse().unwrap(),
            rules: TokenRules::for_trust_domain(audiences()),
            source,
        }],
        ..KeySettings::default()
    }
}

fn text(document: Vec<u8>) -> String {
    String::from_utf8(document).unwrap()
}

#[tokio::test]
async fn inline_keys_verify_at_once_and_are_never_fetched() {
    let key = signer("k");
    let source = IssuerSource::Inline(text(jwks(&[&key])));
    let keyring = Keyring::open(one_issuer(NAME, source)).unwrap();
    assert!(keyring.is_ready());
    assert!(accepts(&keyring, NAME, &key));
    assert!(!accepts(&keyring, "https://other.test", &key));
    assert_eq!(status(&keyring).expires_at, None);
    let _tasks = keyring.start();
    assert_eq!(keyring.unknown_key(&owner(NAME), "x"), Refetch::NotFetched);
}

#[tokio::test]
async fn a_bundle_verifies_svids_of_its_own_trust_domain_only() {
    let (svid_key, other_key) = (signer("svid"), signer("sig"));
    let bundle = json!({"keys": [
        svid_key.public_jwk(KeyPurpose::JwtSvid),
        other_key.public_jwk(KeyPurpose::Signature),
    ], "spiffe_sequence": 3});
    let keyring = Keyring::open(trust_domain(BundleSource::Inline(bundle.to_string()))).unwrap();
    assert!(accepts_svid(&keyring, "spiffe://example.org/a", &svid_key));
    assert!(!accepts_svid(
        &keyring,
        "spiffe://example.org/a",
        &other_key
    ));
    assert!(!accepts_svid(&keyring, "spiffe://other.org/a", &svid_key));
    assert!(!accepts(&keyring, "example.org", &svid_key));
    assert_eq!(status(&keyring).sequence, Some(3));
}

#[tokio::test]
async fn a_file_is_read_again_when_it_changes_and_kept_while_it_is_broken() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    let (old, new) = (signer("old"), signer("new"));
    std::fs::write(&path, jwks(&[&old])).unwrap();
    let keyring = Keyring::open(one_issuer(NAME, IssuerSource::File(path.clone()))).unwrap();
    assert!(accepts(&keyring, NAME, &old));
    let _tasks = keyring.start();
    eventually("an attempt", || status(&keyring).attempted).await;

    std::fs::write(&path, "{\"keys\": [").unwrap();
    eventually("a named error", || {
        last_error(&keyring).contains("keys.json")
    })
    .await;
    assert!(accepts(&keyring, NAME, &old));

    // As Kubernetes does it: another file takes the name.
    let aside = directory.path().join("aside");
    std::fs::write(&aside, jwks(&[&new])).unwrap();
    std::fs::rename(&aside, &path).unwrap();
    eventually("the new key", || accepts(&keyring, NAME, &new)).await;
    assert!(!accepts(&keyring, NAME, &old));

    std::fs::remove_file(&path).unwrap();
    eventually("a named error", || {
        last_error(&keyring).contains("keys.json")
    })
    .await;
    assert!(accepts(&keyring, NAME, &new));
}

#[tokio::test]
async fn the_sequence_of_a_bundle_never_goes_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bundle.json");
    let (new, old) = (signer("new"), signer("old"));
    let bundle = |key, sequence| {
        document(
            &[key],
            KeyPurpose::JwtSvid,
            json!({"spiffe_sequence": sequence}),
        )
    };
    std::fs::write(&path, bundle(&new, 5)).unwrap();
    let keyring = Keyring::open(trust_domain(BundleSource::File(path.clone()))).unwrap();
    std::fs::write(&path, bundle(&old, 4)).unwrap();
    keyring.fetch_all().await;
    assert!(
        last_error(&keyring).contains("went back from 5 to 4"),
        "{}",
        last_error(&keyring)
    );
    let id = "spiffe://example.org/a";
    assert!(accepts_svid(&keyring, id, &new) && !accepts_svid(&keyring, id, &old));
    std::fs::write(&path, bundle(&old, 6)).unwrap();
    keyring.fetch_all().await;
    assert!(!accepts_svid(&keyring, id, &new) && accepts_svid(&keyring, id, &old));
}

#[test]
fn a_weak_key_is_left_out_and_named() {
    let good = signer("good");
    let weak = json!({"kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB"});
    let set = json!({"keys": [weak, good.public_jwk(KeyPurpose::Signature)]});
    let keyring = Keyring::open(one_issuer(NAME, IssuerSource::Inline(set.to_string()))).unwrap();
    assert!(accepts(&keyring, NAME, &good));
    let ignored = status(&keyring).ignored;
    assert_eq!((ignored.len(), ignored[0].index), (1, 0));
    assert!(ignored[0].reason.contains("bits"), "{}", ignored[0].reason);
}

fn refusal(settings: KeySettings) -> String {
    Keyring::open(settings)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

#[test]
fn settings_that_cannot_hold_are_refused_by_name() {
    let missing = Path::new("/nonexistent/keys.json");
    let url = || SourceUrl::parse("https://i.test/keys", Plaintext::Refused).unwrap();
    let error = refusal(one_issuer(NAME, IssuerSource::File(missing.to_owned())));
    assert!(
        error.contains(NAME) && error.contains("keys.json"),
        "{error}"
    );
    let error = refusal(one_issuer(NAME, IssuerSource::Inline("{}".to_owned())));
    assert!(error.contains(NAME) && error.contains("`keys`"), "{error}");
    let discovery = || IssuerSource::Discovery {
        jwks_hosts: Vec::new(),
        fetch: FetchSettings::default(),
    };
    let error = refusal(one_issuer("http://i.test", discovery()));
    assert!(error.contains("https://"), "{error}");

    let mut twice = one_issuer(NAME, discovery());
    twice.issuers.extend(one_issuer(NAME, discovery()).issuers);
    assert!(refusal(twice).contains("twice"));

    let authority = Authority::new();
    let empty = authority.pem_file().with_file_name("empty.pem");
    std::fs::write(&empty, "no certificate here").unwrap();
    for file in [missing, &empty] {
        let source = IssuerSource::JwksUrl {
            url: url(),
            fetch: quick(file),
        };
        let error = refusal(one_issuer(NAME, source));
        assert!(error.contains("ca_file") && error.contains(NAME), "{error}");
    }
    let endpoint = BundleSource::HttpsSpiffe {
        url: url(),
        endpoint_id: "spiffe://example.org/server".parse().unwrap(),
        initial_bundle: missing.to_owned(),
        fetch: FetchSettings::default(),
    };
    let error = refusal(trust_domain(endpoint));
    assert!(
        error.contains("example.org") && error.contains("keys.json"),
        "{error}"
    );
}

#[tokio::test]
async fn plain_http_works_to_this_machine_where_development_allows_it() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let key = signer("k");
    let body = text(jwks(&[&key]));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        assert!(request[..length].starts_with(b"GET /keys HTTP/1.1\r\n"));
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .unwrap();
    });
    let mut fetch = FetchSettings::default();
    fetch.addresses.allow_loopback = true;
    let url = SourceUrl::parse(&url, Plaintext::Loopback).unwrap();
    let keyring = Keyring::open(one_issuer(NAME, IssuerSource::JwksUrl { url, fetch })).unwrap();
    keyring.fetch_all().await;
    server.await.unwrap();
    assert!(accepts(&keyring, NAME, &key));
}

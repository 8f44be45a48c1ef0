//! Keys follow their source: discovery, rotation, unknown key ids, one source beside another.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;

use super::authority::Authority;
use super::server::{Reply, TestServer};
use super::{
    accepts, eventually, issuer, jwks, last_error, once, one_issuer, owner, quick, signer, status,
};
use crate::fetch::{Plaintext, SourceUrl};
use crate::keys::{IssuerSource, KeySettings, Keyring, Outcome, Refetch};

const CONFIGURATION: &str = "/.well-known/openid-configuration";

fn configuration(issuer: &str, jwks_uri: &str) -> Reply {
    Reply::json(json!({"issuer": issuer, "jwks_uri": jwks_uri}).to_string())
}

#[tokio::test]
async fn discovery_leads_to_keys_and_rotation_is_followed() {
    let authority = Authority::new();
    let server = TestServer::start(authority.web_server()).await;
    let name = server.origin();
    server.say(CONFIGURATION, configuration(&name, &format!("{name}/keys")));
    let (old, new) = (signer("old"), signer("new"));
    server.say("/keys", Reply::json(jwks(&[&old])));
    let fetch = quick(&authority.pem_file());
    let source = IssuerSource::Discovery {
        jwks_hosts: Vec::new(),
        fetch,
    };
    let keyring = Keyring::open(one_issuer(&name, source)).unwrap();
    assert!(!accepts(&keyring, &name, &old));
    assert!(!keyring.is_ready());
    let mut revisions = keyring.subscribe();
    let _tasks = keyring.start();
    eventually("the first keys", || accepts(&keyring, &name, &old)).await;
    assert!(keyring.is_ready());
    assert_eq!(*revisions.borrow_and_update(), 1);

    server.say("/keys", Reply::json(jwks(&[&old, &new])));
    eventually("the new key", || accepts(&keyring, &name, &new)).await;
    assert!(accepts(&keyring, &name, &old));
    server.say("/keys", Reply::json(jwks(&[&new])));
    eventually("the old key's end", || !accepts(&keyring, &name, &old)).await;
    assert!(accepts(&keyring, &name, &new));

    server.say("/keys", Reply::json(jwks(&[])));
    eventually("an empty set", || !accepts(&keyring, &name, &new)).await;
    assert_eq!((status(&keyring).keys, status(&keyring).ready), (0, true));
    assert_eq!(*revisions.borrow_and_update(), 4);
    assert!(keyring.counters().attempts(Outcome::Success) >= 4);
}

#[tokio::test]
async fn a_discovery_document_that_leads_elsewhere_gives_no_keys() {
    let authority = Authority::new();
    let server = TestServer::start(authority.web_server()).await;
    let other = TestServer::start(authority.web_server()).await;
    let name = server.origin();
    let key = signer("k");
    server.say("/keys", Reply::json(jwks(&[&key])));
    other.say("/keys", Reply::json(jwks(&[&key])));
    for (reply, reason) in [
        (
            configuration("https://evil.test", &format!("{name}/keys")),
            "names issuer",
        ),
        (
            configuration(&format!("{name}/"), &format!("{name}/keys")),
            "names issuer",
        ),
        (
            configuration(&name, &format!("{}/keys", other.origin())),
            "jwks_hosts",
        ),
        (
            Reply::redirect(302, &format!("{}{CONFIGURATION}", other.origin())),
            "another host",
        ),
        (Reply::json("[]"), "not an object"),
    ] {
        server.say(CONFIGURATION, reply);
        let fetch = quick(&authority.pem_file());
        let source = IssuerSource::Discovery {
            jwks_hosts: Vec::new(),
            fetch,
        };
        let keyring = Keyring::open(one_issuer(&name, source)).unwrap();
        keyring.fetch_all().await;
        assert!(
            last_error(&keyring).contains(reason),
            "{}",
            last_error(&keyring)
        );
        assert!(!accepts(&keyring, &name, &key));
    }
    assert_eq!((server.hits("/keys"), other.hits("/keys")), (0, 0));

    let listed = format!("127.0.0.1:{}", other.port());
    server.say(
        CONFIGURATION,
        configuration(&name, &format!("{}/keys", other.origin())),
    );
    let fetch = quick(&authority.pem_file());
    let source = IssuerSource::Discovery {
        jwks_hosts: vec![listed],
        fetch,
    };
    let keyring = Keyring::open(one_issuer(&name, source)).unwrap();
    keyring.fetch_all().await;
    assert!(accepts(&keyring, &name, &key));
}

#[tokio::test]
async fn a_malformed_document_changes_nothing() {
    let authority = Authority::new();
    let server = TestServer::start(authority.web_server()).await;
    let key = signer("k");
    let good = jwks(&[&key]);
    server.say("/keys", Reply::json(good.clone()));
    let source = IssuerSource::JwksUrl {
        url: server.url("/keys"),
        fetch: quick(&authority.pem_file()),
    };
    let keyring = Keyring::open(one_issuer("https://i.test", source)).unwrap();
    let _tasks = keyring.start();
    eventually("keys", || accepts(&keyring, "https://i.test", &key)).await;
    let twice = [b"{\"keys\":[],".as_slice(), good.get(1..).unwrap()].concat();
    let secret = br#"{"keys":[{"kty":"oct","k":"AAAA","kid":"k"}]}"#.to_vec();
    let many = json!({"keys": vec![json!({}); 129]})
        .to_string()
        .into_bytes();
    for bad in [
        twice,
        secret,
        many,
        b"{}".to_vec(),
        b"null".to_vec(),
        good[..50].to_vec(),
        Vec::new(),
    ] {
        let before = keyring.counters().attempts(Outcome::Invalid);
        server.say("/keys", Reply::json(bad.clone()));
        eventually("a refusal", || {
            keyring.counters().attempts(Outcome::Invalid) > before
        })
        .await;
        assert!(
            accepts(&keyring, "https://i.test", &key),
            "{}",
            String::from_utf8_lossy(&bad)
        );
        assert!(
            last_error(&keyring).contains("not a JWK Set"),
            "{}",
            last_error(&keyring)
        );
    }
    assert_eq!(keyring.snapshot().revision, 1);
    server.say("/keys", Reply::json(good));
    eventually("recovery", || status(&keyring).last_error.is_none()).await;
}

#[tokio::test]
async fn a_dead_issuer_never_delays_another() {
    let authority = Authority::new();
    let server = TestServer::start(authority.web_server()).await;
    let key = signer("k");
    server.say("/keys", Reply::json(jwks(&[&key])));
    // Accepts connections (the kernel does) and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!(
        "https://127.0.0.1:{}/keys",
        silent.local_addr().unwrap().port()
    );
    let mut patient = quick(&authority.pem_file());
    patient.timeout = Duration::from_mins(10);
    let dead = SourceUrl::parse(&dead, Plaintext::Refused).unwrap();
    let settings = KeySettings {
        issuers: vec![
            issuer(
                "https://dead.test",
                IssuerSource::JwksUrl {
                    url: dead,
                    fetch: patient,
                },
            ),
            issuer(
                "https://live.test",
                IssuerSource::JwksUrl {
                    url: server.url("/keys"),
                    fetch: quick(&authority.pem_file()),
                },
            ),
        ],
        ..KeySettings::default()
    };
    let keyring = Keyring::open(settings).unwrap();
    let _tasks = keyring.start();
    eventually("the live issuer's keys", || {
        accepts(&keyring, "https://live.test", &key)
    })
    .await;
    assert!(!accepts(&keyring, "https://dead.test", &key));
    let statuses = keyring.statuses();
    assert_eq!((statuses[0].attempted, statuses[1].ready), (false, true));
}

#[tokio::test]
async fn a_hundred_tokens_with_an_unknown_key_cause_one_fetch_and_then_none_for_a_while() {
    let authority = Authority::new();
    let server = TestServer::start(authority.web_server()).await;
    let (old, new) = (signer("old"), signer("new"));
    server.say("/keys", Reply::json(jwks(&[&old])));
    let source = IssuerSource::JwksUrl {
        url: server.url("/keys"),
        fetch: once(&authority.pem_file()),
    };
    let keyring = Arc::new(Keyring::open(one_issuer("https://i.test", source)).unwrap());
    let who = owner("https://i.test");
    assert_eq!(keyring.unknown_key(&who, "new"), Refetch::NotFetched);
    let _tasks = keyring.start();
    eventually("keys", || accepts(&keyring, "https://i.test", &old)).await;
    assert_eq!(server.hits("/keys"), 1);

    server.say(
        "/keys",
        Reply::json(jwks(&[&old, &new])).after(Duration::from_millis(300)),
    );
    assert_eq!(keyring.unknown_key(&who, "new"), Refetch::Asked);
    for _ in 0..99 {
        assert_eq!(keyring.unknown_key(&who, "new"), Refetch::Joined);
    }
    eventually("the new key", || accepts(&keyring, "https://i.test", &new)).await;
    assert_eq!(server.hits("/keys"), 2);

    assert_eq!(keyring.unknown_key(&who, "new"), Refetch::Known);
    eventually("the end of the fetch", || {
        keyring.unknown_key(&who, "invented") == Refetch::RateLimited
    })
    .await;
    for _ in 0..99 {
        assert_eq!(keyring.unknown_key(&who, "invented"), Refetch::RateLimited);
    }
    assert_eq!(server.hits("/keys"), 2);
    let stranger = owner("https://stranger.test");
    assert_eq!(keyring.unknown_key(&stranger, "x"), Refetch::UnknownOwner);
    assert_eq!(keyring.counters().wishes(Refetch::Asked), 1);
    assert_eq!(keyring.counters().wishes(Refetch::RateLimited), 100);
    assert_eq!(keyring.counters().wishes(Refetch::UnknownOwner), 1);
}

#[tokio::test]
async fn a_fetch_for_an_unknown_key_that_fails_is_over_as_well() {
    let authority = Authority::new();
    let server = TestServer::start(authority.web_server()).await;
    let source = IssuerSource::JwksUrl {
        url: server.url("/keys"),
        fetch: once(&authority.pem_file()),
    };
    let keyring = Keyring::open(one_issuer("https://i.test", source)).unwrap();
    let _tasks = keyring.start();
    eventually("an attempt", || status(&keyring).attempted).await;
    let who = owner("https://i.test");
    for outcome in [Refetch::Asked, Refetch::RateLimited] {
        eventually("the outcome", || keyring.unknown_key(&who, "k") == outcome).await;
    }
    eventually("its failure", || {
        keyring.counters().attempts(Outcome::Refused) >= 2
    })
    .await;
    assert!(last_error(&keyring).contains("404"));
}

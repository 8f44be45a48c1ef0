//! Last known good keys: they outlive a restart, but never the maximum age.

use std::path::Path;
use std::time::Duration;

use super::authority::Authority;
use super::server::{Reply, TestServer};
use super::{accepts, eventually, jwks, once, one_issuer, quick, signer, status};
use crate::crypto::Signer;
use crate::keys::{CacheSettings, IssuerSource, KeySettings, Keyring};

const NAME: &str = "https://i.test";

struct Setup {
    authority: Authority,
    server: TestServer,
    key: Signer,
    directory: tempfile::TempDir,
}

impl Setup {
    async fn new() -> Self {
        let authority = Authority::new();
        let server = TestServer::start(authority.web_server()).await;
        let key = signer("k");
        server.say("/keys", Reply::json(jwks(&[&key])));
        let directory = tempfile::tempdir().unwrap();
        Self {
            authority,
            server,
            key,
            directory,
        }
    }

    fn settings(&self, max_age: Duration) -> KeySettings {
        let source = IssuerSource::JwksUrl {
            url: self.server.url("/keys"),
            fetch: once(&self.authority.pem_file()),
        };
        KeySettings {
            cache: CacheSettings {
                directory: Some(self.directory.path().to_owned()),
                max_age,
            },
            ..one_issuer(NAME, source)
        }
    }

    async fn fetched_once(&self) {
        let keyring = Keyring::open(self.settings(Duration::from_hours(1))).unwrap();
        keyring.fetch_all().await;
        assert!(accepts(&keyring, NAME, &self.key));
    }
}

fn cache_file(directory: &Path) -> std::path::PathBuf {
    let mut files = std::fs::read_dir(directory).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(
        files.next().is_none(),
        "one file for one source, and nothing left over"
    );
    file
}

#[tokio::test]
async fn keys_survive_a_restart_with_the_server_gone() {
    let setup = Setup::new().await;
    setup.fetched_once().await;
    setup.server.say("/keys", Reply::status(503, "", ""));
    let keyring = Keyring::open(setup.settings(Duration::from_hours(1))).unwrap();
    assert!(accepts(&keyring, NAME, &setup.key));
    keyring.fetch_all().await;
    assert!(accepts(&keyring, NAME, &setup.key));
    assert!(
        status(&keyring)
            .last_error
            .is_some_and(|error| error.contains("503"))
    );
    assert!(keyring.is_ready());
}

#[tokio::test]
async fn saved_keys_beyond_the_maximum_age_verify_nothing() {
    let setup = Setup::new().await;
    setup.fetched_once().await;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let keyring = Keyring::open(setup.settings(Duration::from_secs(1))).unwrap();
    assert!(!accepts(&keyring, NAME, &setup.key));
    assert!(!keyring.is_ready());
}

#[tokio::test]
async fn keys_that_nobody_confirms_are_dropped_in_time() {
    let setup = Setup::new().await;
    let keyring = Keyring::open(setup.settings(Duration::from_secs(3))).unwrap();
    let _tasks = keyring.start();
    eventually("keys", || accepts(&keyring, NAME, &setup.key)).await;
    setup.server.say("/keys", Reply::status(503, "", ""));
    eventually("their end", || !accepts(&keyring, NAME, &setup.key)).await;
    assert_eq!(keyring.counters().expirations(), 1);
    assert!(!status(&keyring).ready);
}

#[tokio::test]
async fn keys_are_dropped_in_time_also_while_a_fetch_hangs() {
    let setup = Setup::new().await;
    let mut settings = setup.settings(Duration::from_secs(3));
    let mut fetch = quick(&setup.authority.pem_file());
    fetch.timeout = Duration::from_mins(10);
    let url = setup.server.url("/keys");
    settings.issuers = one_issuer(NAME, IssuerSource::JwksUrl { url, fetch }).issuers;
    let keyring = Keyring::open(settings).unwrap();
    let _tasks = keyring.start();
    eventually("keys", || accepts(&keyring, NAME, &setup.key)).await;
    let hanging = Reply::json(jwks(&[&setup.key])).after(Duration::from_mins(5));
    setup.server.say("/keys", hanging);
    eventually("their end", || !accepts(&keyring, NAME, &setup.key)).await;
}

#[tokio::test]
async fn keys_that_are_confirmed_stay_beyond_the_maximum_age() {
    let setup = Setup::new().await;
    let mut settings = setup.settings(Duration::from_secs(5));
    let source = IssuerSource::JwksUrl {
        url: setup.server.url("/keys"),
        fetch: quick(&setup.authority.pem_file()),
    };
    settings.issuers = one_issuer(NAME, source).issuers;
    let keyring = Keyring::open(settings).unwrap();
    let _tasks = keyring.start();
    eventually("keys", || accepts(&keyring, NAME, &setup.key)).await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert!(accepts(&keyring, NAME, &setup.key));
    assert_eq!(keyring.counters().expirations(), 0);
}

#[tokio::test]
async fn a_damaged_cache_file_is_no_reason_to_fail() {
    let setup = Setup::new().await;
    setup.fetched_once().await;
    let file = cache_file(setup.directory.path());
    let good = std::fs::read_to_string(&file).unwrap();
    for bad in [
        "",
        "{}",
        "\u{0}",
        &good.replace("confirmed_at\":", "confirmed_at\":9"),
        good.get(..99).unwrap(),
    ] {
        std::fs::write(&file, bad).unwrap();
        let keyring = Keyring::open(setup.settings(Duration::from_hours(1))).unwrap();
        assert!(!accepts(&keyring, NAME, &setup.key), "{bad}");
        keyring.fetch_all().await;
        assert!(accepts(&keyring, NAME, &setup.key), "{bad}");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o077, 0, "readable for the owner only");
}

#[tokio::test]
async fn saved_keys_of_another_source_are_not_used() {
    let setup = Setup::new().await;
    setup.fetched_once().await;
    let mut settings = setup.settings(Duration::from_hours(1));
    let source = IssuerSource::JwksUrl {
        url: setup.server.url("/moved"),
        fetch: once(&setup.authority.pem_file()),
    };
    settings.issuers = one_issuer(NAME, source).issuers;
    let keyring = Keyring::open(settings).unwrap();
    assert!(!accepts(&keyring, NAME, &setup.key));
}

//! The room as its users meet it: a directory on a real disk, clocks that the test tells, and verifiers
//! that know nothing but what is published.

mod clocks;
mod disk;
mod failing_disk;
mod histories;
mod opened;
mod published;
mod rotation;
mod sealing_key;
mod settings;
mod signing;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use edgeward_core::jose::{CompactJws, KeySet, SignatureCheck as _};
use edgeward_core::time::UnixSeconds;
use serde_json::json;
use tempfile::TempDir;

use super::{
    JwtType, KeyTimes, Moment, SignError, SigningKeySettings, SigningKeys, SigningKeysError,
};
use crate::crypto::AwsLc;

/// 2027-01-15, when these tests begin.
const START: u64 = 1_800_000_000;
const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;
/// The longest life of a token here.
const LONGEST_TOKEN: u64 = HOUR;
/// The default time from published to signing.
const PROPAGATION: u64 = 10 * 60;
/// How long a key stays after it signed last: the token, the leeway, what was under way.
const PUBLISHED_AFTER: u64 = LONGEST_TOKEN + 5 * 60 + 30;

/// `seconds` after the start, by both clocks.
fn after(seconds: u64) -> Moment {
    at(START + seconds, seconds)
}

fn at(wall: u64, running: u64) -> Moment {
    Moment {
        wall: UnixSeconds(wall),
        running: Duration::from_secs(running),
    }
}

/// A directory for keys, and a sealing key beside it.
struct Stage {
    root: TempDir,
}

impl Stage {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let stage = Self { root };
        stage.write_sealing_key("sealing-key", &[0xa5, 1, 2, 3].repeat(8));
        stage
    }

    /// Writes a file for its owner only, beside the directory.
    fn write_sealing_key(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.root.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn directory(&self) -> PathBuf {
        self.root.path().join("keys")
    }

    fn file(&self) -> PathBuf {
        self.directory().join("signing-keys")
    }

    fn settings(&self) -> SigningKeySettings {
        let times = KeyTimes::for_tokens_of(Duration::from_secs(LONGEST_TOKEN));
        SigningKeySettings {
            directory: self.directory(),
            sealing_key_file: self.root.path().join("sealing-key"),
            previous_sealing_key_file: None,
            trust_domain: "example.org".parse().unwrap(),
            life: times.try_into().unwrap(),
        }
    }

    fn open(&self, now: Moment) -> SigningKeys {
        self.try_open(now).unwrap()
    }

    fn try_open(&self, now: Moment) -> Result<SigningKeys, SigningKeysError> {
        SigningKeys::open(self.settings(), now)
    }
}

/// Signs a JWT-SVID of one hour.
fn sign(keys: &SigningKeys, now: Moment) -> Result<String, SignError> {
    let claims = json!({
        "sub": "spiffe://example.org/ns/shop/sa/cart",
        "aud": ["orders"],
        "iat": now.wall.0,
        "exp": now.wall.0 + LONGEST_TOKEN,
    });
    let claims = claims.to_string();
    keys.current()
        .sign(JwtType::Jwt, claims.as_bytes(), now.wall)
}

/// Whether a key of `keys` has signed `token`.
fn verifies(token: &str, keys: &KeySet) -> bool {
    let jws = CompactJws::parse(token).unwrap();
    let key = keys.select(jws.key_id.as_deref(), jws.algorithm);
    key.is_ok_and(|key| {
        AwsLc
            .check(jws.algorithm, key, jws.signed, &jws.signature)
            .is_ok()
    })
}

/// The ids of what is published.
fn published_ids(keys: &SigningKeys) -> Vec<String> {
    let published = keys.published().borrow().clone();
    let jwks: serde_json::Value = serde_json::from_slice(&published.jwks).unwrap();
    let ids = jwks["keys"].as_array().unwrap().iter();
    ids.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

fn sequence(keys: &SigningKeys) -> u64 {
    keys.published().borrow().sequence
}

fn current_id(keys: &SigningKeys) -> String {
    keys.current().key_id().to_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

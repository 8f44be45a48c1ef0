//! Bundles from end to end within this process: who signs them, and the room that they come to. Servers and restarts are `tests/tests/e2e/bundles.rs`'s.

mod compiled;
mod deltas;
mod oracle;
mod outcomes;
mod signatures;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use edgeward_core::jose::Algorithm;
use edgeward_core::time::UnixSeconds;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::held::{Offered, Packed};
use super::*;
use crate::crypto::{KeyPurpose, Signer};
use crate::policy::{PolicySettings, PolicyStore, Withheld};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const ALLOW: &str = "package authz\n\nallow := data.authz.open\n";

/// Files to be packed.
type Files = BTreeMap<String, Vec<u8>>;

fn files(revision: &str, roots: &[&str], others: &[(&str, &str)]) -> Files {
    let manifest = json!({ "revision": revision, "roots": roots }).to_string();
    let mut files = Files::from([(".manifest".to_owned(), manifest.into_bytes())]);
    for (path, text) in others {
        files.insert((*path).to_owned(), text.as_bytes().to_vec());
    }
    files
}

fn authz(revision: &str) -> Files {
    let data = json!({ "open": true, "of": revision }).to_string();
    let others = [("authz/policy.rego", ALLOW), ("authz/data.json", &data)];
    files(revision, &["authz"], &others)
}

fn pack(files: &Files) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, format!("./{path}"), &**content)
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// Whoever signs bundles.
struct Release {
    signer: Signer,
    folder: TempDir,
}

impl Release {
    fn new() -> Self {
        let signer = Signer::generate(Algorithm::Es256)
            .unwrap()
            .with_key_id("release-1");
        let release = Self {
            signer,
            folder: tempfile::tempdir().unwrap(),
        };
        release.publish(&[&release.signer]);
        release
    }

    fn jwks(&self) -> PathBuf {
        self.folder.path().join("keys.jwks")
    }

    /// Writes the key set that checkers read.
    fn publish(&self, signers: &[&Signer]) {
        let keys: Vec<_> = signers
            .iter()
            .map(|s| s.public_jwk(KeyPurpose::Signature))
            .collect();
        std::fs::write(self.jwks(), json!({ "keys": keys }).to_string()).unwrap();
    }

    fn trust(&self) -> Trust {
        Trust {
            keys: BundleKeys::Jwks(self.jwks()),
            key_id: None,
            scope: None,
        }
    }

    /// `files` with a signature over them as they are, after `change` to its payload.
    fn sign_with(&self, files: &Files, change: impl FnOnce(&mut Value)) -> Files {
        let listed = files.iter().map(|(name, content)| {
            let hash = Sha256::digest(crate::bundle::hashed::hashed(name, content).unwrap());
            let hash = edgeward_core::revocation::hex(&hash);
            json!({ "name": name, "hash": hash, "algorithm": "SHA-256" })
        });
        let mut payload = json!({ "files": listed.collect::<Vec<_>>() });
        change(&mut payload);
        let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, self.signer.key_id());
        let jws = self
            .signer
            .sign_with_header(header.as_bytes(), payload.to_string().as_bytes())
            .unwrap();
        let mut files = files.clone();
        let document = json!({ "signatures": [jws] }).to_string();
        files.insert(".signatures.json".to_owned(), document.into_bytes());
        files
    }

    fn sign(&self, files: &Files) -> Files {
        self.sign_with(files, |_| {})
    }
}

fn settings(trust: Option<Trust>) -> BundleSettings {
    BundleSettings {
        // Nothing here asks the source.
        source: Source::Path("/nowhere".into()),
        trust,
        rollback: Rollback::Refused,
        max_age: Duration::from_hours(1),
    }
}

struct Room {
    bundles: Bundles,
    store: Arc<PolicyStore>,
}

impl Room {
    fn open(all: &[(&str, BundleSettings)], directory: Option<&Path>) -> Self {
        let store = PolicyStore::withholding(PolicySettings {
            entry_point: "data.authz.allow".to_owned(),
            ..PolicySettings::default()
        });
        let store = Arc::new(store.unwrap());
        let bundles = all.iter().cloned();
        let settings = BundlesSettings {
            bundles: bundles
                .map(|(name, bundle)| (name.parse().unwrap(), bundle))
                .collect(),
            directory: directory.map(Path::to_owned),
        };
        let bundles = Bundles::open(settings, Arc::clone(&store), NOW).unwrap();
        Self { bundles, store }
    }

    fn offer(&self, name: &str, files: &Files) -> Outcome {
        self.offer_bytes(name, pack(files))
    }

    fn offer_bytes(&self, name: &str, bytes: Vec<u8>) -> Outcome {
        let offered = Offered::Packed(Packed {
            content: bytes,
            tag: Some("\"tag\"".to_owned()),
            may_be_delta: false,
        });
        self.bundles.offer(&name.parse().unwrap(), offered, NOW)
    }

    /// The code of the refusal, after which the same must be in force as before.
    fn refused(&self, name: &str, bytes: Vec<u8>) -> (&'static str, String) {
        let before = self.in_force();
        let Outcome::Refused(code, message) = self.offer_bytes(name, bytes) else {
            panic!("a bundle that must be refused is not");
        };
        assert_eq!(self.in_force(), before, "{message}");
        let status = self.status(name);
        assert_eq!(status.code, Some(code));
        (code, message)
    }

    fn in_force(&self) -> String {
        self.store.subscribe().borrow().set.revision().to_owned()
    }

    fn withheld(&self) -> Option<Withheld> {
        self.store.why_withheld()
    }

    fn status(&self, name: &str) -> BundleStatus {
        let statuses = self.bundles.statuses();
        statuses
            .into_iter()
            .find(|status| status.name == name)
            .unwrap()
    }
}

//! Tests of the whole room with real parts: TLS servers, files, a Workload API on a Unix socket.

mod agent;
mod authority;
mod endpoint;
mod fetching;
mod freshness;
mod local;
mod parsing;
mod server;
mod survival;

use std::time::Duration;

use edgeward_core::jose::Algorithm;
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{Audiences, TokenRules, verify};
use serde_json::{Value, json};

use super::{IssuerSettings, IssuerSource, KeyOwner, KeySettings, Keyring, SourceStatus};
use crate::crypto::{AwsLc, KeyPurpose, Signer};
use crate::fetch::{AddressRule, FetchSettings, RefreshSettings};

/// A moment at which tokens are judged.
const NOW: u64 = 1_800_000_000;

fn audiences() -> Audiences {
    Audiences::try_from(vec!["edgeward".to_owned()]).unwrap()
}

fn signer(key_id: &str) -> Signer {
    Signer::generate(Algorithm::Es256)
        .unwrap()
        .with_key_id(key_id)
}

fn jwks(signers: &[&Signer]) -> Vec<u8> {
    document(signers, KeyPurpose::Signature, json!({}))
}

/// A JWK Set or, with members such as `spiffe_sequence`, a bundle.
fn document(signers: &[&Signer], purpose: KeyPurpose, mut members: Value) -> Vec<u8> {
    let keys: Vec<_> = signers
        .iter()
        .map(|signer| signer.public_jwk(purpose))
        .collect();
    members["keys"] = json!(keys);
    members.to_string().into_bytes()
}

/// Fetches quickly and often, from this machine, trusting `ca_file`.
fn quick(ca_file: &std::path::Path) -> FetchSettings {
    FetchSettings {
        ca_file: Some(ca_file.to_owned()),
        timeout: Duration::from_secs(10),
        refresh: RefreshSettings {
            interval: Duration::from_millis(100),
            shortest: Duration::from_millis(50),
            longest: Duration::from_millis(200),
            longest_backoff: Duration::from_millis(200),
            unknown_key_interval: Duration::from_hours(1),
        },
        addresses: AddressRule {
            allow_loopback: true,
            allow_link_local: false,
        },
        ..FetchSettings::default()
    }
}

/// Fetches once and then only when asked.
fn once(ca_file: &std::path::Path) -> FetchSettings {
    let mut settings = quick(ca_file);
    settings.refresh = RefreshSettings {
        interval: Duration::from_hours(1),
        shortest: Duration::from_hours(1),
        longest_backoff: Duration::from_hours(1),
        ..settings.refresh
    };
    settings.refresh.longest = Duration::from_hours(1);
    settings
}

fn issuer(name: &str, source: IssuerSource) -> IssuerSettings {
    IssuerSettings {
        issuer: name.parse().unwrap(),
        rules: TokenRules::for_issuer(audiences()),
        source,
    }
}

fn one_issuer(name: &str, source: IssuerSource) -> KeySettings {
    KeySettings {
        issuers: vec![issuer(name, source)],
        ..KeySettings::default()
    }
}

fn owner(name: &str) -> KeyOwner {
    KeyOwner::Issuer(name.parse().unwrap())
}

/// Whether a token of `issuer` signed by `signer` verifies now: the real verification.
fn accepts(keyring: &Keyring, issuer: &str, signer: &Signer) -> bool {
    let claims = json!({"iss": issuer, "sub": "s", "aud": "edgeward", "exp": NOW + 60});
    verifies(keyring, signer, &claims)
}

fn accepts_svid(keyring: &Keyring, id: &str, signer: &Signer) -> bool {
    verifies(
        keyring,
        signer,
        &json!({"sub": id, "aud": "edgeward", "exp": NOW + 60}),
    )
}

fn verifies(keyring: &Keyring, signer: &Signer, claims: &Value) -> bool {
    let token = signer
        .sign(Some("JWT"), claims.to_string().as_bytes())
        .unwrap();
    verify(&token, &keyring.snapshot().trust, UnixSeconds(NOW), &AwsLc).is_ok()
}

fn status(keyring: &Keyring) -> SourceStatus {
    keyring.statuses().into_iter().next().unwrap()
}

fn last_error(keyring: &Keyring) -> String {
    status(keyring).last_error.unwrap_or_default()
}

/// Waits until `holds`; fails after long enough for a machine under load.
async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never happened: {what}");
}

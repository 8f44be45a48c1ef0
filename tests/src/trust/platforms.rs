//! The platforms of the demo: each an issuer with keys of its own, published over https, and the evidence
//! that it gives to workloads.

use std::sync::{Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::issuer::Issuer;
use crate::keys::now;
use crate::mint::SigningKey;
use crate::sts::Sts;

/// What this PDP is called in evidence.
pub const AUDIENCE: &str = "https://edgeward.demo";
const GITHUB: &str = "https://token.actions.githubusercontent.com";
const CLUSTER: &str = "https://kubernetes.demo";
/// Another trust domain, from which workloads call.
pub const PARTNER: &str = "partner.demo";

/// One platform.
pub struct Platform {
    key: Mutex<SigningKey>,
    keys: Issuer,
}

impl Platform {
    fn start(key_use: &str) -> Self {
        let key = SigningKey::es256("platform-1");
        let mut document = json!({ "keys": [key.jwk(key_use)] });
        if key_use == "jwt-svid" {
            document["spiffe_sequence"] = json!(1);
        }
        Self {
            keys: Issuer::start(document),
            key: Mutex::new(key),
        }
    }

    /// The server of its keys.
    pub fn keys(&self) -> &Issuer {
        &self.keys
    }

    /// Signs from now on with another key, published beside the old one (or not at all).
    pub fn rotate(&self, published: bool) {
        let mut key = self.key();
        let next = SigningKey::es256(&format!("platform-{}", uuid()));
        if published {
            let keys = [key.jwk("sig"), next.jwk("sig")];
            self.keys.publish(json!({ "keys": keys }));
        }
        *key = next;
    }

    /// Of a trust domain: signs with another key from now on, published with this sequence.
    pub fn roll_over(&self, sequence: u64) {
        let mut key = self.key();
        let next = SigningKey::es256(&format!("svid-{sequence}"));
        let keys = [key.jwk("jwt-svid"), next.jwk("jwt-svid")];
        self.keys
            .publish(json!({ "spiffe_sequence": sequence, "keys": keys }));
        *key = next;
    }

    fn sign(&self, claims: &Value) -> String {
        self.key().token(claims)
    }

    fn key(&self) -> MutexGuard<'_, SigningKey> {
        self.key.lock().expect("not poisoned")
    }
}

/// All platforms.
pub struct Platforms {
    /// GitHub Actions, as its tokens are; the keys are the demo's own.
    pub github: Platform,
    /// A Kubernetes cluster.
    pub cluster: Platform,
    /// A SPIFFE trust domain.
    pub partner: Platform,
    /// AWS, where moto is at hand.
    pub sts: Option<Sts>,
}

impl Platforms {
    /// Starts the servers of their keys.
    pub fn start() -> Self {
        Self {
            github: Platform::start("sig"),
            cluster: Platform::start("sig"),
            partner: Platform::start("jwt-svid"),
            sts: Sts::start(AUDIENCE),
        }
    }

    /// Their entries under `trust_providers`.
    pub fn config(&self) -> Value {
        let keys = |platform: &Platform| json!({ "jwks_url": platform.keys.url() });
        let fetch =
            |platform: &Platform| json!({ "ca_file": platform.keys.ca_file(), "refresh": "1h" });
        let mut providers = json!([
            { "name": "ci", "github": {
                "keys": keys(&self.github), "fetch": fetch(&self.github),
                "audiences": [AUDIENCE], "single_use": true,
            } },
            { "name": "cluster", "kubernetes": {
                "issuer": CLUSTER, "keys": keys(&self.cluster), "fetch": fetch(&self.cluster),
                "audiences": [AUDIENCE],
            } },
            { "name": "partner", "spiffe": {
                "name": PARTNER, "fetch": fetch(&self.partner), "audiences": [AUDIENCE],
                "bundle": { "https_web": { "url": self.partner.keys.url() } },
            } },
        ]);
        if let (Some(sts), Some(providers)) = (&self.sts, providers.as_array_mut()) {
            providers.push(json!({ "name": "aws", "aws_sts": {
                "audience": AUDIENCE, "accounts": ["123456789012"], "regions": ["eu-central-1"],
                "endpoint": sts.url(),
            } }));
        }
        providers
    }

    /// The token of a CI job of acme's shop, with other claims where `claims` says so.
    pub fn job(&self, claims: &Value) -> String {
        self.github.sign(&with(
            json!({
                "iss": GITHUB, "aud": AUDIENCE, "iat": now(), "exp": now() + 300,
                "jti": uuid(), "sub": "repo:acme@12/shop@34:ref:refs/heads/main",
                "repository": "acme/shop", "repository_id": "34",
                "repository_owner": "acme", "repository_owner_id": "12",
                "ref": "refs/heads/main", "runner_environment": "github-hosted",
            }),
            claims,
        ))
    }

    /// The token that the cluster projects into a pod of `account`.
    pub fn pod(&self, account: &str, claims: &Value) -> String {
        self.cluster.sign(&with(
            json!({
                "iss": CLUSTER, "aud": AUDIENCE, "iat": now(), "exp": now() + 3600,
                "sub": format!("system:serviceaccount:shop:{account}"),
                "kubernetes.io": {
                    "namespace": "shop",
                    "serviceaccount": { "name": account, "uid": format!("uid-{account}") },
                    "pod": { "name": format!("{account}-1"), "uid": "p-1" },
                    "node": { "name": "node-eu-1", "uid": "n-1" },
                },
            }),
            claims,
        ))
    }

    /// The same on another node.
    pub fn pod_elsewhere(&self, account: &str) -> String {
        self.pod(
            account,
            &json!({ "kubernetes.io": {
            "namespace": "shop",
            "serviceaccount": { "name": account, "uid": format!("uid-{account}") },
            "node": { "name": "node-us-1", "uid": "n-9" },
        } }),
        )
    }

    /// A JWT-SVID of the partner's.
    pub fn svid(&self, path: &str) -> String {
        self.partner.sign(&json!({
            "sub": format!("spiffe://{PARTNER}{path}"), "aud": [AUDIENCE],
            "iat": now(), "exp": now() + 300,
        }))
    }
}

fn with(mut claims: Value, other: &Value) -> Value {
    if let (Some(claims), Some(other)) = (claims.as_object_mut(), other.as_object()) {
        claims.extend(other.clone());
    }
    claims
}

/// A name that no other token of this run has.
fn uuid() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!(
        "job-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

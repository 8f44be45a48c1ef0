//! A token service with two clusters' worth of workloads, and what they show.

use std::time::Duration;

use edgeward_core::jose::Algorithm;
use edgeward_core::revocation::Revocations;
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{Audiences, KeyOwner, TokenRules};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::attestation::evidence::EvidenceSettings;
use crate::attestation::introspection::IntrospectionSettings;
use crate::attestation::jwt::{JwtProvider, Platform};
use crate::attestation::{AttestationSettings, ProviderName};
use crate::crypto::{KeyPurpose, Signer};
use crate::keys::{IssuerSettings, IssuerSource, KeySettings};
use crate::token_service::keys::{Clock, KeyLife, KeyTimes, SigningKeySettings};
use crate::token_service::{
    Circumstances, ExchangeRefusal, Issued, TokenRequest, TokenService, TokenServiceSettings,
};
use crate::workloads::{ClientWorkload, ClientWorkloads, Grant, Selectors};

pub(super) const CLUSTER: &str = "https://cluster.test";
pub(super) const ISSUER: &str = "https://edgeward.test";
pub(super) const SERVICE: &str = "spiffe://prod.test";

/// A service, the key of the cluster whose tokens it takes, and the time.
pub(super) struct Stage {
    pub(super) service: TokenService,
    cluster: Signer,
    pub(super) now: UnixSeconds,
    pub(super) revocations: Revocations,
    pub(super) certificate: Option<[u8; 32]>,
    _folder: TempDir,
}

impl Stage {
    /// `cart` may call orders, `orders` may call payments, also for `cart`, `payments` the ledger.
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Parts)) -> Self {
        let folder = TempDir::new().unwrap();
        let cluster = Signer::generate(Algorithm::Es256).unwrap();
        let mut parts = Parts {
            workloads: vec![
                workload("cart", &["orders"], &[]),
                workload("orders", &["payments"], &["cart"]),
                workload("payments", &["ledger"], &["cart"]),
            ],
            single_use: false,
            renewable_for: Duration::ZERO,
            introspection: Vec::new(),
            evidence: Vec::new(),
        };
        change(&mut parts);
        let attestation = AttestationSettings {
            introspection: parts.introspection,
            evidence: parts.evidence,
            ..attestation(&cluster, parts.single_use)
        };
        let sealing_key_file = folder.path().join("sealing-key");
        let sealing_key: Vec<u8> = (0..32).map(|byte| 128 + byte).collect();
        std::fs::write(&sealing_key_file, sealing_key).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&sealing_key_file, mode).unwrap();
        let times = KeyTimes::for_tokens_of(Duration::from_mins(5));
        let settings = TokenServiceSettings {
            trust_domain: "prod.test".parse().unwrap(),
            name: SERVICE.to_owned(),
            issuer: Some(ISSUER.parse().unwrap()),
            lifetime: Duration::from_mins(5),
            renewable_for: parts.renewable_for,
            keys: SigningKeySettings {
                directory: folder.path().join("keys"),
                sealing_key_file,
                previous_sealing_key_file: None,
                trust_domain: "prod.test".parse().unwrap(),
                life: KeyLife::try_from(times).unwrap(),
            },
            attestation,
            workloads: ClientWorkloads::new(parts.workloads).unwrap().into(),
        };
        let now = Clock::start().now();
        Self {
            service: TokenService::open(settings, now).unwrap(),
            cluster,
            now: now.wall,
            revocations: Revocations::default(),
            certificate: None,
            _folder: folder,
        }
    }

    /// The projected token of a service account in `shop`.
    pub(super) fn evidence(&self, account: &str) -> String {
        self.evidence_of(account, &json!({}))
    }

    /// The same with other claims.
    pub(super) fn evidence_of(&self, account: &str, claims: &Value) -> String {
        let mut all = json!({
            "iss": CLUSTER, "aud": "edgeward", "iat": self.now.0, "exp": self.now.0 + 3600,
            "jti": format!("{account}-1"),
            "sub": format!("system:serviceaccount:shop:{account}"),
            "kubernetes.io": {
                "namespace": "shop",
                "serviceaccount": { "name": account, "uid": format!("uid-{account}") },
                "node": { "name": "n-1", "uid": "u" },
            },
        });
        let members = all.as_object_mut().unwrap();
        members.extend(claims.as_object().unwrap().clone());
        self.cluster.sign(None, all.to_string().as_bytes()).unwrap()
    }

    /// Asks for a token with these parameters beside what an exchange always has.
    pub(super) fn ask(
        &self,
        token: &str,
        more: &[(&str, &str)],
    ) -> Result<Issued, ExchangeRefusal> {
        self.ask_by(crate::token_service::JWT, token, more)
    }

    /// The same, with what is shown being of this type.
    pub(super) fn ask_by(
        &self,
        kind: &str,
        token: &str,
        more: &[(&str, &str)],
    ) -> Result<Issued, ExchangeRefusal> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair(
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        );
        form.append_pair("subject_token", token);
        form.append_pair("subject_token_type", kind);
        for (name, value) in more {
            form.append_pair(name, value);
        }
        let request = TokenRequest::parse(form.finish().as_bytes()).unwrap();
        let circumstances = Circumstances {
            chain: &[],
            certificate: self.certificate,
            revocations: &self.revocations,
            now: self.now,
        };
        self.service.exchange(&request, circumstances)
    }

    /// A token for `audience`, on evidence.
    pub(super) fn token(&self, account: &str, audience: &str) -> String {
        let issued = self.ask(&self.evidence(account), &[("audience", audience)]);
        issued.unwrap().token
    }

    pub(super) fn code(&self, token: &str, more: &[(&str, &str)]) -> &'static str {
        self.ask(token, more).unwrap_err().code()
    }
}

/// What a test may have otherwise.
pub(super) struct Parts {
    pub(super) workloads: Vec<ClientWorkload>,
    pub(super) single_use: bool,
    pub(super) renewable_for: Duration,
    pub(super) introspection: Vec<(ProviderName, IntrospectionSettings)>,
    pub(super) evidence: Vec<(ProviderName, EvidenceSettings)>,
}

impl Parts {
    pub(super) fn grant(&mut self, name: &str) -> &mut Grant {
        let found = self
            .workloads
            .iter_mut()
            .find(|workload| workload.name.as_str() == name);
        &mut found.unwrap().grant
    }
}

/// A workload of another provider, by one attribute.
pub(super) fn workload_by(name: &str, provider: &str, by: (&str, &str)) -> ClientWorkload {
    let selectors = [(by.0.to_owned(), vec![by.1.to_owned()])];
    ClientWorkload {
        provider: provider.parse().unwrap(),
        selectors: Selectors::new(selectors.into()).unwrap(),
        environment: None,
        ..workload(name, &["orders"], &[])
    }
}

fn workload(name: &str, audiences: &[&str], acts_for: &[&str]) -> ClientWorkload {
    let selectors = [(
        "service_account_uid".to_owned(),
        vec![format!("uid-{name}")],
    )];
    let environment = [("node".to_owned(), vec!["n-1".to_owned()])];
    ClientWorkload {
        name: name.parse().unwrap(),
        spiffe_id: format!("spiffe://prod.test/{name}").parse().unwrap(),
        provider: "cluster".parse().unwrap(),
        selectors: Selectors::new(selectors.into()).unwrap(),
        environment: Some(Selectors::new(environment.into()).unwrap()),
        grant: Grant {
            audiences: audiences.iter().map(|name| (*name).to_owned()).collect(),
            addressed_as: vec![name.to_owned()],
            acts_for: acts_for.iter().map(|name| name.parse().unwrap()).collect(),
            scopes: vec!["read".to_owned(), "write".to_owned()],
            lifetime: None,
            certificate_bound: false,
        },
    }
}

fn attestation(cluster: &Signer, single_use: bool) -> AttestationSettings {
    let keys = json!({ "keys": [cluster.public_jwk(KeyPurpose::Signature)] });
    let audiences = Audiences::try_from(vec!["edgeward".to_owned()]).unwrap();
    AttestationSettings {
        jwt: vec![JwtProvider {
            name: "cluster".parse().unwrap(),
            platform: Platform::Kubernetes,
            owner: KeyOwner::Issuer(CLUSTER.parse().unwrap()),
            claims: Vec::new(),
            single_use,
            review: None,
        }],
        evidence: Vec::new(),
        introspection: Vec::new(),
        keys: KeySettings {
            issuers: vec![IssuerSettings {
                issuer: CLUSTER.parse().unwrap(),
                rules: TokenRules::for_issuer(audiences),
                source: IssuerSource::Inline(keys.to_string()),
            }],
            ..KeySettings::default()
        },
    }
}

/// The claims of a token, unverified.
pub(super) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let bytes = edgeward_core::jose::decode_base64url(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

//! One provider with a key of its own, and the claims of its tokens.

use edgeward_core::jose::{Algorithm, KeySet, KeyUse};
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{IssuerTrust, KeyOwner, TokenRules, Trust};
use serde_json::{Value, json};

use crate::attestation::Attested;
use crate::attestation::jwt::{JwtProvider, JwtProviders, JwtRefusal, Platform};
use crate::crypto::{KeyPurpose, Signer};

pub(super) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// One provider, with a key of its own.
pub(super) struct Case {
    pub(super) signer: Signer,
    pub(super) provider: JwtProvider,
    pub(super) trust: Trust,
}

impl Case {
    pub(super) fn of(platform: Platform, issuer: &str) -> Self {
        let signer = Signer::generate(Algorithm::Es256).unwrap();
        let keys = json!({ "keys": [signer.public_jwk(KeyPurpose::Signature)] });
        let keys = KeySet::from_members(keys.as_object().unwrap(), KeyUse::Signature).unwrap();
        let audiences = vec!["edgeward".to_owned()].try_into().unwrap();
        let rules = TokenRules::for_issuer(audiences);
        let mut trust = Trust::default();
        let trusted = IssuerTrust { rules, keys };
        trust.issuers.insert(issuer.parse().unwrap(), trusted);
        let provider = JwtProvider {
            name: platform.as_str().parse().unwrap(),
            platform,
            owner: KeyOwner::Issuer(issuer.parse().unwrap()),
            claims: Vec::new(),
            single_use: false,
            review: None,
        };
        Self {
            signer,
            provider,
            trust,
        }
    }

    pub(super) fn attest(&self, claims: &Value) -> Result<Attested, JwtRefusal> {
        self.attest_text(&claims.to_string())
    }

    pub(super) fn attest_text(&self, claims: &str) -> Result<Attested, JwtRefusal> {
        let token = self.signer.sign(Some("JWT"), claims.as_bytes()).unwrap();
        let providers = JwtProviders::new([self.provider.clone()]).unwrap();
        let (_, attested, _) = providers.attest(&token, &self.trust, NOW)?;
        Ok(attested)
    }

    pub(super) fn code(&self, claims: &Value) -> &'static str {
        self.attest(claims).unwrap_err().code()
    }
}

/// `claims` with what every token has.
pub(super) fn full(issuer: &str, claims: &Value) -> Value {
    let mut all = json!({
        "iss": issuer, "aud": "edgeward", "iat": NOW.0, "nbf": NOW.0, "exp": NOW.0 + 600, "jti": "id-1",
    });
    let members = all.as_object_mut().unwrap();
    members.extend(claims.as_object().unwrap().clone());
    all
}

pub(super) fn changed(claims: &Value, pointer: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    *claims.pointer_mut(pointer).unwrap() = value;
    claims
}

pub(super) fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().unwrap().remove(name).unwrap();
    claims
}

pub(super) const GITHUB: &str = "https://token.actions.githubusercontent.com";

pub(super) fn github() -> Value {
    full(
        GITHUB,
        &json!({
            "sub": "repo:octo@12/app@34:ref:refs/heads/main",
            "repository": "octo/app", "repository_id": "34",
            "repository_owner": "octo", "repository_owner_id": "12",
            "ref": "refs/heads/main", "ref_protected": "true", "runner_environment": "github-hosted",
            "base_ref": "", "repo_property_tier": "gold", "private_thing": "never read",
        }),
    )
}

pub(super) const CLUSTER: &str = "https://cluster.test";

pub(super) fn kubernetes() -> Value {
    full(
        CLUSTER,
        &json!({
            "sub": "system:serviceaccount:shop:cart",
            "kubernetes.io": {
                "namespace": "shop",
                "serviceaccount": { "name": "cart", "uid": "u-1" },
                "pod": { "name": "cart-1", "uid": "p-1" },
                "node": { "name": "n-1", "uid": "n-uid" },
            },
        }),
    )
}

pub(super) const TENANT: &str = "https://sts.windows.net/11111111-aaaa/";

pub(super) fn azure() -> Value {
    full(
        TENANT,
        &json!({
            "sub": "oid-1", "tid": "11111111-aaaa", "oid": "oid-1", "appid": "app-1", "idtyp": "app",
            "xms_mirid": "/subscriptions/s/resourcegroups/g/providers/x",
        }),
    )
}

pub(super) const GOOGLE: &str = "https://accounts.google.com";

pub(super) fn gcp() -> Value {
    full(
        GOOGLE,
        &json!({
            "sub": "1060", "email": "cart@shop.iam.gserviceaccount.com", "email_verified": true, "azp": "1060",
            "google": { "compute_engine": {
                "project_id": "shop", "project_number": 42, "zone": "europe-west1-b", "instance_id": "99",
                "instance_name": "vm", "license_id": ["1", "2"],
            } },
        }),
    )
}

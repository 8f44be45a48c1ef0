//! Who exists in the tests' world: one trust domain with its certificate authority, a second one,
//! and one OIDC issuer; their keys, the tokens they mint, and how the PDP is told of them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::ca::Authority;
use crate::mint::SigningKey;

/// The trust domain most tests speak in.
pub const TRUST_DOMAIN: &str = "example.org";
/// The workload the tests' policy lets do almost everything.
pub const FRONTEND: &str = "spiffe://example.org/ns/shop/sa/frontend";
/// The workload it lets read reports only.
pub const BATCH: &str = "spiffe://example.org/ns/shop/sa/batch";
/// The OIDC issuer.
pub const ISSUER: &str = "https://issuer.example.org";
/// What the PDP is called in tokens.
pub const AUDIENCE: &str = "edgeward";

/// Every key of one world.
pub struct Keys {
    trust_domain: String,
    issuer_name: String,
    /// Signs JWT-SVIDs of the trust domain.
    pub svid: SigningKey,
    /// Signs tokens of the issuer (RS256).
    pub issuer: SigningKey,
    /// Signs tokens of the issuer (`EdDSA`).
    pub issuer_eddsa: SigningKey,
    /// Issues X.509-SVIDs of the trust domain.
    pub authority: Authority,
    /// The other trust domain, `other.test`.
    pub other_svid: SigningKey,
    /// Issues X.509-SVIDs of `other.test`.
    pub other_authority: Authority,
}

impl Keys {
    /// Fresh keys of [`TRUST_DOMAIN`] and [`ISSUER`].
    pub fn generate() -> Self {
        Self::of(TRUST_DOMAIN, ISSUER)
    }

    /// Fresh keys of a trust domain and an issuer.
    pub fn of(trust_domain: &str, issuer: &str) -> Self {
        Self {
            trust_domain: trust_domain.to_owned(),
            issuer_name: issuer.to_owned(),
            svid: SigningKey::es256("svid-1"),
            issuer: SigningKey::rs256("issuer-1"),
            issuer_eddsa: SigningKey::eddsa("issuer-2"),
            authority: Authority::new(trust_domain),
            other_svid: SigningKey::es256("other-1"),
            other_authority: Authority::new("other.test"),
        }
    }

    /// A good JWT-SVID for `subject`, good for five minutes.
    pub fn jwt_svid(&self, subject: &str) -> String {
        self.svid.token(&svid_claims(subject))
    }

    /// A good OIDC token for `subject`.
    pub fn oidc(&self, subject: &str) -> String {
        let mut claims = oidc_claims(subject);
        claims["iss"] = json!(self.issuer_name);
        self.issuer.token(&claims)
    }

    /// The `issuers` and `trust_domains` of the PDP's configuration.
    pub fn pdp_config(&self) -> Value {
        json!({
            "issuers": [{
                "issuer": self.issuer_name,
                "keys": { "inline": { "keys": [
                    self.issuer.jwk("sig"),
                    self.issuer_eddsa.jwk("sig"),
                ] } },
                "audiences": [AUDIENCE],
            }],
            "trust_domains": [
                trust_domain(&self.trust_domain, &self.svid),
                trust_domain("other.test", &self.other_svid),
            ],
        })
    }
}

/// The claims of a good JWT-SVID.
pub fn svid_claims(subject: &str) -> Value {
    let now = now();
    json!({ "sub": subject, "aud": [AUDIENCE], "iat": now, "exp": now + 300 })
}

/// The claims of a good OIDC token.
pub fn oidc_claims(subject: &str) -> Value {
    let mut claims = svid_claims(subject);
    claims["iss"] = json!(ISSUER);
    claims
}

/// Seconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs()
}

fn trust_domain(name: &str, key: &SigningKey) -> Value {
    let bundle = json!({
        "spiffe_sequence": 1,
        "spiffe_refresh_hint": 300,
        "keys": [key.jwk("jwt-svid")],
    });
    json!({ "name": name, "bundle": { "inline": bundle }, "audiences": [AUDIENCE] })
}

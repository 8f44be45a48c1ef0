//! The part of the file that says who may get a token of ours, and by which evidence, as it was written.
//!
//! What this is not: checked; see `super::check`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw_evidence::{
    RawAwsInstance, RawAwsSts, RawAzureDocument, RawIntrospection, RawStaticKey,
};
use super::raw_text::{AlgorithmName, DurationText};
use super::raw_trust::{RawFetch, RawIssuerKeys, RawTrustDomain};

/// A platform whose word is taken on which workload runs there: a name, and exactly one kind.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TrustProvider")]
pub struct RawTrustProvider {
    /// By which name client workloads, logs and metrics speak of it: `a` to `z`, digits, `-`, `_`.
    pub name: String,
    /// AWS instance identity documents, with pinned certificates of the regions.
    pub aws_instance: Option<RawAwsInstance>,
    /// AWS outbound federation (`sts:GetWebIdentityToken`); the `issuer` is the account's own.
    pub aws_oidc: Option<RawJwtEvidence>,
    /// Callers of AWS, by a signed `GetCallerIdentity`.
    pub aws_sts: Option<RawAwsSts>,
    /// Managed identities of one Azure `tenant`.
    pub azure: Option<RawJwtEvidence>,
    /// Azure attested documents.
    pub azure_document: Option<RawAzureDocument>,
    /// Bitbucket Pipelines; the `issuer` is the workspace's own.
    pub bitbucket: Option<RawJwtEvidence>,
    /// `CircleCI`; the `issuer` is the organization's own.
    pub circleci: Option<RawJwtEvidence>,
    /// Identity tokens of Google Cloud's service accounts.
    pub gcp: Option<RawJwtEvidence>,
    /// GitHub Actions.
    pub github: Option<RawJwtEvidence>,
    /// GitLab CI. Default `issuer`: `https://gitlab.com`.
    pub gitlab: Option<RawJwtEvidence>,
    /// Opaque tokens, about which their authorization server is asked.
    pub introspection: Option<RawIntrospection>,
    /// Projected service account tokens; the `issuer` is the cluster's own.
    pub kubernetes: Option<RawJwtEvidence>,
    /// Any OpenID Connect issuer; `claims` says which of its claims count.
    pub oidc: Option<RawJwtEvidence>,
    /// JWT-SVIDs of a SPIFFE trust domain.
    pub spiffe: Option<RawTrustDomain>,
    /// For development only: keys that workloads have stored.
    #[schemars(length(min = 1))]
    pub static_keys: Option<Vec<RawStaticKey>>,
    /// HCP Terraform; Terraform Enterprise by its `issuer`.
    pub terraform: Option<RawJwtEvidence>,
}

/// Evidence that is a signed JWT.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "JwtEvidence")]
pub struct RawJwtEvidence {
    /// The exact `iss` of its tokens. Needed where the platform has no one issuer for all.
    pub issuer: Option<String>,
    /// For `azure`: the tenant's id, a UUID. It makes the issuer.
    pub tenant: Option<String>,
    /// Where the issuer's keys come from. Default: OpenID Connect discovery.
    pub keys: Option<RawIssuerKeys>,
    /// What this PDP is called in its tokens (`aud`); a token must name one of them.
    #[schemars(required, length(min = 1))]
    pub audiences: Option<Vec<String>>,
    /// Signature algorithms accepted. Default: all ten.
    #[schemars(length(min = 1))]
    pub algorithms: Option<Vec<AlgorithmName>>,
    /// How far clocks may disagree. Default: `60s`; `0s` is allowed.
    pub leeway: Option<DurationText>,
    /// The longest a token may live. Default: `24h`.
    pub max_lifetime: Option<DurationText>,
    /// Whether each token is taken once only, by its `jti`. Default: as often as it holds.
    #[serde(default)]
    pub single_use: bool,
    /// For `oidc`: the claims that client workloads may select by, beside `sub`.
    #[serde(default)]
    pub claims: Vec<String>,
    /// For `kubernetes`: the API server, asked about each token beside its signature.
    pub review: Option<RawReview>,
    /// How keys are fetched.
    pub fetch: Option<RawFetch>,
}

/// The API server of a Kubernetes cluster, which is asked whether a token still holds.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Review")]
pub struct RawReview {
    /// Its https URL. Default: `https://kubernetes.default.svc`.
    pub server: Option<String>,
    /// A file with this PDP's own token for it. Default: that of its own pod.
    pub token_file: Option<PathBuf>,
    /// Whether the token's pod is looked up: its images, labels and owner. Default: `true`.
    pub pods: Option<bool>,
    /// Whether the pod's node is, too: its region, zone and labels.
    #[serde(default)]
    pub nodes: bool,
    /// How long its word is taken without asking again. Default: `30s`; `0s` is allowed.
    pub recheck_after: Option<DurationText>,
    /// How it is asked. Default `ca_file`: that of this PDP's own pod, unless `server` is named.
    pub fetch: Option<RawFetch>,
}

/// A workload that may get tokens: which evidence makes it, who it then is, and whom it may call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ClientWorkload")]
pub struct RawClientWorkload {
    /// Its name.
    pub name: String,
    /// Who it is: a SPIFFE ID of the token service's trust domain.
    pub spiffe_id: String,
    /// The trust provider whose evidence makes it.
    pub provider: String,
    /// What its platform must say of it: all of these. A text, or a list of alternatives.
    #[schemars(required, length(min = 1))]
    pub selectors: Option<BTreeMap<String, RawAlternatives>>,
    /// Where it must run: where one of these does not hold, it is recognised and gets nothing.
    #[serde(default)]
    pub environment: BTreeMap<String, RawAlternatives>,
    /// Whom its tokens may be for (`aud`).
    #[schemars(required, length(min = 1))]
    pub audiences: Option<Vec<String>>,
    /// What its tokens may be called by the others: `aud` of tokens that it may exchange on behalf of
    /// who sent them. Its SPIFFE ID always is.
    #[serde(default)]
    pub addressed_as: Vec<String>,
    /// The workloads on whose behalf it may act.
    #[serde(default)]
    pub acts_for: Vec<String>,
    /// The scopes that its tokens may have.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// How long its tokens live. Default: `token_service.lifetime`.
    pub lifetime: Option<DurationText>,
    /// Whether its tokens are bound to the TLS client certificate with which they are asked for
    /// (RFC 8705); without one it then gets none.
    #[serde(default)]
    pub certificate_bound: bool,
}

/// One text, or several of which one must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Alternatives")]
pub enum RawAlternatives {
    /// The only one.
    One(String),
    /// Any of these.
    Any(#[schemars(length(min = 1))] Vec<String>),
}

/// Tokens of our own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TokenService")]
pub struct RawTokenService {
    /// The SPIFFE trust domain whose JWT-SVIDs it signs.
    pub trust_domain: String,
    /// The `https` URL that it is known by as an issuer (`iss`), for access tokens and discovery.
    /// Default: `public_url`.
    pub issuer: Option<String>,
    /// Its signing keys.
    pub keys: RawSigningKeys,
    /// How long tokens live. Default: `5m`.
    pub lifetime: Option<DurationText>,
    /// For how long after attestation a token may be exchanged for a new one. Default: not at all.
    pub renewable_for: Option<DurationText>,
}

/// The signing keys of the token service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SigningKeys")]
pub struct RawSigningKeys {
    /// Folder that only this PDP writes to.
    pub directory: PathBuf,
    /// A file with 32 bytes that seal the private keys on disk.
    pub sealing_key_file: PathBuf,
    /// While the sealing key is changed: the one before.
    pub previous_sealing_key_file: Option<PathBuf>,
    /// How long a key signs. Default: `24h`.
    pub rotate_after: Option<DurationText>,
    /// How long a key is published before it signs. Default: `10m`.
    pub propagation: Option<DurationText>,
    /// How often verifiers are told to fetch the keys. Default: `5m`.
    pub refresh_hint: Option<DurationText>,
}

/// Which identities were seen, and which static secrets were noticed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Inventory")]
pub struct RawInventory {
    /// A folder that only this PDP writes to.
    pub directory: PathBuf,
    /// Whether requests at the doors of `ext_authz` are searched for static secrets; never kept. Default: `true`.
    pub secrets: Option<bool>,
}

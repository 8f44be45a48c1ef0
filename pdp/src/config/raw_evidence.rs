//! The part of the file about evidence that is no JWT, as it was written.
//!
//! What this is not: checked; see `super::check`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw_text::{AlgorithmName, DurationText};
use super::raw_trust::RawFetch;

/// AWS instance identity documents.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AwsInstanceEvidence")]
pub struct RawAwsInstance {
    /// The accounts whose instances are known: twelve digits each, in quotes.
    #[schemars(required, length(min = 1))]
    pub accounts: Option<Vec<String>>,
    /// Each region with the PEM file of its certificate ("RSA-2048"), which AWS publishes.
    #[schemars(required)]
    pub certificates: Option<BTreeMap<String, PathBuf>>,
    /// How long after its start an instance may show its document. Default: as long as it runs.
    pub max_age: Option<DurationText>,
}

/// Callers of AWS, by a signed `GetCallerIdentity`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AwsStsEvidence")]
pub struct RawAwsSts {
    /// What this PDP is called in the signed header `X-Edgeward-Server-ID`.
    pub audience: String,
    /// The accounts whose callers are known: twelve digits each, in quotes.
    #[schemars(required, length(min = 1))]
    pub accounts: Option<Vec<String>>,
    /// The regions in which STS may be asked.
    #[schemars(required, length(min = 1))]
    pub regions: Option<Vec<String>>,
    /// Where STS is asked instead of its own hosts: an interface endpoint, or a stand-in in development.
    pub endpoint: Option<String>,
    /// How it is asked.
    pub fetch: Option<RawFetch>,
}

/// Azure attested documents.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AzureDocumentEvidence")]
pub struct RawAzureDocument {
    /// For whom documents must have been asked for, by their nonce.
    pub audience: String,
    /// The subscriptions whose machines are known: their ids, in lower case.
    #[schemars(required, length(min = 1))]
    pub subscriptions: Option<Vec<String>>,
    /// PEM file of the authorities that may vouch for Azure's signers.
    pub roots: PathBuf,
    /// PEM file of those between them and the signers: Azure does not send them along.
    pub intermediates: Option<PathBuf>,
    /// Names that the signer's certificate is for, or is below. Default: those of Azure's three clouds.
    pub names: Option<Vec<String>>,
    /// How long after it was made a document is taken. Default: `5m`.
    pub max_age: Option<DurationText>,
}

/// A static key of a workload, in development.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StaticKey")]
pub struct RawStaticKey {
    /// SHA-256 of the key, in lower-case hex: `printf %s "$KEY" | sha256sum`.
    pub sha256: String,
    /// What is told of who shows it.
    #[schemars(required, length(min = 1))]
    pub attributes: Option<BTreeMap<String, String>>,
}

/// Opaque tokens, about which their authorization server is asked (RFC 7662).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IntrospectionEvidence")]
pub struct RawIntrospection {
    /// https URL of the introspection endpoint.
    pub endpoint: String,
    /// What its answers must have as `iss`. Default: any, or none.
    pub issuer: Option<String>,
    /// What this PDP is called in tokens (`aud`); a token must name one of them, and nobody else.
    #[schemars(required, length(min = 1))]
    pub audiences: Option<Vec<String>>,
    /// Who this PDP is to it.
    pub client: RawClient,
    /// The members of its answers that client workloads may select by, beside `sub` (`subject`), `client_id`,
    /// `scope` and `username`.
    #[serde(default)]
    pub claims: Vec<String>,
    /// How far clocks may disagree. Default: `60s`; `0s` is allowed.
    pub leeway: Option<DurationText>,
    /// The longest a token may live. Default: `24h`.
    pub max_lifetime: Option<DurationText>,
    /// How long its word is taken without asking again. Default: `10s`; `0s` is allowed.
    pub recheck_after: Option<DurationText>,
    /// How it is asked.
    pub fetch: Option<RawFetch>,
}

/// This PDP as a client: its id, and exactly one of the three.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Client")]
pub struct RawClient {
    /// Its `client_id`.
    pub id: String,
    /// `client_secret_basic`: a file with its secret.
    pub secret_file: Option<PathBuf>,
    /// `client_secret_post`: the same, for servers that want it in the form.
    pub posted_secret_file: Option<PathBuf>,
    /// `private_key_jwt`: a file with a private key (PKCS#8) whose public one the server knows.
    pub key_file: Option<PathBuf>,
    /// With `key_file`: the algorithm, where the key's type does not say. Default for RSA: `RS256`.
    pub algorithm: Option<AlgorithmName>,
    /// With `key_file`: what the server is called in assertions. Default: `issuer`, else `endpoint`.
    pub audience: Option<String>,
}

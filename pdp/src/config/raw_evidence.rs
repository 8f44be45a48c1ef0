//! The part of the file about evidence that is no JWT, as it was written.
//!
//! What this is not: checked; see `super::check`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw_text::DurationText;
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

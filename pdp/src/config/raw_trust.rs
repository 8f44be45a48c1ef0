//! The part of the file that says whom we believe, as it was written.
//!
//! What this is not: checked; see `super::check`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::raw_text::{AlgorithmName, DurationText, SvidAlgorithmName};

/// One issuer of JWTs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Issuer")]
pub struct RawIssuer {
    /// The exact `iss` of its tokens.
    pub issuer: String,
    /// Where its keys come from.
    pub keys: RawIssuerKeys,
    /// What this PDP is called in tokens (`aud`); a token must name one of them.
    #[schemars(required, length(min = 1))]
    pub audiences: Option<Vec<String>>,
    /// Signature algorithms accepted. Default: all ten.
    #[schemars(length(min = 1))]
    pub algorithms: Option<Vec<AlgorithmName>>,
    /// Values of the `typ` header accepted. Default: `JWT`, `at+jwt`, `absent` (no `typ` at all).
    #[schemars(length(min = 1))]
    pub types: Option<Vec<String>>,
    /// How far clocks may disagree. Default: `60s`; `0s` is allowed.
    pub leeway: Option<DurationText>,
    /// The longest a token may live. Default: `24h`.
    pub max_lifetime: Option<DurationText>,
    /// How keys are fetched.
    pub fetch: Option<RawFetch>,
}

/// Where an issuer's keys come from: exactly one of the four.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IssuerKeys")]
pub struct RawIssuerKeys {
    /// `true`: OpenID Connect discovery from the issuer's URL.
    pub discovery: Option<bool>,
    /// https URL of a JWK Set.
    pub jwks_url: Option<String>,
    /// A file with a JWK Set; read again when it changes.
    pub file: Option<PathBuf>,
    /// A JWK Set, written out.
    pub inline: Option<Map<String, Value>>,
    /// With `discovery` or `jwks_url`: a file with the bearer token that the server wants to see, as a
    /// Kubernetes API server does. The hosts of `jwks_hosts` are shown it too.
    pub token_file: Option<PathBuf>,
    /// With `discovery`: hosts besides the issuer's own where the keys may be.
    pub jwks_hosts: Option<Vec<String>>,
}

/// One SPIFFE trust domain.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TrustDomain")]
pub struct RawTrustDomain {
    /// Its name, such as `example.org`.
    pub name: String,
    /// Where its trust bundle comes from.
    pub bundle: RawBundle,
    /// What this PDP is called in JWT-SVIDs (`aud`); a token must name one of them.
    #[schemars(required, length(min = 1))]
    pub audiences: Option<Vec<String>>,
    /// Signature algorithms accepted. Default: all of JWT-SVID, which are all but `EdDSA`.
    #[schemars(length(min = 1))]
    pub algorithms: Option<Vec<SvidAlgorithmName>>,
    /// How far clocks may disagree. Default: `60s`; `0s` is allowed.
    pub leeway: Option<DurationText>,
    /// The longest a JWT-SVID may live. Default: `24h`.
    pub max_lifetime: Option<DurationText>,
    /// How the bundle is fetched.
    pub fetch: Option<RawFetch>,
}

/// Where a trust bundle comes from: exactly one of the six.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Bundle")]
pub struct RawBundle {
    /// A file with a SPIFFE bundle; read again when it changes.
    pub file: Option<PathBuf>,
    /// A bundle endpoint with a Web PKI certificate.
    pub https_web: Option<RawHttpsWeb>,
    /// A bundle endpoint with an X.509-SVID.
    pub https_spiffe: Option<RawHttpsSpiffe>,
    /// The SPIFFE Workload API.
    pub workload_api: Option<RawWorkloadApi>,
    /// `true`: this PDP's own `token_service`, whose trust domain it then must be.
    pub token_service: Option<bool>,
    /// A SPIFFE bundle, written out.
    pub inline: Option<Map<String, Value>>,
}

/// The `https_web` profile of a SPIFFE bundle endpoint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "HttpsWeb")]
pub struct RawHttpsWeb {
    /// https URL of the bundle.
    pub url: String,
}

/// The `https_spiffe` profile of a SPIFFE bundle endpoint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "HttpsSpiffe")]
pub struct RawHttpsSpiffe {
    /// https URL of the bundle.
    pub url: String,
    /// The SPIFFE ID that the endpoint must prove.
    pub endpoint_spiffe_id: String,
    /// A file with the bundle to begin with.
    pub initial_bundle: PathBuf,
}

/// The SPIFFE Workload API.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WorkloadApi")]
pub struct RawWorkloadApi {
    /// Its endpoint: `unix:///run/spire/agent.sock` or a path.
    pub socket: String,
}

/// How keys and bundles are fetched.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Fetch")]
pub struct RawFetch {
    /// PEM file with the certificate authorities to trust, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// How often to ask where the answer does not say. Default: `5m`.
    pub refresh: Option<DurationText>,
    /// The longest a fetch may take. Default: `5s`.
    pub timeout: Option<DurationText>,
    /// Whether the host may have a loopback address. Default: only in development.
    pub allow_loopback: Option<bool>,
    /// Whether the host may have a link-local address; never a cloud's metadata service.
    pub allow_link_local: Option<bool>,
}

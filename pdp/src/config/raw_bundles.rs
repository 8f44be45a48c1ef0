//! The section `policies.bundles` as it was written. Not checked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw_text::{DurationText, SizeText};
use super::raw_trust::RawFetch;

/// One policy bundle: from a `url` or a `path`, one of the two.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PolicyBundle")]
pub struct RawPolicyBundle {
    /// https URL of a packed bundle (`bundle.tar.gz`).
    pub url: Option<String>,
    /// A packed bundle, or a folder with an unpacked one; read again when it changes.
    pub path: Option<PathBuf>,
    /// Whom it must be signed by.
    pub signature: Option<RawSignature>,
    /// With `url`: take a bundle that nobody signed. Whoever can answer at that URL decides then.
    #[serde(default)]
    pub unsigned: bool,
    /// `refuse` an older revision in place of a newer one (the default with `url`), or `allow` it (the
    /// default with `path`).
    #[schemars(extend("enum" = ["refuse", "allow"]))]
    pub rollback: Option<String>,
    /// How long it decides without its source having confirmed it; then everything is denied.
    /// Default: `24h`.
    pub max_age: Option<DurationText>,
    /// The largest packed bundle. Default: `64MiB`.
    pub max_size: Option<SizeText>,
    /// How long a server that can is asked to wait for news. Default: it is not.
    pub long_poll: Option<DurationText>,
    /// A file with a bearer token, read at every request.
    pub bearer_token_file: Option<PathBuf>,
    /// How it is fetched: `refresh` is `30s` and `timeout` `30s` unless said.
    pub fetch: Option<RawFetch>,
}

/// Whom a bundle must be signed by: `jwks` or `keys`, one of the two.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BundleSignature")]
pub struct RawSignature {
    /// A file with a JWK Set, read at every check.
    pub jwks: Option<PathBuf>,
    /// PEM files by the key id (`kid`) of the signatures made with them, read at every check.
    pub keys: Option<BTreeMap<String, RawBundleKey>>,
    /// The id of the one key that counts, whatever the signature says. Default: the key it names
    /// (`default`, where `opa sign` was not told).
    pub key_id: Option<String>,
    /// What the signature must be for, to the letter. Default: a signature without scope.
    pub scope: Option<String>,
}

/// One public key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BundleKey")]
pub struct RawBundleKey {
    /// PEM file with a public key or a certificate.
    pub file: PathBuf,
    /// The algorithm of its signatures, such as `ES256` or `RS256`.
    pub algorithm: String,
}

//! The section `policies.bundles` as it was written. Not checked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw_text::{DurationText, SizeText};
use super::raw_trust::RawFetch;

/// One policy bundle: from a `url`, a bucket (`s3`), a registry (`oci`) or a `path`, one of them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PolicyBundle")]
pub struct RawPolicyBundle {
    /// https URL of a packed bundle (`bundle.tar.gz`).
    pub url: Option<String>,
    /// A packed bundle, or a folder with an unpacked one; read again when it changes.
    pub path: Option<PathBuf>,
    /// A packed bundle in a bucket of S3, or of a store that speaks its language.
    pub s3: Option<RawS3>,
    /// A packed bundle in a registry of OCI artifacts.
    pub oci: Option<RawOci>,
    /// Whom it must be signed by.
    pub signature: Option<RawSignature>,
    /// Not with `path`: take a bundle that nobody signed. Whoever can answer there decides then.
    #[serde(default)]
    pub unsigned: bool,
    /// `refuse` an older revision in place of a newer one (the default), or `allow` it (the
    /// default with `path`).
    #[schemars(extend("enum" = ["refuse", "allow"]))]
    pub rollback: Option<String>,
    /// How long it decides without its source having confirmed it; then everything is denied.
    /// Default: `24h`.
    pub max_age: Option<DurationText>,
    /// The largest packed bundle. Default: `64MiB`.
    pub max_size: Option<SizeText>,
    /// With `url`: how long a server that can is asked to wait for news. Default: it is not.
    pub long_poll: Option<DurationText>,
    /// With `url`: a file with a bearer token, read at every request.
    pub bearer_token_file: Option<PathBuf>,
    /// How it is fetched: `refresh` is `30s` and `timeout` `30s` unless said.
    pub fetch: Option<RawFetch>,
}

/// An object in a bucket.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BundleInS3")]
pub struct RawS3 {
    /// The bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// Such as `eu-central-1`; what a store of another vendor calls its region.
    pub region: String,
    /// The https URL of the store, of host and port alone. Default: AWS' own of that region.
    pub endpoint: Option<String>,
    /// Whether the bucket stands in the path instead of the host's name. Default: with `endpoint`.
    pub path_style: Option<bool>,
    /// Who we are. Default: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` of the
    /// environment.
    pub credentials: Option<RawAwsCredentials>,
}

/// Who we are to a store: `access_key_id` with its file, or a `file` of profiles. Files are read at every
/// request.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AwsCredentials")]
pub struct RawAwsCredentials {
    /// The id of the access key.
    pub access_key_id: Option<String>,
    /// With `access_key_id`: a file with the secret that goes with it.
    pub secret_access_key_file: Option<PathBuf>,
    /// With `access_key_id`: a file with the token of temporary credentials.
    pub session_token_file: Option<PathBuf>,
    /// A file of profiles, as AWS' tools write it (`~/.aws/credentials`).
    pub file: Option<PathBuf>,
    /// With `file`: which profile. Default: `default`.
    pub profile: Option<String>,
}

/// An artifact of a registry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BundleInRegistry")]
pub struct RawOci {
    /// Registry, repository, and a tag or a digest: `registry.example.com/policies/authz:1`.
    pub reference: String,
    /// The user, where the registry wants one.
    pub username: Option<String>,
    /// A file with that user's password, read whenever the registry asks.
    pub password_file: Option<PathBuf>,
    /// A file with a bearer token, read at every request; in place of user and password.
    pub bearer_token_file: Option<PathBuf>,
    /// Hosts, with the port where it is not 443, that may give tokens for the registry, and are sent the password:
    /// `auth.docker.io`. Default: the registry's own host alone.
    #[serde(default)]
    pub token_hosts: Vec<String>,
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

//! The configuration as it was written: every field as the file has it, nothing derived.
//!
//! What this is not: checked. Only `super::check` turns a [`RawConfig`] into a
//! [`super::Config`], and nothing after start-up sees this type. The doc comments below are what
//! `edgeward schema` publishes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw_atoms::{RawRoute, RawSchedule};
use super::raw_attestation::{RawClientWorkload, RawInventory, RawTokenService, RawTrustProvider};
use super::raw_bundles::RawPolicyBundle;
use super::raw_ext_authz::RawExtAuthz;
use super::raw_text::{DurationText, ModeText, SizeText};
use super::raw_trust::{RawIssuer, RawTrustDomain};

/// The configuration of Edgeward's policy decision point: one YAML file.
///
/// Unknown keys are errors. Durations are text with a unit (`100ms`, `60s`, `5m`, `24h`); sizes are
/// bytes, or text with a unit (`1MiB`). Relative paths are relative to this file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Edgeward PDP configuration")]
pub struct RawConfig {
    /// `production` (the default) or `development`, which also allows what only a laptop may have.
    #[schemars(extend("enum" = ["production", "development"]))]
    pub environment: Option<String>,
    /// Where the PDP listens. Default: `127.0.0.1:8181`.
    #[schemars(length(min = 1))]
    pub listen: Option<Vec<RawListener>>,
    /// A listener of its own for health and metrics; without it they are on every listener.
    pub admin: Option<RawAdmin>,
    /// The `https` URL by which callers know this PDP, for its `AuthZEN` metadata.
    pub public_url: Option<String>,
    /// How many threads decide. Default: the number of cores.
    #[schemars(range(min = 1, max = 1024))]
    pub workers: Option<u32>,
    /// The Rego policies. Default: the example policy embedded in the program.
    pub policies: Option<RawPolicies>,
    /// Bounds on what callers may ask for.
    pub limits: Option<RawLimits>,
    /// How decisions are remembered.
    pub cache: Option<RawCache>,
    /// Where the last known good keys are kept, so that a restart survives a dead issuer.
    pub key_cache: Option<RawKeyCache>,
    /// Where revocations are kept, and who may make them. Default: nobody may.
    pub revocations: Option<RawRevocations>,
    /// OPA's REST API on every listener of decisions: `{}` serves it. Default: not served.
    pub opa_api: Option<RawOpaApi>,
    /// `AuthZEN`'s searches. Default: none is served.
    pub searches: Option<RawSearches>,
    /// The feed that the filters read.
    pub sync: Option<RawSync>,
    /// The doors for proxies without a filter of ours. Default: none.
    pub ext_authz: Option<RawExtAuthz>,
    /// Named networks: lists of CIDR prefixes. A policy sees the names of those that the source
    /// address lies in as `context.source.networks`.
    #[serde(default)]
    pub networks: BTreeMap<String, Vec<String>>,
    /// Named routes, the most special first. A policy sees the name of the first that a request
    /// takes as `resource.properties.route`.
    #[serde(default)]
    pub routes: Vec<RawRoute>,
    /// Named schedules. A policy sees the names of those that hold as `context.schedules`.
    #[serde(default)]
    pub schedules: BTreeMap<String, RawSchedule>,
    /// A database of countries, a `.mmdb` file. A policy sees the source address's country as
    /// `context.source.country`. Read again when it changes.
    pub country_database: Option<PathBuf>,
    /// Issuers of OpenID Connect and other JWTs whose tokens are believed.
    #[serde(default)]
    pub issuers: Vec<RawIssuer>,
    /// SPIFFE trust domains whose workloads are believed.
    #[serde(default)]
    pub trust_domains: Vec<RawTrustDomain>,
    /// Platforms whose word is taken on which workload asks for a token.
    #[serde(default)]
    pub trust_providers: Vec<RawTrustProvider>,
    /// Workloads that may get tokens of the token service.
    #[serde(default)]
    pub client_workloads: Vec<RawClientWorkload>,
    /// Tokens of our own, for evidence. Default: none is issued.
    pub token_service: Option<RawTokenService>,
    /// Who was seen, and static secrets in requests. Default: nobody is noted.
    pub inventory: Option<RawInventory>,
}

/// One listener: exactly one of `tcp` and `unix`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Listener")]
pub struct RawListener {
    /// Address and port, such as `127.0.0.1:8181` or `[::1]:8181`.
    pub tcp: Option<String>,
    /// Path of a Unix socket.
    pub unix: Option<PathBuf>,
    /// The socket's permissions in octal, such as `"0660"` (the default).
    pub mode: Option<ModeText>,
    /// Serve TLS on this TCP listener.
    pub tls: Option<RawTls>,
    /// In production, a TCP listener beyond loopback needs `tls`, or this set to `true` where
    /// something else (a service mesh) authenticates and encrypts.
    #[serde(default)]
    pub plaintext: bool,
}

/// A server certificate, and who may be a client.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tls")]
pub struct RawTls {
    /// PEM file with the certificate chain, leaf first.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
    /// PEM file with the authorities of client certificates; set, it makes them mandatory.
    pub client_ca: Option<PathBuf>,
    /// `true`: X.509-SVIDs of the `spiffe` trust providers are mandatory, and only tokens are served.
    pub client_svids: Option<bool>,
}

/// The administrative listener.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Admin")]
pub struct RawAdmin {
    /// Address and port, such as `127.0.0.1:8282`.
    pub tcp: String,
}

/// The policies.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Policies")]
pub struct RawPolicies {
    /// Folder with `*.rego` and data files (`*.json`, `*.yaml`).
    pub directory: Option<PathBuf>,
    /// Policy bundles by their names, in place of `directory`: all of them decide together.
    pub bundles: Option<BTreeMap<String, RawPolicyBundle>>,
    /// Folder where the last bundles in force outlive a restart. Default: they do not.
    pub bundle_cache: Option<PathBuf>,
    /// The rule that decides. Default: `data.edgeward.authz.decision`.
    #[schemars(regex(pattern = r"^data(\.[A-Za-z_][A-Za-z0-9_]*)+$"))]
    pub entrypoint: Option<String>,
    /// Reload when the folder changes; a broken policy never replaces a working one. Default: true.
    pub watch: Option<bool>,
    /// The longest an evaluation may take before it is a deny. Default: `100ms`.
    pub evaluation_timeout: Option<DurationText>,
    /// What evaluates the policies. Default: `auto`.
    pub engine: Option<RawEngine>,
}

/// What evaluates policies.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Engine")]
pub enum RawEngine {
    /// Bytecode where that is known to answer as the interpreter does, else the interpreter.
    Auto,
    /// The interpreter, always.
    Interpreter,
}

/// Bounds on what callers may ask for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Limits")]
pub struct RawLimits {
    /// The longest request body. Default: `1MiB`.
    pub body: Option<SizeText>,
    /// The most connections at once, on all listeners together. Default: 1024.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub connections: Option<u32>,
    /// The longest a TLS handshake or the head of a request may take to arrive. Default: `5s`.
    pub head_timeout: Option<DurationText>,
    /// The longest a request body may take to arrive, or a response to be taken. Default: `5s`.
    pub request_timeout: Option<DurationText>,
    /// How long a connection may lie idle. Default: `65m`, longer than Envoy's own hour.
    pub idle_timeout: Option<DurationText>,
    /// How long a stopping PDP waits for requests in flight. Default: `10s`.
    pub drain: Option<DurationText>,
    /// What one caller may ask. Default: as much as it likes.
    pub rate: Option<RawRate>,
    /// The most calls in flight at once. Default: as many as connections carry.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub in_flight: Option<u32>,
}

/// What one caller may ask: one client certificate, else one address.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rate")]
pub struct RawRate {
    /// Calls a second, on average.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub per_second: u32,
    /// Calls at once, after a pause. Default: `per_second`.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub burst: Option<u32>,
}

/// How decisions are remembered. One is reused only for a question that the policy could not tell
/// from the first, and only while the policies and data that decided are in force.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Cache")]
pub struct RawCache {
    /// What they may take in this process; 0 remembers none here. Default: `64MiB`.
    pub max_bytes: Option<SizeText>,
    /// How long an allow may be reused, here and in every filter, whole seconds. Default: `60s`.
    pub allow_ttl: Option<DurationText>,
    /// How long a deny may be. Default: `10s`.
    pub deny_ttl: Option<DurationText>,
    /// How long the clock that a policy reads itself (`time.now_ns()`) stands still: an answer that rests
    /// on it is reused until it moves. Whole seconds, `1s` to `60s`; with `0s` policies see the true time
    /// and such answers are not remembered. Default: `1s`.
    pub clock_quantum: Option<DurationText>,
}

/// The cache of last known good keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeyCache")]
pub struct RawKeyCache {
    /// A folder that only the PDP can write to.
    pub directory: PathBuf,
    /// Older entries are not honoured. Default: `24h`.
    pub max_age: Option<DurationText>,
}

/// Revocations.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Revocations")]
pub struct RawRevocations {
    /// A folder that only this PDP can write to: what is revoked survives a restart.
    pub directory: PathBuf,
    /// SHA-256 digests, in hex, of the tokens that may revoke: `printf %s "$TOKEN" | sha256sum`.
    #[serde(default)]
    #[schemars(inner(regex(pattern = r"^[0-9a-f]{64}$")))]
    pub admin_tokens_sha256: Vec<String>,
    /// SPIFFE IDs of the workloads that may revoke, by their client certificate, on listeners with
    /// `tls.client_ca`. There must be an operator or an admin token.
    #[serde(default)]
    #[schemars(inner(regex(pattern = r"^spiffe://[^/]+/.+$")))]
    pub operators: Vec<String>,
}

/// OPA's REST API.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OpaApi")]
pub struct RawOpaApi {
    /// SHA-256 digests, in hex, of the bearer tokens of which each call must show one. Default: none is
    /// asked for.
    #[serde(default)]
    #[schemars(inner(regex(pattern = r"^[0-9a-f]{64}$")))]
    pub tokens_sha256: Vec<String>,
    /// Whether the policy `data.system.authz.allow` must let a call in. Default: `off`.
    pub authorization: Option<RawAuthorization>,
    /// Whether `/v1/query` answers queries that the caller writes, which read everything. Default: `false`.
    pub queries: Option<bool>,
}

/// Documents that say who the candidates of a search are, such as `data.directory.users`; each sees the search
/// as `input`. A search without one is not served.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Searches")]
pub struct RawSearches {
    /// Subjects: a list or set of `{type, id, properties?}`.
    pub subjects: Option<String>,
    /// Resources: the same.
    pub resources: Option<String>,
    /// Actions: a list or set of `{name, properties?}`, or of names.
    pub actions: Option<String>,
}

/// Who may call OPA's API.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Authorization")]
pub enum RawAuthorization {
    /// Whoever has a token, where tokens are configured; else everybody.
    Off,
    /// Of these, whom `data.system.authz.allow` lets in.
    Basic,
}

/// The feed that the filters read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Sync")]
pub struct RawSync {
    /// How long a feed request may wait for news. Default: `10s`.
    pub max_wait: Option<DurationText>,
}

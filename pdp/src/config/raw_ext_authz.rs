//! The section `ext_authz` as it was written. Not checked.

use schemars::JsonSchema;
use serde::Deserialize;

/// The doors for proxies without a filter of ours, such as Envoy's `ext_authz`. Without this
/// section there are none.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ExtAuthz")]
pub struct RawExtAuthz {
    /// Where a request carries its token.
    pub token: Option<RawToken>,
    /// Ask the policy about those who show nothing, as `anonymous`; else they are refused with 401.
    #[serde(default)]
    pub anonymous: bool,
    /// Request headers that policies may set beside `x-edgeward-*`. A client's own never pass.
    #[serde(default)]
    pub allowed_request_headers: Vec<String>,
    /// What a path must be like, as the proxy forwards it. One that is spelt in another way than its
    /// canonical form is refused with 400. Default: `strict`.
    #[schemars(extend("enum" = ["strict", "base", "merge-slashes", "decode-and-merge-slashes"]))]
    pub path: Option<String>,
    /// Also take headers whose lines the proxy has joined by commas, for proxies that cannot send them
    /// apart (`encode_raw_headers`).
    #[serde(default)]
    pub joined_headers: bool,
    /// Whose word on client certificates is believed.
    pub peer: Option<RawPeer>,
    /// Gateways that may ask over HTTP, each at `/ext-authz/` and its name.
    #[serde(default)]
    #[schemars(inner(regex(pattern = r"^(envoy|nginx|traefik|caddy)$")))]
    pub gateways: Vec<String>,
    /// Whose words the policies speak that the gRPC door asks: `edgeward`, as at every other door, or
    /// `opa-envoy` for policies that were written for opa-envoy-plugin. Default: `edgeward`.
    #[schemars(extend("enum" = ["edgeward", "opa-envoy"]))]
    pub dialect: Option<String>,
}

/// Where a request carries its token.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TokenHeader")]
pub struct RawToken {
    /// The header. Default: `authorization`, with the scheme `Bearer`.
    pub header: Option<String>,
    /// Pass a verified token on to the upstream, which can then replay it.
    #[serde(default)]
    pub forward: bool,
}

/// Whose word on client certificates is believed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PeerFacts")]
pub struct RawPeer {
    /// Believe the proxy that the client certificate it tells of (`include_peer_certificate`) was
    /// validated against the trust bundle of its trust domain.
    #[serde(default)]
    pub certificates: bool,
    /// Proxies in front of that one whose `x-forwarded-client-cert` is believed.
    #[serde(default)]
    pub trusted_hops: Vec<RawTrustedHop>,
}

/// A proxy in front: exactly one of `network` and `spiffe_id`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TrustedHop")]
pub struct RawTrustedHop {
    /// Every proxy that connects from this network, such as `10.0.0.0/8`.
    pub network: Option<String>,
    /// The proxy with this X.509-SVID.
    pub spiffe_id: Option<String>,
}

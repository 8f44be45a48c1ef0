//! The doors at which a proxy asks that is no filter of ours: Envoy's `ext_authz`, and gateways
//! that ask over HTTP.
//!
//! Order of reading: `told` (a request as the proxy tells it), `intake` (one canonical form, or
//! none), `identify` and `verified` (who sends it), `ruling` (the same question by the same way as at every other
//! door, and what the proxy is to do), then the doors themselves: `grpc` with `check_request`
//! and `check_response`, `http` with `gateway`; and `opa_envoy`, the first of them in another's words.
//!
//! The client here is the proxy. It is believed what it says of the request, as the filter's host
//! is; what it repeats of the client's words is not. An answer grants nothing to anyone but the
//! proxy that asked.
//!
//! INVARIANT: whatever goes wrong is a deny that the proxy understands as one. No error reaches it
//! that `failure_mode_allow` could turn into an allow.

mod check_request;
mod check_response;
mod gateway;
pub(super) mod grpc;
pub(super) mod http;
mod identify;
mod intake;
mod opa_envoy;
mod ruling;
mod told;
mod verified;

pub use gateway::Gateway;
pub(super) use verified::VerifiedTokens;

use edgeward_core::peer::TrustedHop;
use edgeward_core::request::PathNormalization;

/// What holds at these doors. The same words as the filter's configuration has.
#[derive(Clone, Debug)]
pub struct ExtAuthzSettings {
    /// Where a request carries its token.
    pub token: TokenSettings,
    /// Whether those who show nothing are asked about as `anonymous`; else they are refused.
    pub anonymous: bool,
    /// Headers that policies may set beside `x-edgeward-*`.
    pub allowed_request_headers: Vec<String>,
    /// What a path must be like.
    pub normalization: PathNormalization,
    /// Whether headers are also taken where the proxy has joined those of one name.
    pub joined_headers: bool,
    /// Whose word on client certificates is believed.
    pub peer: PeerSettings,
    /// Which gateways may ask over HTTP.
    pub gateways: Vec<Gateway>,
    /// Whose words questions and answers are in.
    pub dialect: Dialect,
}

/// Whose words the policies speak that the gRPC door asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Ours, as at every other door.
    #[default]
    Edgeward,
    /// `opa-envoy-plugin`'s.
    OpaEnvoy {
        /// Whether it is found out first who asks: where there are keys by which that can be known. Else
        /// it is the policy's to judge whatever credential there is.
        identifies: bool,
    },
}

/// Where a request carries its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// The header, in lower case.
    pub header: String,
    /// Whether a verified token goes on to the upstream.
    pub forward: bool,
}

/// Whose word on client certificates is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerSettings {
    /// Whether the proxy's is.
    pub certificates: bool,
    /// Proxies in front of that one whose XFCC is.
    pub trusted_hops: Vec<TrustedHop>,
}

impl ExtAuthzSettings {
    /// The gateway whose calls come to `path`.
    pub(super) fn gateway_at(&self, path: &str) -> Option<Gateway> {
        let mut gateways = self.gateways.iter().copied();
        gateways.find(|gateway| gateway.asks_at(path))
    }

    /// Headers that no client may say here, beside those that none may anywhere.
    fn stripped(&self) -> Vec<String> {
        let mut stripped = self.allowed_request_headers.clone();
        stripped.push(self.token.header.clone());
        stripped
    }
}

//! What is measured: each variant is a listener, a path, the tokens sent there and the status that
//! must come back. The names are those of `target/bench/edge.json`.

use Tokens::{Distinct, Forged, One, OneForged};

use crate::tokens::Algorithm::{self, EdDsa, Es256, Rs256};

/// The tokens of a variant's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    /// One token, again and again.
    One(Algorithm),
    /// A token that was not seen before in every request (more of them than any memory holds).
    Distinct(Algorithm),
    /// One token with a wrong signature, again and again.
    OneForged(Algorithm),
    /// Tokens with wrong signatures, a new one in every request.
    Forged(Algorithm),
}

impl Tokens {
    /// Whether the answer must be 401 rather than 200.
    pub fn refused(self) -> bool {
        matches!(self, Self::OneForged(_) | Self::Forged(_))
    }
}

/// One thing to measure.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// In the report.
    pub name: &'static str,
    /// The listener asked.
    pub listener: &'static str,
    /// The path asked for.
    pub path: &'static str,
    /// The tokens sent.
    pub tokens: Tokens,
}

const fn of(
    name: &'static str,
    listener: &'static str,
    path: &'static str,
    tokens: Tokens,
) -> Variant {
    Variant {
        name,
        listener,
        path,
        tokens,
    }
}

/// Envoy without a filter, and what others offer.
pub const RIVALS: &[Variant] = &[
    of("none", "none", "/decide", One(Rs256)),
    of("wasm-empty", "wasm-empty", "/decide", One(Rs256)),
    of("wasm-floor", "wasm-floor", "/floor", One(Rs256)),
    of("wasm-callout", "wasm-callout", "/decide", One(Rs256)),
    of("jwt_authn-RS256", "jwt_authn", "/decide", Distinct(Rs256)),
    of("jwt_authn-ES256", "jwt_authn", "/decide", Distinct(Es256)),
    of("jwt_authn-EdDSA", "jwt_authn", "/decide", Distinct(EdDsa)),
    of(
        "jwt_authn-cached-RS256",
        "jwt_authn-cached",
        "/decide",
        One(Rs256),
    ),
    of(
        "jwt_authn-cached-ES256",
        "jwt_authn-cached",
        "/decide",
        One(Es256),
    ),
    of(
        "jwt_authn-forged-ES256",
        "jwt_authn-cached",
        "/decide",
        Forged(Es256),
    ),
    of(
        "jwt_authn-one-forged-ES256",
        "jwt_authn-cached",
        "/decide",
        OneForged(Es256),
    ),
    of("ext_authz-grpc", "ext_authz", "/decide", One(Rs256)),
];

/// OPA's server behind Envoy's HTTP ext_authz. Its gRPC door is a plugin that is no package, so the
/// question travels in the query, where OPA's REST door reads it.
pub const OPA: &[Variant] = &[of(
    "ext_authz-http-opa",
    "opa",
    "/decide?input=%7B%22method%22%3A%22GET%22%2C%22path%22%3A%22%2Fdecide%22%7D",
    One(Rs256),
)];

/// Edgeward. Paths under `/identity` verify and do not ask; others ask the PDP every time, but on
/// the listener that remembers.
pub const EDGEWARD: &[Variant] = &[
    of("edgeward-hit", "edgeward-hit", "/decide", One(Rs256)),
    of("edgeward-off", "edgeward-tcp-h1", "/off", One(Rs256)),
    of(
        "edgeward-identity",
        "edgeward-tcp-h1",
        "/identity",
        One(Rs256),
    ),
    of(
        "edgeward-miss-tcp-h1",
        "edgeward-tcp-h1",
        "/decide",
        One(Rs256),
    ),
    of(
        "edgeward-miss-tcp-h2",
        "edgeward-tcp-h2",
        "/decide",
        One(Rs256),
    ),
    of(
        "edgeward-miss-uds-h1",
        "edgeward-uds-h1",
        "/decide",
        One(Rs256),
    ),
    of(
        "edgeward-miss-uds-h2",
        "edgeward-uds-h2",
        "/decide",
        One(Rs256),
    ),
    of(
        "edgeward-first-RS256",
        "edgeward-tcp-h1",
        "/identity",
        Distinct(Rs256),
    ),
    of(
        "edgeward-first-ES256",
        "edgeward-tcp-h1",
        "/identity",
        Distinct(Es256),
    ),
    of(
        "edgeward-first-EdDSA",
        "edgeward-tcp-h1",
        "/identity",
        Distinct(EdDsa),
    ),
    of(
        "edgeward-forged-RS256",
        "edgeward-tcp-h1",
        "/identity",
        Forged(Rs256),
    ),
    of(
        "edgeward-forged-ES256",
        "edgeward-tcp-h1",
        "/identity",
        Forged(Es256),
    ),
    of(
        "edgeward-forged-EdDSA",
        "edgeward-tcp-h1",
        "/identity",
        Forged(EdDsa),
    ),
    of(
        "edgeward-one-forged-ES256",
        "edgeward-tcp-h1",
        "/identity",
        OneForged(Es256),
    ),
];

//! A request as a proxy tells it. Nothing is judged here.

use std::net::IpAddr;

use edgeward_core::credential::Field;

/// A request as a proxy tells it.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) method: String,
    /// Host and port, as they stand in the request.
    pub(super) authority: String,
    /// Path and query, as they stand in the request.
    pub(super) target: String,
    /// The header fields, names in lower case, without pseudo-headers.
    pub(super) fields: Vec<Field>,
    /// The directly connected address, where the connection has one.
    pub(super) source: Option<IpAddr>,
    /// What the client showed in its TLS handshake.
    pub(super) shown: Shown,
}

/// What a client showed in its TLS handshake, by the proxy's word.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// No certificate.
    #[default]
    Nothing,
    /// A certificate of which the proxy tells a name and no more.
    Name,
    /// A certificate, in PEM, percent-encoded.
    Certificate(String),
}

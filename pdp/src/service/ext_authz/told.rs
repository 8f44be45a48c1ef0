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
    /// Whether the proxy removes headers when it is told to.
    pub(super) removes: bool,
}

/// Headers whose value is one text, commas and all.
const WHOLE: [&str; 2] = ["authorization", "x-forwarded-client-cert"];

/// Every reading of `fields` in which lines of one name may have been joined by commas: each value
/// as a whole, and each part of it.
pub(super) fn readings(fields: Vec<Field>) -> Vec<Field> {
    let mut readings = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        if value.contains(&b',') && !WHOLE.contains(&name.as_str()) {
            let parts = value.split(|byte| *byte == b',');
            readings.extend(parts.map(|part| (name.clone(), part.trim_ascii().to_vec())));
        }
        readings.push((name, value));
    }
    readings
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

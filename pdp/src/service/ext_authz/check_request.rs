//! A `CheckRequest` read as the request it tells of.
//!
//! Envoy tells headers in one of two forms. With `encode_raw_headers` each line is there, with its
//! bytes. Without it, lines of one name are joined by commas, and bytes that are no UTF-8 are
//! replaced: then nobody can tell what the upstream will read, so that form is only taken where the
//! configuration says so. A policy sees every reading of a joined value: as a whole, and each part.
//!
//! Source: `envoy/service/auth/v3/attribute_context.proto`, Envoy 1.40.

use std::collections::HashMap;
use std::net::IpAddr;

use edgeward_core::credential::Field;
use envoy_types::ext_authz::v3::pb::{Address, CheckRequest, HeaderValue};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::Peer;

use super::told::{Shown, Told, readings};

/// The header whose presence shows that none is withheld: `allowed_headers` would leave it out.
const CANARY: &str = ":path";

/// Why a call tells of no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untold {
    /// It is not about an HTTP request.
    NotHttp,
    /// Headers are joined, and that form is not taken.
    Joined,
    /// Headers are withheld: what is not seen cannot be removed.
    Withheld,
}

impl Untold {
    /// The stable reason code, kebab-case.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::NotHttp => "ext-authz-not-http",
            Self::Joined => "ext-authz-headers-joined",
            Self::Withheld => "ext-authz-headers-withheld",
        }
    }
}

/// Reads the request that `check` tells of; `joined` says whether joined headers are taken.
pub(super) fn read(check: CheckRequest, joined: bool) -> Result<Told, Untold> {
    let attributes = check.attributes.ok_or(Untold::NotHttp)?;
    let request = attributes.request.ok_or(Untold::NotHttp)?;
    let http = request.http.ok_or(Untold::NotHttp)?;
    let mut fields = match http.header_map {
        Some(lines) => raw(lines.headers),
        None if !joined => return Err(Untold::Joined),
        None => readings(joined_lines(http.headers)),
    };
    if !fields.iter().any(|(name, _)| name == CANARY) {
        return Err(Untold::Withheld);
    }
    fields.retain(|(name, _)| !name.starts_with(':'));
    let source = attributes.source.unwrap_or_default();
    Ok(Told {
        method: http.method,
        authority: http.host,
        // Path and query, as they came; `query` is always empty.
        target: http.path,
        fields,
        source: address(&source),
        shown: shown(source),
        removes: true,
    })
}

fn raw(lines: Vec<HeaderValue>) -> Vec<Field> {
    let field = |line: HeaderValue| {
        (
            line.key.to_ascii_lowercase(),
            bytes(line.value, line.raw_value),
        )
    };
    lines.into_iter().map(field).collect()
}

/// The value of a line, in whichever form it was sent.
pub(super) fn bytes(text: String, raw: Vec<u8>) -> Vec<u8> {
    if raw.is_empty() {
        text.into_bytes()
    } else {
        raw
    }
}

/// Joined headers, in the order of their names.
fn joined_lines(joined: HashMap<String, String>) -> Vec<Field> {
    let field = |(name, value): (String, String)| (name.to_ascii_lowercase(), value.into_bytes());
    let mut fields: Vec<Field> = joined.into_iter().map(field).collect();
    fields.sort_unstable();
    fields
}

fn address(source: &Peer) -> Option<IpAddr> {
    match source.address.as_ref()?.address.as_ref()? {
        Address::SocketAddress(socket) => socket.address.parse().ok(),
        _ => None,
    }
}

fn shown(source: Peer) -> Shown {
    if !source.certificate.is_empty() {
        Shown::Certificate(source.certificate)
    } else if !source.principal.is_empty() {
        Shown::Name
    } else {
        Shown::Nothing
    }
}

//! Host and port of a request, in one spelling: lower case, no trailing dot, no user info.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

const MAX_HOST_BYTES: usize = 255;

/// Why an `:authority` has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AuthorityRefusal {
    /// Empty, too long, or a character outside `a-z0-9.-_`: also user info and percent signs.
    #[error("host is empty, too long or has a character outside `a-z0-9.-_`")]
    Host,
    /// A label that is empty, as in `a..b` or `.a`.
    #[error("host has an empty label")]
    EmptyLabel,
    /// A bracketed host that is no IPv6 address, or an all-digit one that is no IPv4 address.
    #[error("host is not a valid IP address")]
    Address,
    /// Not a decimal number from 1 to 65535 without leading zeros.
    #[error("port is not a number from 1 to 65535")]
    Port,
}

/// A host and, where given, a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    text: String,
    host_length: usize,
    port: Option<u16>,
}

impl Authority {
    /// Reads `host`, `host:port`, `a.b.c.d:port` or `[v6]:port`.
    pub fn parse(text: &str) -> Result<Self, AuthorityRefusal> {
        let (host, digits) = split(text)?;
        let mut text = canonical_host(host)?;
        let host_length = text.len();
        let port = digits.map(parse_port).transpose()?;
        if let Some(digits) = digits {
            // A port has one spelling: what was parsed is what is written.
            text.push(':');
            text.push_str(digits);
        }
        Ok(Self {
            text,
            host_length,
            port,
        })
    }

    /// Host and port, as forwarded.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host alone; an IPv6 address keeps its brackets.
    pub fn host(&self) -> &str {
        self.text.get(..self.host_length).unwrap_or_default()
    }

    /// The port, where the request names one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

fn split(text: &str) -> Result<(&str, Option<&str>), AuthorityRefusal> {
    if text.starts_with('[') {
        let end = text.find(']').ok_or(AuthorityRefusal::Address)?;
        let (host, rest) = text.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(AuthorityRefusal::Address),
        };
    }
    Ok(match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    })
}

fn canonical_host(host: &str) -> Result<String, AuthorityRefusal> {
    if let Some(inner) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let address: Ipv6Addr = inner.parse().map_err(|_| AuthorityRefusal::Address)?;
        return Ok(format!("[{address}]"));
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
    if host.is_empty() || host.len() > MAX_HOST_BYTES || !host.bytes().all(allowed) {
        return Err(AuthorityRefusal::Host);
    }
    if host.split('.').any(str::is_empty) {
        return Err(AuthorityRefusal::EmptyLabel);
    }
    // A last label of digits (or 0x…) makes it an IPv4 address to some readers, in forms such as
    // 127.1 or 0x7f000001: only the dotted quad is accepted (WHATWG URL section 3.5).
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    if numeric && host.parse::<Ipv4Addr>().is_err() {
        return Err(AuthorityRefusal::Address);
    }
    Ok(host)
}

fn parse_port(text: &str) -> Result<u16, AuthorityRefusal> {
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if plain => Ok(port),
        _ => Err(AuthorityRefusal::Port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_spelling() {
        for (text, want) in [
            ("ADMIN.Example", "admin.example"),
            ("admin.example.", "admin.example"),
            ("admin.example:8080", "admin.example:8080"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("[0:0::1]:443", "[::1]:443"),
        ] {
            assert_eq!(Authority::parse(text).unwrap().as_str(), want, "{text}");
        }
    }

    #[test]
    fn a_host_with_two_readings_is_refused() {
        for text in [
            "",
            ".",
            "a..b",
            ".a",
            "user@host",
            "a b",
            "a%2eb",
            "host:",
            "host:0",
            "host:080",
            "host:65536",
            "host:+1",
            "[::1",
            "[::1]x",
            "127.1",
            "0x7f000001",
            "1.2.3.4.5",
            "hôst",
            "a:b:c",
            "a/b",
            "a\\b",
            "a#b",
        ] {
            assert!(Authority::parse(text).is_err(), "{text}");
        }
    }
}

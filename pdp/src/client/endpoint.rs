//! Where a PDP listens, as the command line has it.
//!
//! INVARIANT: nothing is sent in the clear beyond this machine.

use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;
use url::{Host, Url};

/// Where a PDP listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A TCP address, as a URL: https, or http to this machine.
    Url(Url),
    /// A Unix socket.
    Unix(PathBuf),
}

/// Why a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum EndpointError {
    /// Not a URL.
    #[error("is no URL: {0}")]
    NotAUrl(#[from] url::ParseError),
    /// http to another machine.
    #[error("would send secrets in the clear: use `https://`")]
    InTheClear,
    /// Another scheme.
    #[error("must begin with `http://`, `https://` or `unix:`")]
    Scheme,
}

impl Endpoint {
    /// Whether TLS is spoken there.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Url(url) if url.scheme() == "https")
    }

    /// Scheme, host and port, as a party is named by its URL; none of a Unix socket.
    pub(crate) fn origin(&self) -> Option<String> {
        match self {
            Self::Url(url) => Some(url.origin().ascii_serialization()),
            Self::Unix(_) => None,
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(path.trim_start_matches("//").into()));
        }
        let url: Url = text.parse()?;
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match url.scheme() {
            "https" => Ok(Self::Url(url)),
            "http" if is_here => Ok(Self::Url(url)),
            "http" => Err(EndpointError::InTheClear),
            _ => Err(EndpointError::Scheme),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_in_the_clear_beyond_this_machine() {
        for good in [
            "http://127.0.0.1:8181",
            "http://localhost:8181",
            "http://[::1]:8181",
            "https://pdp.example.org",
            "unix:/run/edgeward/pdp.sock",
        ] {
            assert!(good.parse::<Endpoint>().is_ok(), "{good}");
        }
        for bad in [
            "http://pdp.example.org",
            "http://10.0.0.1:8181",
            "http://169.254.169.254",
            "http://localhost.evil.test",
            "ftp://x",
            "pdp",
        ] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}

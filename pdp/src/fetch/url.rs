//! URLs that keys may be fetched from: https, or plain http to this very machine for development.

use std::fmt;

use ::url::{Host, Url};
use thiserror::Error;

/// An absolute URL of a key document: https (or http to loopback, where that was allowed), with a
/// host, without user name, password or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceUrl(Url);

/// Why a text is not a [`SourceUrl`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SourceUrlError {
    /// Not a URL at all.
    #[error("`{text}` is not a URL: {cause}")]
    NotAUrl {
        /// What was given.
        text: String,
        /// What the parser said.
        cause: ::url::ParseError,
    },
    /// Neither https nor allowed http.
    #[error("`{0}` must begin with `https://`")]
    Scheme(String),
    /// http to somewhere else than this machine.
    #[error("`{0}` is plain http: only allowed to a loopback host, for development")]
    NotLoopback(String),
    /// Has a user name or password.
    #[error("a URL of keys must not contain a user name or password")]
    Credentials,
    /// Has a fragment.
    #[error("`{0}` has a fragment (`#…`), which is never sent: remove it")]
    Fragment(String),
    /// Has a query where none may be.
    #[error("`{0}` has a query (`?…`), which an issuer must not have")]
    Query(String),
}

/// Whether a URL may be plain http.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plaintext {
    /// Never.
    Refused,
    /// To `localhost`, 127.0.0.0/8 and `::1`; for development only.
    Loopback,
}

impl SourceUrl {
    /// Parses `text` and checks its scheme, host and parts.
    pub fn parse(text: &str, plaintext: Plaintext) -> Result<Self, SourceUrlError> {
        let url = Url::parse(text).map_err(|cause| SourceUrlError::NotAUrl {
            text: text.to_owned(),
            cause,
        })?;
        Self::try_from_url(url, plaintext)
    }

    fn try_from_url(url: Url, plaintext: Plaintext) -> Result<Self, SourceUrlError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SourceUrlError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(SourceUrlError::Fragment(url.into()));
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if plaintext == Plaintext::Loopback && is_loopback(&url) => Ok(Self(url)),
            "http" if plaintext == Plaintext::Loopback => {
                Err(SourceUrlError::NotLoopback(url.into()))
            }
            _ => Err(SourceUrlError::Scheme(url.into())),
        }
    }

    /// The URL that `reference` (a `Location`) means when seen at this one; plain http only if
    /// this one is.
    pub(crate) fn join(&self, reference: &str) -> Result<Self, SourceUrlError> {
        let url = self
            .0
            .join(reference)
            .map_err(|cause| SourceUrlError::NotAUrl {
                text: reference.to_owned(),
                cause,
            })?;
        let plaintext = if self.is_https() {
            Plaintext::Refused
        } else {
            Plaintext::Loopback
        };
        Self::try_from_url(url, plaintext)
    }

    /// This one with these parameters behind what its query has.
    pub(crate) fn with_query<'q>(
        &self,
        parameters: impl IntoIterator<Item = (&'q str, &'q str)>,
    ) -> Self {
        let mut url = self.0.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        Self(url)
    }

    /// Below this one: each of `segments` is one, whatever is in it, but for those that are dots.
    pub(crate) fn with_path(&self, segments: &[&str]) -> Self {
        let mut url = self.0.clone();
        // Only URLs without a host have no segments.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        Self(url)
    }

    /// Whether both have the same scheme, host and port.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }

    /// Whether the connection is TLS.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The parsed URL.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The whole URL as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// `host`, or `host:port` where the port is not the scheme's own. Lower case; an IPv6 address
    /// is in brackets.
    pub fn authority(&self) -> &str {
        self.0.authority()
    }
}

impl fmt::Display for SourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_allowed_loopback_http_is_a_source() {
        for text in [
            "http://example.org/keys",
            "ftp://example.org",
            "file:///etc/passwd",
            "example.org",
            "https://",
            "https://user@example.org/",
            "https://:pw@example.org/",
            "https://example.org/#x",
        ] {
            assert!(
                SourceUrl::parse(text, Plaintext::Refused).is_err(),
                "{text}"
            );
            assert!(
                SourceUrl::parse(text, Plaintext::Loopback).is_err(),
                "{text}"
            );
        }
        assert!(SourceUrl::parse("http://127.0.0.1:1/", Plaintext::Refused).is_err());
        assert!(SourceUrl::parse("http://[::1]:1/", Plaintext::Loopback).is_ok());
        assert!(SourceUrl::parse("https://example.org/keys", Plaintext::Refused).is_ok());
    }

    #[test]
    fn a_reference_never_leads_from_https_to_http() {
        let base = SourceUrl::parse("https://localhost/a", Plaintext::Loopback).unwrap();
        assert!(base.join("http://localhost/b").is_err());
        assert!(base.join("/b").is_ok_and(|url| url.same_origin(&base)));
        assert!(
            base.join("//other/b")
                .is_ok_and(|url| !url.same_origin(&base))
        );
    }
}

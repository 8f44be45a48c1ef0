//! SPIFFE IDs and trust domains: the names of workloads, each with exactly one parser.
//!
//! What this is not: it does not say that a workload *is* who it claims to be; see
//! [`crate::token`] and [`crate::peer`] for that.
//!
//! Source: SPIFFE-ID.md sections 2.1 to 2.4 (repository state 2026-07-01). Where the text calls
//! scheme and trust domain case-insensitive, we refuse anything but lower case, as go-spiffe does:
//! one workload has one spelling, so that two spellings can never be two cache entries or two rules.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest SPIFFE ID accepted, in bytes (SPIFFE-ID.md section 2.3).
pub const MAX_ID_BYTES: usize = 2048;
/// The longest trust domain name accepted, in bytes (SPIFFE-ID.md section 2.1).
pub const MAX_TRUST_DOMAIN_BYTES: usize = 255;

const SCHEME: &str = "spiffe://";

/// Why a text is not a SPIFFE ID, a trust domain or a path of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SpiffeIdError {
    /// Nothing was given.
    #[error("SPIFFE ID is empty")]
    Empty,
    /// Longer than [`MAX_ID_BYTES`], or its trust domain than [`MAX_TRUST_DOMAIN_BYTES`].
    #[error("SPIFFE ID is too long")]
    TooLong,
    /// Does not begin with `spiffe://` in lower case.
    #[error("scheme is missing or not `spiffe`")]
    WrongScheme,
    /// No trust domain between the scheme and the path.
    #[error("trust domain is missing")]
    MissingTrustDomain,
    /// A byte outside `[a-z0-9.-_]`: also ports, user names, queries and percent signs.
    #[error("trust domain has a character outside `a-z0-9.-_`")]
    BadTrustDomainCharacter,
    /// A byte outside `[a-zA-Z0-9.-_]` in a path segment.
    #[error("path segment has a character outside `a-zA-Z0-9.-_`")]
    BadPathSegmentCharacter,
    /// Two slashes in a row.
    #[error("path has an empty segment")]
    EmptySegment,
    /// A segment that is `.` or `..`.
    #[error("path has a dot segment")]
    DotSegment,
    /// The path ends in a slash.
    #[error("path has a trailing slash")]
    TrailingSlash,
    /// A path that does not begin with a slash.
    #[error("path has no leading slash")]
    NoLeadingSlash,
}

/// The name of a trust domain, such as `example.org`: lower case, at most 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrustDomain(String);

impl TrustDomain {
    /// The name, for example `example.org`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TrustDomain {
    type Err = SpiffeIdError;

    /// Parses a bare name; a whole SPIFFE ID is refused, so that configuration has one spelling.
    fn from_str(name: &str) -> Result<Self, SpiffeIdError> {
        if name.is_empty() {
            return Err(SpiffeIdError::MissingTrustDomain);
        }
        if name.len() > MAX_TRUST_DOMAIN_BYTES {
            return Err(SpiffeIdError::TooLong);
        }
        if !name.bytes().all(is_trust_domain_byte) {
            return Err(SpiffeIdError::BadTrustDomainCharacter);
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for TrustDomain {
    type Error = SpiffeIdError;

    fn try_from(name: String) -> Result<Self, SpiffeIdError> {
        name.parse()
    }
}

impl From<TrustDomain> for String {
    fn from(name: TrustDomain) -> Self {
        name.0
    }
}

/// A SPIFFE ID, such as `spiffe://example.org/ns/shop/sa/cart`.
///
/// One string and one offset; equality of two IDs is equality of their bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpiffeId {
    text: String,
    path_at: usize,
}

impl SpiffeId {
    /// The whole ID, for example `spiffe://example.org/cart`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path with its leading slash, or the empty string for the ID of a trust domain itself.
    pub fn path(&self) -> &str {
        self.text.get(self.path_at..).unwrap_or_default()
    }

    /// The trust domain this ID belongs to.
    pub fn trust_domain(&self) -> TrustDomain {
        TrustDomain(
            self.text
                .get(SCHEME.len()..self.path_at)
                .unwrap_or_default()
                .to_owned(),
        )
    }

    /// Whether `domain` is this ID's trust domain, without building one.
    pub fn is_member_of(&self, domain: &TrustDomain) -> bool {
        self.text.get(SCHEME.len()..self.path_at) == Some(domain.as_str())
    }
}

impl FromStr for SpiffeId {
    type Err = SpiffeIdError;

    fn from_str(text: &str) -> Result<Self, SpiffeIdError> {
        if text.is_empty() {
            return Err(SpiffeIdError::Empty);
        }
        if text.len() > MAX_ID_BYTES {
            return Err(SpiffeIdError::TooLong);
        }
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or(SpiffeIdError::WrongScheme)?;
        let domain_length = rest.find('/').unwrap_or(rest.len());
        let (domain, path) = rest.split_at(domain_length);
        domain.parse::<TrustDomain>()?;
        check_path(path)?;
        Ok(Self {
            text: text.to_owned(),
            path_at: SCHEME.len() + domain_length,
        })
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpiffeId({})", self.text)
    }
}

impl TryFrom<String> for SpiffeId {
    type Error = SpiffeIdError;

    fn try_from(text: String) -> Result<Self, SpiffeIdError> {
        text.parse()
    }
}

impl From<SpiffeId> for String {
    fn from(id: SpiffeId) -> Self {
        id.text
    }
}

/// Whether `text` sets out to be a SPIFFE ID, in any case: what decides the token profile, so that
/// a misspelt SPIFFE ID is refused as one and never read as some other issuer's subject.
pub fn looks_like_spiffe_id(text: &str) -> bool {
    text.get(..SCHEME.len() - 2)
        .is_some_and(|head| head.eq_ignore_ascii_case("spiffe:"))
}

/// Checks the path of a SPIFFE ID: empty, or `/`-led segments (SPIFFE-ID.md section 2.2).
pub fn check_path(path: &str) -> Result<(), SpiffeIdError> {
    if path.is_empty() {
        return Ok(());
    }
    let segments = path
        .strip_prefix('/')
        .ok_or(SpiffeIdError::NoLeadingSlash)?;
    let mut rest = segments.split('/').peekable();
    while let Some(segment) = rest.next() {
        match segment {
            "" if rest.peek().is_none() => return Err(SpiffeIdError::TrailingSlash),
            "" => return Err(SpiffeIdError::EmptySegment),
            "." | ".." => return Err(SpiffeIdError::DotSegment),
            _ if !segment.bytes().all(is_path_byte) => {
                return Err(SpiffeIdError::BadPathSegmentCharacter);
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_trust_domain_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_')
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_malformed_id_is_refused_for_its_own_reason() {
        for (text, want) in [
            ("", SpiffeIdError::Empty),
            ("http://example.org/a", SpiffeIdError::WrongScheme),
            ("SPIFFE://example.org/a", SpiffeIdError::WrongScheme),
            ("spiffe:///a", SpiffeIdError::MissingTrustDomain),
            (
                "spiffe://Example.org/a",
                SpiffeIdError::BadTrustDomainCharacter,
            ),
            (
                "spiffe://example.org:80/a",
                SpiffeIdError::BadTrustDomainCharacter,
            ),
            (
                "spiffe://example.org?q",
                SpiffeIdError::BadTrustDomainCharacter,
            ),
            (
                "spiffe://example.org/a?q",
                SpiffeIdError::BadPathSegmentCharacter,
            ),
            (
                "spiffe://example.org/%41",
                SpiffeIdError::BadPathSegmentCharacter,
            ),
            ("spiffe://example.org//a", SpiffeIdError::EmptySegment),
            ("spiffe://example.org/a/", SpiffeIdError::TrailingSlash),
            ("spiffe://example.org/a/../b", SpiffeIdError::DotSegment),
        ] {
            assert_eq!(text.parse::<SpiffeId>(), Err(want), "{text}");
        }
    }

    #[test]
    fn length_limits_are_exact() {
        let domain = "a".repeat(MAX_TRUST_DOMAIN_BYTES);
        assert!(domain.parse::<TrustDomain>().is_ok());
        assert_eq!(
            format!("{domain}a").parse::<TrustDomain>(),
            Err(SpiffeIdError::TooLong)
        );
        let id = format!("spiffe://d/{}", "a".repeat(MAX_ID_BYTES - 11));
        assert!(id.parse::<SpiffeId>().is_ok());
        assert_eq!(
            format!("{id}a").parse::<SpiffeId>(),
            Err(SpiffeIdError::TooLong)
        );
    }

    proptest! {
        #[test]
        fn an_accepted_id_is_its_own_text(text in "\\PC{0,80}|spiffe://[a-z.]{1,9}(/[A-Za-z0-9._-]{1,6}){0,4}") {
            if let Ok(id) = text.parse::<SpiffeId>() {
                prop_assert_eq!(id.as_str(), &text);
                let rebuilt = format!("spiffe://{}{}", id.trust_domain(), id.path());
                prop_assert_eq!(rebuilt, text);
            }
        }
    }
}

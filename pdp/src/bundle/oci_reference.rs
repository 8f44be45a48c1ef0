//! What an artifact of an OCI registry is called: registry, repository, and a tag or a digest.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use edgeward_core::revocation::hex;
use thiserror::Error;

/// Bytes a repository's name may have (OCI Distribution Specification, "Pulling manifests").
const MAX_REPOSITORY: usize = 255;
/// Bytes a tag may have.
const MAX_TAG: usize = 128;

/// A whole reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OciReference {
    /// Host, and port where it is another than 443.
    pub registry: String,
    /// Path of names in lower case.
    pub repository: String,
    /// Which of its artifacts.
    pub version: OciVersion,
}

/// Which artifact of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OciVersion {
    /// Whichever has this name now.
    Tag(String),
    /// This one, for ever.
    Digest(OciDigest),
}

/// The name of bytes by what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OciDigest(String);

/// Not a reference.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OciReferenceError {
    /// No registry in front.
    #[error(
        "`{0}` names no registry: write it whole, such as `registry.example.com/policies/authz:1`"
    )]
    Registry(String),
    /// Not a repository's name.
    #[error("`{0}` is no repository: names of lower-case letters and digits with `/` between two")]
    Repository(String),
    /// Not a tag.
    #[error("`{0}` is no tag: letters, digits, `_`, `-` and `.`")]
    Tag(String),
    /// Neither tag nor digest.
    #[error("`{0}` has neither a tag (`:1`) nor a digest (`@sha256:…`)")]
    NoVersion(String),
    /// Not a digest.
    #[error("`{0}` is no digest: `sha256:` or `sha512:`, and lower-case hexadecimal digits")]
    Digest(String),
}

impl FromStr for OciReference {
    type Err = OciReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("oci://").unwrap_or(text);
        let no_registry = || OciReferenceError::Registry(text.to_owned());
        let (registry, rest) = rest.split_once('/').ok_or_else(no_registry)?;
        if !is_registry(registry) {
            return Err(no_registry());
        }
        let (repository, version) = match (rest.split_once('@'), rest.split_once(':')) {
            (Some((repository, digest)), _) => (repository, OciVersion::Digest(digest.parse()?)),
            (None, Some((repository, tag))) if is_tag(tag) => {
                (repository, OciVersion::Tag(tag.to_owned()))
            }
            (None, Some((_, tag))) => return Err(OciReferenceError::Tag(tag.to_owned())),
            (None, None) => return Err(OciReferenceError::NoVersion(text.to_owned())),
        };
        if repository.len() > MAX_REPOSITORY || !repository.split('/').all(is_name) {
            return Err(OciReferenceError::Repository(repository.to_owned()));
        }
        Ok(Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            version,
        })
    }
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.version {
            OciVersion::Tag(_) => ':',
            OciVersion::Digest(_) => '@',
        };
        let Self {
            registry,
            repository,
            version,
        } = self;
        write!(f, "oci://{registry}/{repository}{sign}{version}")
    }
}

impl fmt::Display for OciVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// A host with a dot or a port, or this machine: another first name is a repository's.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let is_v6 = |b: u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':');
    let is_host = match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(address) => address.bytes().all(is_v6),
        None => !host.is_empty() && host.bytes().all(is_name),
    };
    let is_whole = port.is_some() || text.contains('.') || text == "localhost";
    is_host && is_whole && port.is_none_or(is_port)
}

/// Letters and digits, with separators between two.
fn is_name(name: &str) -> bool {
    let is_plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    let has_ends = bytes.first().is_some_and(is_plain) && bytes.last().is_some_and(is_plain);
    let mut separators = name.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_separator =
        |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|b| b == b'-');
    has_ends && separators.all(is_separator)
}

fn is_tag(tag: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=MAX_TAG).contains(&tag.len())
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'-'))
}

impl OciDigest {
    /// Whether `bytes` are what it names.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        let algorithm = match self.0.split_once(':') {
            Some(("sha256", _)) => &digest::SHA256,
            _ => &digest::SHA512,
        };
        let found = hex(digest::digest(algorithm, bytes).as_ref());
        self.0.split_once(':').is_some_and(|(_, own)| own == found)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OciDigest {
    type Err = OciReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        let length = match text.split_once(':') {
            Some(("sha256", digits)) if digits.bytes().all(is_digit) => digits.len() == 64,
            Some(("sha512", digits)) if digits.bytes().all(is_digit) => digits.len() == 128,
            _ => false,
        };
        if length {
            Ok(Self(text.to_owned()))
        } else {
            Err(OciReferenceError::Digest(text.to_owned()))
        }
    }
}

impl fmt::Display for OciDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_whole_or_refused_with_what_is_missing() {
        let nothing = format!(
            "sha256:{}",
            hex(digest::digest(&digest::SHA256, b"").as_ref())
        );
        let by_digest = format!("ghcr.io/acme/authz@{nothing}");
        for (text, expected) in [
            ("ghcr.io/acme/authz:1.2", "oci://ghcr.io/acme/authz:1.2"),
            (
                "oci://localhost:5000/a__b/c-d.e:v_1",
                "oci://localhost:5000/a__b/c-d.e:v_1",
            ),
            (&by_digest, &format!("oci://{by_digest}")),
            ("acme/authz:1", "names no registry"),
            ("authz:1", "names no registry"),
            ("https://ghcr.io/acme/authz:1", "names no registry"),
            ("user@ghcr.io/acme/authz:1", "names no registry"),
            ("ghcr.io/acme/authz", "neither a tag"),
            ("ghcr.io/Acme/authz:1", "no repository"),
            ("ghcr.io/acme//authz:1", "no repository"),
            ("ghcr.io/../authz:1", "no repository"),
            ("ghcr.io/-a:1", "no repository"),
            ("ghcr.io/a:b/c", "no tag"),
            ("ghcr.io/a:", "no tag"),
            ("ghcr.io/a@sha256:abc", "no digest"),
            (
                "ghcr.io/a@md5:d41d8cd98f00b204e9800998ecf8427e",
                "no digest",
            ),
        ] {
            match text.parse::<OciReference>() {
                Ok(reference) => assert_eq!(reference.to_string(), expected),
                Err(error) => assert!(error.to_string().contains(expected), "{text}: {error}"),
            }
        }
        let digest: OciDigest = nothing.parse().unwrap();
        assert!(digest.is_of(b"") && !digest.is_of(b"x"));
    }
}

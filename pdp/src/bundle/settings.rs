//! The checked settings of this room. The config room builds them from YAML; tests build them by hand.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use super::oci::OciArtifact;
use super::revision::Rollback;
use super::s3::S3Object;
use super::signature::Trust;
use crate::fetch::{FetchSettings, SourceUrl};

/// Characters a bundle's name may have.
const MAX_NAME: usize = 64;

/// The policy bundles that decide together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundlesSettings {
    /// Each by its name; never empty.
    pub bundles: BTreeMap<BundleName, BundleSettings>,
    /// Where the last ones in force outlive a restart; none, and they do not.
    pub directory: Option<PathBuf>,
}

/// One policy bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleSettings {
    /// Where it comes from.
    pub source: Source,
    /// Whom it must be signed by; none, and it must not be signed.
    pub trust: Option<Trust>,
    /// Whether an older one may take its place.
    pub rollback: Rollback,
    /// How long it decides without its source having said that it is still the one.
    pub max_age: Duration,
}

/// Where a bundle comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A packed bundle or a folder with an unpacked one, read again when it changes.
    Path(PathBuf),
    /// A packed bundle on a server.
    Http(Box<Endpoint>),
    /// A packed bundle in a bucket.
    S3(Box<S3Object>),
    /// A packed bundle in a registry.
    Oci(Box<OciArtifact>),
}

impl Source {
    /// How it is fetched; none where it lies on this machine.
    pub fn fetch(&self) -> Option<&FetchSettings> {
        match self {
            Self::Path(_) => None,
            Self::Http(endpoint) => Some(&endpoint.fetch),
            Self::S3(object) => Some(&object.fetch),
            Self::Oci(artifact) => Some(&artifact.fetch),
        }
    }

    /// Whether it is asked to wait for news.
    pub(super) fn awaits(&self) -> bool {
        matches!(self, Self::Http(endpoint) if endpoint.long_poll.is_some())
    }
}

/// A server of bundles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The bundle's URL.
    pub url: SourceUrl,
    /// How it is fetched, and how often.
    pub fetch: FetchSettings,
    /// How long the server is asked to wait for news; none asks for no wait.
    pub long_poll: Option<Duration>,
    /// A file with the token that says who we are.
    pub bearer_token: Option<PathBuf>,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Http(endpoint) => endpoint.url.fmt(f),
            Self::S3(object) => object.url().fmt(f),
            Self::Oci(artifact) => artifact.reference().fmt(f),
        }
    }
}

/// What a bundle is called: letters, digits, `-`, `_` and `.`, as in metrics and file names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleName(String);

/// Not a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no name of a bundle: use at most {MAX_NAME} letters, digits, `-`, `_` and `.`")]
pub struct BundleNameError(String);

impl BundleName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BundleName {
    type Err = BundleNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let is_name = (1..=MAX_NAME).contains(&text.len())
            && text.bytes().all(is_plain)
            && !text.starts_with('.');
        if is_name {
            Ok(Self(text.to_owned()))
        } else {
            Err(BundleNameError(text.to_owned()))
        }
    }
}

impl fmt::Display for BundleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

//! The kinds of evidence that is no JWT, as a request names them.

use std::str::FromStr;

use thiserror::Error;

/// What kind of evidence is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EvidenceKind {
    /// An AWS instance identity document.
    AwsInstance,
    /// A signed `GetCallerIdentity` of AWS.
    AwsSts,
    /// An Azure attested document.
    AzureDocument,
    /// A static key, in development.
    StaticKey,
}

/// The text names no kind of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "is none of `urn:edgeward:evidence:aws-instance`, `urn:edgeward:evidence:aws-sts`, `urn:edgeward:evidence:azure-document` and `urn:edgeward:evidence:static-key`"
)]
pub struct EvidenceKindError;

impl EvidenceKind {
    /// As a request names it: a type of token (RFC 8693 section 3).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwsInstance => "urn:edgeward:evidence:aws-instance",
            Self::AwsSts => "urn:edgeward:evidence:aws-sts",
            Self::AzureDocument => "urn:edgeward:evidence:azure-document",
            Self::StaticKey => "urn:edgeward:evidence:static-key",
        }
    }
}

impl FromStr for EvidenceKind {
    type Err = EvidenceKindError;

    fn from_str(text: &str) -> Result<Self, EvidenceKindError> {
        [
            Self::AwsInstance,
            Self::AwsSts,
            Self::AzureDocument,
            Self::StaticKey,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or(EvidenceKindError)
    }
}

//! Why a caller's request does not count.

use thiserror::Error;

use super::super::{AttributeError, AwsAccount};
use crate::fetch::FetchError;

/// Why a signed request, or what STS said to it, does not count.
#[derive(Debug, Error)]
pub enum AwsStsRefusal {
    /// Longer than is taken.
    #[error("evidence is longer than {0} bytes")]
    TooLong(usize),
    /// Neither of the two forms, or base64 or JSON that cannot be read.
    #[error(
        "evidence is neither `k8s-aws-v1.` with a URL in base64url, nor a posted request as JSON"
    )]
    Unreadable,
    /// Not such as `https://sts.eu-central-1.amazonaws.com/`.
    #[error("the request's URL is not that of STS: https, no user, no port, path `/`")]
    Url,
    /// Another host than that of the region it was signed for.
    #[error("the request's host is none of STS in the region that it was signed for")]
    Host,
    /// Signed for a region that is not configured.
    #[error("region `{0}` is not configured")]
    Region(String),
    /// A parameter or header twice, whatever its case.
    #[error("`{0}` is there twice")]
    Duplicate(String),
    /// A query parameter that such a request does not have, or in another spelling.
    #[error("parameter `{0}` is not one of a presigned `GetCallerIdentity`")]
    Parameter(String),
    /// Another action, version, method or body.
    #[error("the request is not `GetCallerIdentity` of version 2011-06-15")]
    Action,
    /// Algorithm, scope, signed headers or signature are missing or of a wrong form.
    #[error("the request's signature: `{0}` is missing or not as it must be")]
    Signing(&'static str),
    /// A signed header that is not sent to STS.
    #[error("header `{0}` is signed, but is none that is sent to STS")]
    Header(String),
    /// Our header is not among those that are signed.
    #[error("header `X-Edgeward-Server-ID` is not signed")]
    ServerIdUnsigned,
    /// Signed for another party.
    #[error("header `X-Edgeward-Server-ID` is not this server's")]
    ServerId,
    /// Not 0 to 900 seconds.
    #[error("`X-Amz-Expires` is not 0 to 900")]
    Expires,
    /// Signed more than 15 minutes ago, expired, or in the future.
    #[error("the request was signed too long ago, or in the future")]
    Time,
    /// STS does not accept the signature.
    #[error("STS refused the request with status {0}")]
    Rejected(u16),
    /// STS could not be asked.
    #[error("STS could not be asked: {0}")]
    Unavailable(FetchError),
    /// Not the answer to `GetCallerIdentity`, such as a page, or a redirect.
    #[error("STS answered with something else than a caller's identity: {0}")]
    Answer(&'static str),
    /// Of an account that is not configured.
    #[error("account {0} is not configured")]
    Account(AwsAccount),
    /// Something that cannot be an attribute.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
}

impl AwsStsRefusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "evidence-too-long",
            Self::Unreadable => "evidence-unreadable",
            Self::Url => "evidence-request-url",
            Self::Host => "evidence-request-host",
            Self::Region(_) => "evidence-region-unknown",
            Self::Duplicate(_) => "evidence-request-duplicate",
            Self::Parameter(_) => "evidence-request-parameter",
            Self::Action => "evidence-request-action",
            Self::Signing(_) => "evidence-request-signing",
            Self::Header(_) => "evidence-request-header",
            Self::ServerIdUnsigned => "evidence-server-id-unsigned",
            Self::ServerId => "evidence-server-id-mismatch",
            Self::Expires => "evidence-request-expires",
            Self::Time => "evidence-expired",
            Self::Rejected(_) => "evidence-rejected",
            Self::Unavailable(_) => "provider-unavailable",
            Self::Answer(_) => "provider-answer-invalid",
            Self::Account(_) => "evidence-account-unknown",
            Self::Attribute(_) => "evidence-attribute-invalid",
        }
    }
}

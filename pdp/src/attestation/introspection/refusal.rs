//! Why an authorization server does not stand behind a token.

use edgeward_core::json::JsonError;
use thiserror::Error;

use crate::attestation::AttributeError;
use crate::attestation::jwt::ClaimError;
use crate::fetch::FetchError;

/// The token does not count.
#[derive(Debug, Error)]
pub enum IntrospectionRefusal {
    /// Too long, or not of visible characters.
    #[error("it is no token: too long, or not of visible ASCII characters")]
    Unreadable,
    /// The server says that it is not active: unknown to it, expired, or revoked there.
    #[error("its server says that it is not active")]
    Inactive,
    /// Another issuer's, or nobody's.
    #[error("`iss` is not that of the configured server")]
    Issuer,
    /// Bound to a key, or of another type than bearer.
    #[error("it is bound to a key, or is no bearer token: it cannot be shown by sending it")]
    Bound,
    /// For others.
    #[error("`aud` does not name us")]
    Audience,
    /// For others too.
    #[error("`aud` names others too: evidence must be for this PDP alone")]
    SharedAudience,
    /// It has ended.
    #[error("it has expired")]
    Expired,
    /// It does not hold yet.
    #[error("it does not hold yet")]
    NotYet,
    /// It lives longer than is taken.
    #[error("it lives longer than `max_lifetime`")]
    TooLong,
    /// A member that is needed.
    #[error("`{0}` is missing in what its server says")]
    Missing(&'static str),
    /// A member of another type than the standard's.
    #[error("`{0}` has the wrong type in what its server says")]
    Type(&'static str),
    /// A configured claim that cannot become an attribute.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// Text that nobody should match or log.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// The server does not take our own credentials.
    #[error("its server does not let this PDP ask (status {0})")]
    Forbidden(u16),
    /// The file of our secret or key.
    #[error("this PDP's own secret or key for its server cannot be read")]
    OwnCredential,
    /// The answer is no answer.
    #[error("its server's answer: {0}")]
    Answer(&'static str),
    /// The answer is no JSON object with each name once.
    #[error("its server's answer: {0}")]
    Json(#[from] JsonError),
    /// The server cannot be asked.
    #[error("its server cannot be asked: {0}")]
    Unavailable(FetchError),
}

impl IntrospectionRefusal {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable => "evidence-unreadable",
            Self::Inactive => "token-inactive",
            Self::Issuer => "token-issuer-unknown",
            Self::Bound => "evidence-bound",
            Self::Audience => "token-audience-mismatch",
            Self::SharedAudience => "evidence-audience-shared",
            Self::Expired => "token-expired",
            Self::NotYet => "token-not-yet-valid",
            Self::TooLong => "token-lifetime-too-long",
            Self::Missing(_) => "evidence-claim-missing",
            Self::Type(_) | Self::Claim(_) | Self::Attribute(_) => "evidence-claim-invalid",
            Self::Forbidden(_) | Self::OwnCredential => "introspection-forbidden",
            Self::Answer(_) | Self::Json(_) => "introspection-answer-invalid",
            Self::Unavailable(_) => "introspection-unavailable",
        }
    }

    /// Whether the token may be good, and its server could not be asked.
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Forbidden(_)
                | Self::OwnCredential
                | Self::Answer(_)
                | Self::Json(_)
                | Self::Unavailable(_)
        )
    }
}

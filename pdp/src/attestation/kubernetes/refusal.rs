//! Why the API server's word does not stand behind a token.

use edgeward_core::json::JsonError;
use thiserror::Error;

use crate::attestation::AttributeError;
use crate::fetch::FetchError;

/// The API server does not vouch for the token or its pod.
#[derive(Debug, Error)]
pub enum ReviewRefusal {
    /// It says that the token does not hold: its pod or service account is gone, say.
    #[error("the API server does not take the token")]
    Rejected,
    /// It took the token, and for another workload, pod or audience than its claims say.
    #[error("the API server's `{0}` is not what the token says")]
    Disagreement(&'static str),
    /// There is no such pod any more, or another of its name.
    #[error("the token's pod is not there any more")]
    PodGone,
    /// All of its containers have ended.
    #[error("the token's pod has ended")]
    PodEnded,
    /// It let us in, and does not let us see what we must.
    #[error(
        "the API server does not let this PDP read `{0}`: see docs/trust-providers.md for the role that it needs"
    )]
    Forbidden(&'static str),
    /// It does not know us.
    #[error("the API server does not take this PDP's own token (status 401)")]
    Unauthorized,
    /// The file of our own token.
    #[error("this PDP's own token for the API server cannot be read")]
    OwnToken,
    /// Its answer is not one.
    #[error("the API server's answer: {0}")]
    Answer(&'static str),
    /// Its answer is no JSON with each name once.
    #[error("the API server's answer: {0}")]
    Json(#[from] JsonError),
    /// Too many of its labels, or text that nobody should match or log.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// It cannot be asked.
    #[error("the API server cannot be asked: {0}")]
    Unavailable(FetchError),
}

impl ReviewRefusal {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected => "kubernetes-token-rejected",
            Self::Disagreement(_) => "evidence-claims-disagree",
            Self::PodGone => "kubernetes-pod-gone",
            Self::PodEnded => "kubernetes-pod-ended",
            Self::Forbidden(_) | Self::Unauthorized | Self::OwnToken => {
                "kubernetes-review-forbidden"
            }
            Self::Answer(_) | Self::Json(_) => "kubernetes-answer-invalid",
            Self::Attribute(_) => "evidence-claim-invalid",
            Self::Unavailable(_) => "kubernetes-unavailable",
        }
    }

    /// Whether the token may be good, and the API server could not be asked.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Forbidden(_)
            | Self::Unauthorized
            | Self::OwnToken
            | Self::Answer(_)
            | Self::Json(_)
            | Self::Unavailable(_) => true,
            Self::Rejected
            | Self::Disagreement(_)
            | Self::PodGone
            | Self::PodEnded
            | Self::Attribute(_) => false,
        }
    }
}

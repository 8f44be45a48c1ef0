//! Why no token is issued: what the caller is told, by which code, and whose fault it is.
//!
//! Codes are in `docs/reason-codes.md`. Messages name nothing that the caller did not send or may not
//! know of itself.

use std::sync::Arc;

use edgeward_core::credential::CredentialRefusal;
use edgeward_core::revocation::Kind;
use edgeward_core::token::TokenRefusal;
use http::StatusCode;
use thiserror::Error;

use super::keys::SignError;
use super::used::UsedError;
use crate::attestation::evidence::EvidenceRefusal;
use crate::attestation::introspection::IntrospectionRefusal;
use crate::attestation::jwt::JwtRefusal;
use crate::attestation::kubernetes::ReviewRefusal;
use crate::attestation::svid::SvidRefusal;
use crate::workloads::NotAdmitted;

/// Why no token is issued.
#[derive(Debug, Error)]
pub enum ExchangeRefusal {
    /// What is shown is no evidence.
    #[error("evidence: {0}")]
    Evidence(#[from] JwtRefusal),
    /// The same, of what is no JWT.
    #[error("evidence: {0}")]
    OtherEvidence(#[from] EvidenceRefusal),
    /// Its platform, when asked, does not stand behind it.
    #[error("evidence: {0}")]
    Review(#[from] Arc<ReviewRefusal>),
    /// Its authorization server does not stand behind it.
    #[error("evidence: {0}")]
    Introspection(#[from] Arc<IntrospectionRefusal>),
    /// The caller's certificate is no evidence.
    #[error("evidence: {0}")]
    Svid(#[from] SvidRefusal),
    /// An opaque token says nothing of who issued it.
    #[error(
        "an opaque token does not say whose it is: name one of the trust providers with `introspection` by `trust_provider`"
    )]
    WhoseToken,
    /// It is not by whom the caller says.
    #[error("what is shown is not of the trust provider that `trust_provider` names")]
    OtherProvider,
    /// Too many wait for their platform's word already.
    #[error("too many wait for what their platform says: try again")]
    Busy,
    /// What is shown says that it is a token of ours, and does not hold.
    #[error("token: {0}")]
    Token(#[from] TokenRefusal),
    /// It is bound to what the caller does not show.
    #[error(transparent)]
    Binding(#[from] CredentialRefusal),
    /// The evidence is good, and makes no workload.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// It counts once, and counted already; or nobody knows.
    #[error(transparent)]
    Used(#[from] UsedError),
    /// The workload of a token of ours is not configured any more.
    #[error("the workload of this token is not configured any more")]
    WorkloadGone,
    /// Something by which the caller is known is revoked.
    #[error("the identity is revoked")]
    Revoked(Kind),
    /// The workload's tokens may not be for this one.
    #[error("its tokens may not be for `{0}`: see `audiences` of the workload")]
    Audience(String),
    /// The workload, or the token shown, has no such scope.
    #[error("scope `{0}` is more than was granted")]
    Scope(String),
    /// Its tokens are bound to a certificate, and it shows none.
    #[error("a TLS client certificate is needed: ask with one")]
    NoCertificate,
    /// A token that somebody acts in is not renewed.
    #[error("a token in which another acts cannot be renewed or act")]
    DelegatedToken,
    /// A token of ours that was for another.
    #[error("the token is not addressed to the token service")]
    NotAddressedToUs,
    /// Attested too long ago.
    #[error("the workload was attested too long ago: attest it anew")]
    AttestationTooOld,
    /// Somebody shows another's evidence.
    #[error("the subject of a delegation must be a token of this service, not evidence")]
    DelegationOfEvidence,
    /// Not by configuration.
    #[error("`{actor}` may not act for `{subject}`: see `acts_for`")]
    DelegationNotAllowed {
        /// Who would act.
        actor: String,
        /// For whom.
        subject: String,
    },
    /// The token was sent to somebody else.
    #[error("the token is not addressed to the workload that would act")]
    DelegationNotAddressed,
    /// Too many act in it already.
    #[error("too many act in this token already")]
    DelegationTooDeep,
    /// No issuer is configured, which an access token needs.
    #[error("access tokens need `token_service.issuer`: ask for a JWT")]
    NoIssuer,
    /// There is no key to sign with.
    #[error("cannot sign: {0}")]
    Signing(#[from] SignError),
    /// The system gives no random bytes.
    #[error("cannot name a token")]
    NoRandomness,
}

impl ExchangeRefusal {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Evidence(refusal) => refusal.code(),
            Self::OtherEvidence(refusal) => refusal.code(),
            Self::Review(refusal) => refusal.code(),
            Self::Introspection(refusal) => refusal.code(),
            Self::Svid(refusal) => refusal.code(),
            Self::WhoseToken => "evidence-provider-unknown",
            Self::OtherProvider => "evidence-provider-mismatch",
            Self::Token(refusal) => refusal.code(),
            Self::Binding(refusal) => refusal.code(),
            Self::NotAdmitted(refusal) => refusal.code(),
            Self::Used(refusal) => refusal.code(),
            Self::WorkloadGone => "client-workload-unknown",
            Self::Revoked(kind) => kind.code(),
            Self::Audience(_) => "audience-not-granted",
            Self::Scope(_) => "scope-not-granted",
            Self::NoCertificate => "certificate-needed",
            Self::DelegatedToken => "token-delegated",
            Self::NotAddressedToUs => "token-audience-mismatch",
            Self::AttestationTooOld => "attestation-too-old",
            Self::DelegationOfEvidence => "delegation-of-evidence",
            Self::DelegationNotAllowed { .. } => "delegation-not-allowed",
            Self::DelegationNotAddressed => "delegation-not-addressed",
            Self::DelegationTooDeep => "delegation-too-deep",
            Self::NoIssuer => "access-tokens-not-issued",
            Self::Signing(error) => error.code(),
            Self::Busy | Self::NoRandomness => "token-service-unavailable",
        }
    }

    /// The error code of RFC 6749 section 5.2 and RFC 8693 section 2.2.2.
    pub fn oauth_error(&self) -> &'static str {
        match self {
            Self::Audience(_) => "invalid_target",
            Self::Scope(_) => "invalid_scope",
            Self::NotAdmitted(_)
            | Self::WorkloadGone
            | Self::DelegationNotAllowed { .. }
            | Self::Revoked(_) => "unauthorized_client",
            Self::OtherEvidence(refusal) if refusal.is_outage() => "server_error",
            Self::Review(refusal) if refusal.is_outage() => "server_error",
            Self::Introspection(refusal) if refusal.is_outage() => "server_error",
            Self::Svid(refusal) if refusal.is_outage() => "server_error",
            Self::Svid(_) | Self::NoCertificate => "invalid_client",
            Self::Signing(_) | Self::NoRandomness | Self::Busy | Self::Used(UsedError::Disk(_)) => {
                "server_error"
            }
            // "If either the subject_token or actor_token are invalid for any reason".
            _ => "invalid_request",
        }
    }

    /// The status that goes with it.
    pub fn status(&self) -> StatusCode {
        match self.oauth_error() {
            "server_error" => StatusCode::SERVICE_UNAVAILABLE,
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

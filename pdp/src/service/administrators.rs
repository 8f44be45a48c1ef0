//! Who may revoke: whoever shows an admin token, or proves in TLS to be an operator.
//!
//! INVARIANT: an operator's certificate comes from the TLS session of the very connection that the
//! call came on, never from a header. Nobody configured is nobody let in.
//!
//! What this is not: the chain's verification; TLS did that, by the listener's `client_ca`.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use edgeward_core::revocation::{Identity, Revocations};
use edgeward_core::spiffe::{SpiffeId, SpiffeIdError};
use edgeward_core::time::UnixSeconds;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::reply::Refusal;
use super::tls::ClientCertificate;
use crate::crypto::{SvidError, X509Svid};

/// Who may revoke. Empty is nobody.
#[derive(Debug, Clone, Default)]
pub struct Administrators {
    /// SHA-256 of bearer tokens; the tokens themselves are nowhere here.
    pub token_digests: Vec<[u8; 32]>,
    /// Workloads that may, by their client certificate.
    pub operators: Vec<OperatorId>,
}

/// The SPIFFE ID of an operator: of a workload, never of a whole trust domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorId(SpiffeId);

/// Why a text names no operator.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum OperatorIdError {
    /// Not a SPIFFE ID.
    #[error("is no SPIFFE ID: {0}: write one such as `spiffe://example.org/operator`")]
    SpiffeId(#[from] SpiffeIdError),
    /// The SPIFFE ID of a trust domain.
    #[error(
        "names a whole trust domain: add the operator's path, as in `spiffe://example.org/operator`"
    )]
    NoPath,
}

impl FromStr for OperatorId {
    type Err = OperatorIdError;

    fn from_str(text: &str) -> Result<Self, OperatorIdError> {
        let id: SpiffeId = text.parse()?;
        if id.path().is_empty() {
            return Err(OperatorIdError::NoPath);
        }
        Ok(Self(id))
    }
}

/// How a caller was let in, for the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Administrator {
    Token,
    Operator(SpiffeId),
}

impl fmt::Display for Administrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token => f.write_str("admin token"),
            Self::Operator(id) => f.write_str(id.as_str()),
        }
    }
}

/// Why a client certificate does not let in.
#[derive(Debug, PartialEq, Eq, Error)]
enum NoOperator {
    #[error("no client certificate on this connection")]
    NoCertificate,
    #[error(transparent)]
    Svid(#[from] SvidError),
    #[error("`{0}` is not one of `revocations.operators`")]
    NotListed(SpiffeId),
    #[error("`{0}` is revoked")]
    Revoked(SpiffeId),
}

impl Administrators {
    /// Lets in whoever may revoke: by the token among `headers`, or by the certificate that the
    /// `client` of this connection proved.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        client: Option<&ClientCertificate>,
        revocations: &Revocations,
        now: UnixSeconds,
    ) -> Result<Administrator, Refusal> {
        if self.token_digests.is_empty() && self.operators.is_empty() {
            return Err(Refusal::NoAdministrators);
        }
        if shows_token(headers, &self.token_digests) {
            return Ok(Administrator::Token);
        }
        self.operator(client, revocations, now)
            .map(Administrator::Operator)
            .map_err(|why| Refusal::NotAuthenticated(why.to_string()))
    }

    /// Judged anew on each call: a connection, and a TLS session that is resumed, may outlive the
    /// certificate. Who was revoked cannot take that back.
    fn operator(
        &self,
        client: Option<&ClientCertificate>,
        revocations: &Revocations,
        now: UnixSeconds,
    ) -> Result<SpiffeId, NoOperator> {
        let certificate = client.ok_or(NoOperator::NoCertificate)?;
        let svid = X509Svid::parse(certificate.der())?;
        svid.check_time(now)?;
        if !self.operators.iter().any(|operator| operator.0 == svid.id) {
            return Err(NoOperator::NotListed(svid.id));
        }
        let digest = Sha256::digest(certificate.der()).into();
        let mut who = Identity::of_subject(svid.id.as_str());
        who.certificate = Some(&digest);
        if revocations.find(&who).is_some() {
            return Err(NoOperator::Revoked(svid.id));
        }
        Ok(svid.id)
    }
}

/// Whether `headers` show one bearer token, with one of these SHA-256 digests.
pub(super) fn shows_token(headers: &HeaderMap, digests: &[[u8; 32]]) -> bool {
    let Some(token) = bearer_token(headers) else {
        return false;
    };
    let shown = Sha256::digest(token.as_bytes());
    // Every digest is compared, each in constant time: how long it takes tells nothing.
    digests.iter().fold(false, |known, digest| {
        verify_slices_are_equal(digest, &shown).is_ok() | known
    })
}

/// The bearer token, where exactly one credential is shown and it is one.
pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

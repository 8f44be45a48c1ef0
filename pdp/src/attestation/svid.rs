//! X.509-SVIDs as evidence: the certificate that a workload proved to hold in this very TLS session, vouched for by
//! the bundle of its own trust domain and of no other.
//!
//! Sources: X509-SVID.md sections 2 to 5, RFC 5280. Whatever let the session in (a listener's `client_ca`), the
//! chain is verified again: that one authority may connect says nothing of whom it may name.
//!
//! What this is not: JWT-SVIDs (`super::jwt`), or which workload it is.

use std::sync::Arc;
use std::time::Duration;

use edgeward_core::spiffe::TrustDomain;
use edgeward_core::time::UnixSeconds;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::{CertificateDer, UnixTime};
use thiserror::Error;

use super::{AttributeError, Attributes};
use crate::crypto::{SvidError, X509Svid};

/// Why a certificate is no evidence.
#[derive(Debug, Error)]
pub enum SvidRefusal {
    /// It is no X.509-SVID, or not at this time.
    #[error(transparent)]
    Svid(#[from] SvidError),
    /// It is the trust domain's own name.
    #[error("the certificate names a whole trust domain, and no workload of it")]
    NoWorkload,
    /// No trust provider for its trust domain.
    #[error("no trust provider for the trust domain `{0}`")]
    TrustDomain(TrustDomain),
    /// Its trust domain's bundle has no authority, or is not there.
    #[error("there are no X.509 authorities of the trust domain `{0}`")]
    NoAuthority(TrustDomain),
    /// None of the trust domain's authorities vouches for it.
    #[error("no authority of its trust domain vouches for the certificate: {0}")]
    Chain(String),
    /// Text that nobody should match or log.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
}

impl SvidRefusal {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Svid(SvidError::Validity) => "certificate-expired",
            Self::Svid(_) | Self::NoWorkload => "certificate-not-an-svid",
            Self::TrustDomain(_) => "evidence-provider-unknown",
            Self::NoAuthority(_) => "svid-authorities-missing",
            Self::Chain(_) => "certificate-not-trusted",
            Self::Attribute(_) => "evidence-claim-invalid",
        }
    }

    /// Whether the certificate may be good, and its trust domain's bundle is not there.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::NoAuthority(_))
    }
}

/// Verifies `chain`, leaf first, of the workload `svid`, by `authorities` (DER) of its trust domain.
pub fn verify(
    chain: &[CertificateDer<'static>],
    svid: &X509Svid,
    authorities: &[Vec<u8>],
    now: UnixSeconds,
) -> Result<Attributes, SvidRefusal> {
    let trust_domain = svid.id.trust_domain();
    if svid.id.path().is_empty() {
        return Err(SvidRefusal::NoWorkload);
    }
    svid.check_time(now)?;
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        // One that cannot be read vouches for nobody.
        let _ = roots.add(CertificateDer::from(authority.clone()));
    }
    if roots.is_empty() {
        return Err(SvidRefusal::NoAuthority(trust_domain));
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let untrusted = |error: &dyn std::fmt::Display| SvidRefusal::Chain(error.to_string());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| untrusted(&error))?;
    let (leaf, intermediates) = chain.split_first().ok_or(SvidRefusal::NoWorkload)?;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(now.0));
    verifier
        .verify_client_cert(leaf, intermediates, at)
        .map_err(|error| untrusted(&error))?;
    let mut attributes = Attributes::default();
    attributes.tell("subject", svid.id.as_str())?;
    attributes.tell("spiffe_id", svid.id.as_str())?;
    attributes.tell("trust_domain", trust_domain.as_str())?;
    attributes.tell("path", svid.id.path())?;
    Ok(attributes)
}

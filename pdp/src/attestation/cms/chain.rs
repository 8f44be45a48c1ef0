//! Who vouches for a signer's certificate: authorities that the configuration pins, through
//! intermediates that anybody may bring.

use std::sync::Arc;

use edgeward_core::time::UnixSeconds;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, UnixTime};
use thiserror::Error;

use super::SignerCertificate;

/// Pinned authorities, and intermediates that help to find the way to one of them.
#[derive(Debug, Clone)]
pub struct Authorities {
    roots: Arc<RootCertStore>,
    intermediates: Vec<CertificateDer<'static>>,
}

/// Why a PEM text holds no authorities.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthoritiesError {
    /// No certificate among the roots.
    #[error("has no certificate of an authority")]
    NoRoot,
    /// A certificate that cannot be read.
    #[error("has a certificate that cannot be read: {0}")]
    Unreadable(String),
}

/// Why nobody vouches for a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChainRefusal {
    /// A certificate on the way is not valid at this time.
    #[error("the signer's certificate, or one above it, is not valid at this time")]
    Time,
    /// No way to a pinned authority, or one that may not be gone.
    #[error("no pinned authority vouches for the signer's certificate: {0}")]
    Untrusted(String),
}

impl ChainRefusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Time => "evidence-signer-expired",
            Self::Untrusted(_) => "evidence-signer-untrusted",
        }
    }
}

impl Authorities {
    /// Reads pinned `roots` and, where there are any, `intermediates`, both PEM.
    pub fn from_pem(roots: &[u8], intermediates: &[u8]) -> Result<Self, AuthoritiesError> {
        let mut store = RootCertStore::empty();
        for root in certificates(roots)? {
            store
                .add(root)
                .map_err(|error| AuthoritiesError::Unreadable(error.to_string()))?;
        }
        if store.is_empty() {
            return Err(AuthoritiesError::NoRoot);
        }
        Ok(Self {
            roots: Arc::new(store),
            intermediates: certificates(intermediates)?,
        })
    }

    /// Checks that one of the authorities vouches for `leaf` at `now`, through our intermediates and
    /// `brought`. The leaf must be one for TLS servers, which Azure's are; its names are not judged.
    pub(in crate::attestation) fn check(
        &self,
        leaf: &SignerCertificate,
        brought: &[&[u8]],
        now: UnixSeconds,
    ) -> Result<(), ChainRefusal> {
        let untrusted = |error: Error| match error {
            Error::InvalidCertificate(
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. },
            ) => ChainRefusal::Time,
            error => ChainRefusal::Untrusted(error.to_string()),
        };
        let leaf = CertificateDer::from(leaf.der());
        let leaf = ParsedCertificate::try_from(&leaf).map_err(untrusted)?;
        let brought = brought.iter().map(|der| CertificateDer::from(*der));
        let intermediates: Vec<CertificateDer<'_>> =
            self.intermediates.iter().cloned().chain(brought).collect();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.0));
        let algorithms = default_provider().signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            &leaf,
            &self.roots,
            &intermediates,
            now,
            algorithms,
        )
        .map_err(untrusted)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, AuthoritiesError> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| AuthoritiesError::Unreadable(error.to_string()))
}

//! Whoever has an X.509-SVID of a trust domain that a trust provider vouches for may open a session with a listener
//! that is for them alone, by the bundle in force at that moment.
//!
//! INVARIANT: a certificate counts by the bundle of the trust domain that it names, and by no other. On such a
//! listener there is the token service and nothing else: who may ask for a token may ask for nothing more.

use std::fmt;
use std::sync::Arc;

use edgeward_core::time::UnixSeconds;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::token_service::TokenService;

/// Asks the token service whose certificates count.
pub(super) struct SvidClients {
    service: Arc<TokenService>,
    provider: Arc<CryptoProvider>,
}

impl SvidClients {
    pub(super) fn new(service: Arc<TokenService>, provider: Arc<CryptoProvider>) -> Self {
        Self { service, provider }
    }
}

impl fmt::Debug for SvidClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SvidClients")
    }
}

impl ClientCertVerifier for SvidClients {
    /// None: which trust domains there are is nobody's business.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let certificates = std::iter::once(end_entity).chain(intermediates);
        let chain: Vec<_> = certificates.map(|one| one.clone().into_owned()).collect();
        let verified = self
            .service
            .vouched_svid(&chain, UnixSeconds(now.as_secs()));
        verified.map(|_| ClientCertVerified::assertion()).map_err(|refusal| {
            tracing::debug!(code = refusal.code(), reason = %refusal, "no session with a workload");
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal))))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

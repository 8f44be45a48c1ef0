//! Judges the server certificate of a SPIFFE bundle endpoint: an X.509-SVID of one exact ID.
//!
//! Source: X509-SVID.md sections 2, 4 and 5; SPIFFE Federation section 5.2.2. The host name plays
//! no part.

use std::sync::Arc;

use edgeward_core::spiffe::SpiffeId;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use thiserror::Error;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

/// Why a certificate with a good chain is still not the endpoint's.
#[derive(Debug, Error)]
pub enum SvidError {
    /// Not one DER certificate, or an extension that cannot be read.
    #[error("server certificate cannot be read")]
    Unreadable,
    /// No URI name, or more than one.
    #[error("server certificate is not an X.509-SVID: it has {0} URI names, not one")]
    UriNames(usize),
    /// The one URI name is not the ID that was asked for.
    #[error("server is `{found}`, not the configured `{wanted}`")]
    OtherId {
        /// The certificate's URI name.
        found: String,
        /// The ID that was asked for.
        wanted: SpiffeId,
    },
    /// A signing certificate, or one that may not sign a handshake.
    #[error("server certificate is a signing certificate or lacks a critical digitalSignature")]
    KeyUsage,
}

/// Accepts one SPIFFE ID, vouched for by one bundle.
#[derive(Debug)]
pub(super) struct EndpointVerifier {
    id: SpiffeId,
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
}

impl EndpointVerifier {
    pub(super) fn new(id: SpiffeId, roots: RootCertStore, provider: Arc<CryptoProvider>) -> Self {
        Self {
            id,
            roots,
            provider,
        }
    }
}

impl ServerCertVerifier for EndpointVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        check_x509_svid(end_entity, &self.id).map_err(|error| {
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))))
        })?;
        Ok(ServerCertVerified::assertion())
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

/// Checks that the DER `certificate` is an X.509-SVID leaf of exactly the ID `wanted`. The chain is
/// not judged here.
pub fn check_x509_svid(certificate: &[u8], wanted: &SpiffeId) -> Result<(), SvidError> {
    let (rest, certificate) =
        X509Certificate::from_der(certificate).map_err(|_| SvidError::Unreadable)?;
    if !rest.is_empty() {
        return Err(SvidError::Unreadable);
    }
    check_usage(&certificate)?;
    let names = certificate
        .subject_alternative_name()
        .map_err(|_| SvidError::Unreadable)?;
    let names = names.map_or(&[][..], |names| names.value.general_names.as_slice());
    let uris: Vec<&str> = names
        .iter()
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        })
        .collect();
    match uris.as_slice() {
        [uri] if *uri == wanted.as_str() => Ok(()),
        [uri] => Err(SvidError::OtherId {
            found: (*uri).to_owned(),
            wanted: wanted.clone(),
        }),
        several => Err(SvidError::UriNames(several.len())),
    }
}

/// X509-SVID.md sections 4.1 and 4.3, for leaves. An EKU, where there is one, was checked with the
/// chain.
fn check_usage(certificate: &X509Certificate<'_>) -> Result<(), SvidError> {
    if certificate.is_ca() {
        return Err(SvidError::KeyUsage);
    }
    let usage = certificate.key_usage().map_err(|_| SvidError::Unreadable)?;
    let usage = usage
        .filter(|usage| usage.critical)
        .ok_or(SvidError::KeyUsage)?
        .value;
    if !usage.digital_signature() || usage.key_cert_sign() || usage.crl_sign() {
        return Err(SvidError::KeyUsage);
    }
    Ok(())
}

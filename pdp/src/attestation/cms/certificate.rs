//! A certificate whose key may have signed a message.

use edgeward_core::time::UnixSeconds;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use thiserror::Error;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION,
};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::read::SignerName;

/// RSA keys of a signer have at least so many bits.
const MIN_RSA_BITS: usize = 2048;

/// A certificate, read: by what a signer names it, its key, its time and its DNS names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerCertificate {
    der: Vec<u8>,
    issuer: Vec<u8>,
    serial: Vec<u8>,
    key_id: Option<Vec<u8>>,
    key: SignerKey,
    dns_names: Vec<String>,
    not_before: i64,
    not_after: i64,
}

/// The public key, as aws-lc-rs takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignerKey {
    /// `RSAPublicKey` in DER (RFC 8017 appendix A.1.1).
    Rsa(Vec<u8>),
    /// The uncompressed point.
    P256(Vec<u8>),
    /// The uncompressed point.
    P384(Vec<u8>),
}

/// Why a certificate cannot be a signer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignerCertificateError {
    /// Not one DER certificate of version 3 or 1, or an extension that cannot be read.
    #[error("is not one certificate that can be read")]
    Unreadable,
    /// Neither RSA from 2048 bits on, nor ECDSA on P-256 or P-384.
    #[error("has a key that is neither RSA of 2048 bits or more, nor ECDSA on P-256 or P-384")]
    Key,
    /// PEM without a certificate.
    #[error("has no certificate (`-----BEGIN CERTIFICATE-----`)")]
    Missing,
}

impl SignerCertificate {
    /// Reads one certificate in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, SignerCertificateError> {
        let Ok(([], certificate)) = X509Certificate::from_der(der) else {
            return Err(SignerCertificateError::Unreadable);
        };
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| SignerCertificateError::Unreadable)?;
        let names = names.map_or(&[][..], |names| names.value.general_names.as_slice());
        let dns_names = names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        });
        let key_id = certificate.iter_extensions().find_map(|extension| {
            match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
                _ => None,
            }
        });
        Ok(Self {
            der: der.to_vec(),
            issuer: certificate.issuer().as_raw().to_vec(),
            serial: certificate.raw_serial().to_vec(),
            key_id,
            key: SignerKey::of(certificate.public_key())?,
            dns_names: dns_names.collect(),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
        })
    }

    /// Reads the certificates of a PEM text, in their order; one that is broken spoils all.
    pub fn all_from_pem(pem: &[u8]) -> Result<Vec<Self>, SignerCertificateError> {
        let mut all = Vec::new();
        for der in CertificateDer::pem_slice_iter(pem) {
            let der = der.map_err(|_| SignerCertificateError::Unreadable)?;
            all.push(Self::from_der(&der)?);
        }
        if all.is_empty() {
            return Err(SignerCertificateError::Missing);
        }
        Ok(all)
    }

    /// The certificate in DER.
    pub(in crate::attestation) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its DNS names, as written.
    pub(in crate::attestation) fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// Whether both would be found by the same issuer and serial number.
    pub(in crate::attestation) fn is_named_like(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.serial == other.serial
    }

    /// Whether its time has come and is not over.
    pub(in crate::attestation) fn holds_at(&self, now: UnixSeconds) -> bool {
        i64::try_from(now.0).is_ok_and(|now| (self.not_before..=self.not_after).contains(&now))
    }

    pub(super) fn key(&self) -> &SignerKey {
        &self.key
    }

    pub(super) fn is_named(&self, name: SignerName<'_>) -> bool {
        match name {
            SignerName::Issued { issuer, serial } => self.issuer == issuer && self.serial == serial,
            SignerName::Key(id) => self.key_id.as_deref() == Some(id),
        }
    }
}

impl SignerKey {
    fn of(key: &SubjectPublicKeyInfo<'_>) -> Result<Self, SignerCertificateError> {
        let bytes = key.subject_public_key.data.to_vec();
        let algorithm = &key.algorithm;
        if algorithm.algorithm == OID_PKCS1_RSAENCRYPTION {
            return match key.parsed() {
                Ok(PublicKey::RSA(rsa)) if rsa.key_size() >= MIN_RSA_BITS => Ok(Self::Rsa(bytes)),
                _ => Err(SignerCertificateError::Key),
            };
        }
        let curve = algorithm.parameters.as_ref();
        let curve = curve.and_then(|parameters| parameters.as_oid().ok());
        match curve {
            Some(curve) if algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY => {
                if curve == OID_EC_P256 {
                    Ok(Self::P256(bytes))
                } else if curve == OID_NIST_EC_P384 {
                    Ok(Self::P384(bytes))
                } else {
                    Err(SignerCertificateError::Key)
                }
            }
            _ => Err(SignerCertificateError::Key),
        }
    }
}

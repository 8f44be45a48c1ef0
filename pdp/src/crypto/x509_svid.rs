//! What a certificate must be to name a workload: an X.509-SVID leaf, with exactly one URI name.
//!
//! Source: X509-SVID.md sections 2, 4 and 5. What this is not: a judge of the chain, which TLS has
//! verified before.

use edgeward_core::spiffe::{SpiffeId, SpiffeIdError};
use edgeward_core::time::UnixSeconds;
use thiserror::Error;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

/// Why a certificate with a good chain still does not name the workload.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum SvidError {
    /// Not one DER certificate, or an extension that cannot be read.
    #[error("certificate cannot be read")]
    Unreadable,
    /// No URI name, or more than one.
    #[error("certificate is not an X.509-SVID: it has {0} URI names, not one")]
    UriNames(usize),
    /// The one URI name is no SPIFFE ID.
    #[error("certificate is not an X.509-SVID: its URI name: {0}")]
    SpiffeId(#[from] SpiffeIdError),
    /// The SPIFFE ID is not the one that was asked for.
    #[error("peer is `{found}`, not the configured `{wanted}`")]
    OtherId {
        /// The certificate's.
        found: SpiffeId,
        /// The one that was asked for.
        wanted: SpiffeId,
    },
    /// A signing certificate, or one that may not sign a handshake.
    #[error("certificate is a signing certificate or lacks a critical digitalSignature")]
    KeyUsage,
    /// Its time has not come, or is over.
    #[error("certificate is not valid at this time")]
    Validity,
}

/// What the leaf of a verified chain says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct X509Svid {
    /// Who it is.
    pub id: SpiffeId,
    not_before: i64,
    not_after: i64,
}

impl X509Svid {
    /// Reads a DER `certificate`, strictly.
    pub fn parse(certificate: &[u8]) -> Result<Self, SvidError> {
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
        let [uri] = uris.as_slice() else {
            return Err(SvidError::UriNames(uris.len()));
        };
        let validity = certificate.validity();
        Ok(Self {
            id: uri.parse()?,
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
        })
    }

    /// The first instant at which it is over.
    pub fn expires_at(&self) -> UnixSeconds {
        UnixSeconds(u64::try_from(self.not_after).map_or(0, |last| last.saturating_add(1)))
    }

    /// Whether its time has come and is not over: TLS asks once, and a connection may live longer.
    pub fn check_time(&self, now: UnixSeconds) -> Result<(), SvidError> {
        let now = i64::try_from(now.0).map_err(|_| SvidError::Validity)?;
        if (self.not_before..=self.not_after).contains(&now) {
            Ok(())
        } else {
            Err(SvidError::Validity)
        }
    }
}

/// Checks that the DER `certificate` is an X.509-SVID leaf of exactly the ID `wanted`. The chain and
/// its time are not judged here.
pub fn check_x509_svid(certificate: &[u8], wanted: &SpiffeId) -> Result<(), SvidError> {
    let found = X509Svid::parse(certificate)?.id;
    if found == *wanted {
        return Ok(());
    }
    Err(SvidError::OtherId {
        found,
        wanted: wanted.clone(),
    })
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

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, KeyUsagePurpose, SanType, date_time_ymd};

    use super::*;

    #[test]
    fn a_certificate_names_its_workload_in_its_own_time_only() {
        let mut params = CertificateParams::default();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.subject_alt_names = vec![SanType::URI("spiffe://d/w".try_into().unwrap())];
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 1, 2);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let svid = X509Svid::parse(certificate.der()).unwrap();
        assert_eq!(svid.id.as_str(), "spiffe://d/w");
        let begin = 1_767_225_600;
        for (now, is_valid) in [
            (0, false),
            (begin - 1, false),
            (begin, true),
            (begin + 86_400, true),
            (begin + 86_401, false),
            (u64::MAX, false),
        ] {
            assert_eq!(svid.check_time(UnixSeconds(now)).is_ok(), is_valid, "{now}");
        }
        let mut longer = certificate.der().to_vec();
        longer.push(0);
        assert_eq!(X509Svid::parse(&longer), Err(SvidError::Unreadable));
    }
}

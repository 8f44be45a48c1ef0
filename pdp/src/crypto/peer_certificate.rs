//! What a certificate says by which a client can be known: its digest, its URI names, its time.
//!
//! What this is not: a judge of the chain, which whoever ended the TLS connection has verified.

use edgeward_core::time::UnixSeconds;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

/// A client's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    /// SHA-256 of its DER form.
    pub digest: [u8; 32],
    /// Every URI name, in order.
    pub uris: Vec<String>,
    not_before: i64,
    not_after: i64,
}

impl PeerCertificate {
    /// Reads the first certificate of a PEM text; none where that cannot be read whole.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem).ok()?;
        let Ok(([], certificate)) = X509Certificate::from_der(&der) else {
            return None;
        };
        let names = certificate.subject_alternative_name().ok()?;
        let names = names.map_or(&[][..], |names| names.value.general_names.as_slice());
        let uri = |name: &GeneralName<'_>| match name {
            GeneralName::URI(uri) => Some((*uri).to_owned()),
            _ => None,
        };
        let validity = certificate.validity();
        Some(Self {
            digest: Sha256::digest(&der).into(),
            uris: names.iter().filter_map(uri).collect(),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
        })
    }

    /// Whether its time has come and is not over: TLS asks once, and a connection may live longer.
    pub fn holds_at(&self, now: UnixSeconds) -> bool {
        i64::try_from(now.0).is_ok_and(|now| (self.not_before..=self.not_after).contains(&now))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, SanType, date_time_ymd};

    use super::*;

    fn pem(uris: &[&str]) -> String {
        let mut params = CertificateParams::new(vec!["edge.test".to_owned()]).unwrap();
        let uris = uris
            .iter()
            .map(|uri| SanType::URI((*uri).try_into().unwrap()));
        params.subject_alt_names.extend(uris);
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 1, 2);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn every_uri_name_is_seen_and_no_other_name_is_one() {
        for uris in [&[][..], &["spiffe://d/w"], &["spiffe://d/w", "https://d/x"]] {
            let read = PeerCertificate::from_pem(pem(uris).as_bytes()).unwrap();
            assert_eq!(read.uris, uris);
        }
    }

    #[test]
    fn a_certificate_holds_from_its_first_instant_to_its_last() {
        let read = PeerCertificate::from_pem(pem(&[]).as_bytes()).unwrap();
        let begins = 1_767_225_600_i64;
        for (at, holds) in [(-1, false), (0, true), (86_400, true), (86_401, false)] {
            let now = UnixSeconds(u64::try_from(begins + at).unwrap());
            assert_eq!(read.holds_at(now), holds, "{at}");
        }
        assert!(!read.holds_at(UnixSeconds(u64::MAX)));
    }

    proptest! {
        #[test]
        fn a_mutated_certificate_never_panics_and_never_reads_as_another(at in 0_usize..400, byte: u8) {
            let honest = pem(&["spiffe://d/w"]);
            let mut mutated = honest.clone().into_bytes();
            let at = at % mutated.len();
            mutated[at] = byte;
            let honest = PeerCertificate::from_pem(honest.as_bytes()).unwrap();
            if let Some(read) = PeerCertificate::from_pem(&mutated) {
                // What reads otherwise has another digest: it is no certificate that was verified.
                prop_assert!(read == honest || read.digest != honest.digest);
            }
        }
    }
}

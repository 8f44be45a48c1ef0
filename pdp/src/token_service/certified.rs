//! Who is behind the certificate of this very TLS session: a workload of another trust domain, by its X.509-SVID
//! (RFC 8705 section 2 has clients authenticate so).

use std::sync::Arc;

use edgeward_core::revocation::Identity;
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::KeyOwner;
use rustls_pki_types::CertificateDer;

use super::TokenService;
use super::exchange::Circumstances;
use super::party::{Party, unrevoked};
use super::refusal::ExchangeRefusal;
use crate::attestation::Attributes;
use crate::attestation::jwt::JwtProvider;
use crate::attestation::svid::{self, SvidRefusal};
use crate::crypto::X509Svid;

impl TokenService {
    /// The workload that the caller's certificate makes. Whether the certificate itself is revoked was asked before.
    pub(super) fn certified(
        &self,
        circumstances: Circumstances<'_>,
    ) -> Result<Party, ExchangeRefusal> {
        let Circumstances {
            chain,
            now,
            revocations,
            ..
        } = circumstances;
        if chain.is_empty() {
            return Err(ExchangeRefusal::NoCertificate);
        }
        let (provider, svid, attributes) = self.vouched_svid(chain, now)?;
        unrevoked(&Identity::of_subject(svid.id.as_str()), revocations)?;
        let workload = self.workload_of(&provider.name, &attributes, now)?;
        Ok(Party {
            workload: Arc::clone(workload),
            attested_at: now,
            until: svid.expires_at(),
            once: None,
            token: None,
        })
    }

    /// The X.509-SVID of `chain`, leaf first, where the bundle of its trust domain vouches for it at `now`.
    pub(crate) fn vouched_svid(
        &self,
        chain: &[CertificateDer<'static>],
        now: UnixSeconds,
    ) -> Result<(&JwtProvider, X509Svid, Attributes), SvidRefusal> {
        let leaf = chain.first().map_or(&[][..], AsRef::as_ref);
        let svid = X509Svid::parse(leaf)?;
        let trust_domain = svid.id.trust_domain();
        let owner = KeyOwner::TrustDomain(trust_domain.clone());
        let provider = self.providers.of(&owner);
        let provider = provider.ok_or(SvidRefusal::TrustDomain(trust_domain))?;
        let authorities = self.evidence_keys.x509_authorities(&owner);
        let attributes = svid::verify(chain, &svid, &authorities, now)?;
        Ok((provider, svid, attributes))
    }
}

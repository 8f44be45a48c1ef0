//! Who is behind what is shown: the workload that evidence makes, or whose token of ours it is.
//!
//! INVARIANT: nobody is behind what is revoked, also where evidence is remembered.

use std::sync::Arc;

use edgeward_core::jose::CompactJws;
use edgeward_core::revocation::{Identity, Revocations};
use edgeward_core::spiffe::SpiffeId;
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{Claims, Issuer, TokenRefusal};

use tokio::runtime::Handle;

use super::TokenService;
use super::exchange::Circumstances;
use super::memory::{Admitted, digest};
use super::own::{self, OwnToken};
use super::refusal::ExchangeRefusal;
use super::request::Shown;
use crate::attestation::evidence::EvidenceKind;
use crate::attestation::jwt::JwtProvider;
use crate::attestation::{Attributes, Once, ProviderName};
use crate::keys::KeySnapshot;
use crate::workloads::ClientWorkload;

/// Somebody who showed something good.
pub(super) struct Party {
    pub(super) workload: Arc<ClientWorkload>,
    pub(super) attested_at: UnixSeconds,
    /// The first instant at which what was shown must no longer be honoured.
    pub(super) until: UnixSeconds,
    /// Set where what was shown counts once only: it has not been taken yet.
    pub(super) once: Option<Once>,
    /// Where a token of ours was shown, and not evidence.
    pub(super) token: Option<OwnToken>,
}

impl TokenService {
    /// Who is behind what is shown.
    pub(super) fn party(
        &self,
        shown: &Shown,
        provider: Option<&ProviderName>,
        circumstances: Circumstances<'_>,
    ) -> Result<Party, ExchangeRefusal> {
        let party = match shown {
            Shown::Evidence(kind, evidence) => self.vouched(*kind, evidence, circumstances)?,
            Shown::Certificate => self.certified(circumstances)?,
            Shown::Opaque(token) => self.opaque(token, provider, circumstances)?,
            Shown::Jwt(token) if self.is_introspected(provider) => {
                self.opaque(token, provider, circumstances)?
            }
            Shown::Jwt(token) if self.is_own(token) => self.bearer(token, circumstances)?,
            Shown::Jwt(token) => self.attested(token, circumstances)?,
        };
        // Whoever says whose word is to be taken means no other's; a token of ours is nobody's.
        if provider.is_some_and(|named| party.token.is_some() || *named != party.workload.provider)
        {
            return Err(ExchangeRefusal::OtherProvider);
        }
        let id = Identity::of_subject(party.workload.spiffe_id.as_str());
        unrevoked(&id, circumstances.revocations)?;
        Ok(party)
    }

    /// Whether this provider is a server that is to be asked also about tokens that could be read.
    fn is_introspected(&self, provider: Option<&ProviderName>) -> bool {
        let mut servers = self.introspection.iter();
        servers.any(|(name, _)| Some(name) == provider)
    }

    /// Whether a token says that it is ours; whether it is, the signature says.
    fn is_own(&self, token: &str) -> bool {
        let Ok(claims) = CompactJws::parse(token)
            .map_err(TokenRefusal::from)
            .and_then(|jws| Ok(Claims::parse(jws.payload)?))
        else {
            return false;
        };
        let is_member = |id: SpiffeId| id.is_member_of(&self.settings.trust_domain);
        let issuer = self.settings.issuer.as_ref().map(Issuer::as_str);
        claims.subject.parse().is_ok_and(is_member)
            || (claims.issuer.is_some() && claims.issuer.as_deref() == issuer)
    }

    fn bearer(
        &self,
        token: &str,
        circumstances: Circumstances<'_>,
    ) -> Result<Party, ExchangeRefusal> {
        let own = own::verify(token, &self.published().keys, circumstances.now)?;
        let workload = self.workloads.named(&own.workload);
        // Renamed or moved to another id since: the token is nobody's now.
        let workload = workload.ok_or(ExchangeRefusal::WorkloadGone)?;
        let is_still = own.claims.subject == workload.spiffe_id.as_str()
            || own.claims.subject == workload.name.as_str();
        if !is_still {
            return Err(ExchangeRefusal::WorkloadGone);
        }
        let id = Identity {
            token: Some(token),
            token_id: own.claims.token_id.as_deref(),
            key_id: Some(&own.key_id),
            ..Identity::of_subject(workload.spiffe_id.as_str())
        };
        unrevoked(&id, circumstances.revocations)?;
        Ok(Party {
            workload: Arc::clone(workload),
            attested_at: own.attested_at,
            until: own.claims.expires_at,
            once: None,
            token: Some(own),
        })
    }

    /// The workload that evidence makes.
    fn attested(
        &self,
        evidence: &str,
        circumstances: Circumstances<'_>,
    ) -> Result<Party, ExchangeRefusal> {
        let Circumstances {
            now, revocations, ..
        } = circumstances;
        let snapshot = self.evidence_keys.snapshot();
        let key = digest(evidence);
        let (admitted, once) = match self.memory.find(&key, snapshot.revision, now) {
            Some(admitted) => (admitted, None),
            None => self.admit_by_fresh_keys(evidence, &snapshot, key, now)?,
        };
        unrevoked(&admitted.identity(evidence), revocations)?;
        Ok(Party {
            workload: admitted.workload,
            attested_at: admitted.at,
            until: admitted.expires_at,
            once,
            token: None,
        })
    }

    /// The workload that evidence makes which is no JWT: its provider may have to ask elsewhere, and what
    /// came of it is not remembered.
    fn vouched(
        &self,
        kind: EvidenceKind,
        evidence: &str,
        circumstances: Circumstances<'_>,
    ) -> Result<Party, ExchangeRefusal> {
        let Circumstances {
            now, revocations, ..
        } = circumstances;
        let shown = Identity {
            token: Some(evidence),
            ..Identity::default()
        };
        unrevoked(&shown, revocations)?;
        let attested = wait(self.ask(self.evidence_providers.attest(kind, evidence, now)));
        let (provider, attested) = attested??;
        let workload = self.workload_of(provider, &attested.attributes, now)?;
        Ok(Party {
            workload: Arc::clone(workload),
            attested_at: now,
            until: attested.expires_at,
            once: attested.once,
            token: None,
        })
    }

    /// What a platform answers, unless too many ask already. Those who wait for what another asks are not counted.
    pub(super) async fn ask<T>(&self, platform: impl Future<Output = T>) -> Option<T> {
        let _place = self.asking.try_acquire().ok()?;
        Some(platform.await)
    }

    /// What its platform says of evidence that verified, where it is asked, and until when its word is taken.
    fn reviewed(
        &self,
        provider: &JwtProvider,
        evidence: &str,
        key: [u8; 32],
        attributes: Attributes,
        now: UnixSeconds,
    ) -> Result<(Attributes, UnixSeconds), ExchangeRefusal> {
        let Some(review) = &provider.review else {
            return Ok((attributes, UnixSeconds(u64::MAX)));
        };
        let question = async { review.review(evidence, attributes).await.map_err(Arc::new) };
        let attributes = wait(self.reviews.join(key, self.ask(question)))??;
        Ok((attributes, now.plus(review.recheck_after.as_secs())))
    }

    /// Evidence may be by a key that its platform has published since: it is fetched, and waited for.
    fn admit_by_fresh_keys(
        &self,
        evidence: &str,
        snapshot: &KeySnapshot,
        key: [u8; 32],
        now: UnixSeconds,
    ) -> Result<(Admitted, Option<Once>), ExchangeRefusal> {
        let refusal = match self.admit(evidence, snapshot, key, now) {
            Err(ExchangeRefusal::Evidence(refusal)) => refusal,
            admitted => return admitted,
        };
        let fresher = refusal.missing_key().and_then(|missing| {
            let known = snapshot.revision;
            self.awaited_keys
                .fresher(&self.evidence_keys, missing, known)
        });
        match fresher {
            Some(snapshot) => self.admit(evidence, &snapshot, key, now),
            None => Err(refusal.into()),
        }
    }

    fn admit(
        &self,
        evidence: &str,
        snapshot: &KeySnapshot,
        key: [u8; 32],
        now: UnixSeconds,
    ) -> Result<(Admitted, Option<Once>), ExchangeRefusal> {
        let attested = self.providers.attest(evidence, &snapshot.trust, now);
        let (provider, attested, verified) = attested?;
        let attributes = attested.attributes;
        let (attributes, known_until) = self.reviewed(provider, evidence, key, attributes, now)?;
        let workload = self.workload_of(&provider.name, &attributes, now)?;
        let admitted = Admitted {
            workload: Arc::clone(workload),
            at: now,
            expires_at: attested.expires_at,
            known_until,
            subject: verified.subject.to_string(),
            token_id: verified.claims.token_id,
            key_id: verified.key_id,
        };
        if attested.once.is_none() {
            self.memory
                .remember(key, snapshot.revision, admitted.clone());
        }
        Ok((admitted, attested.once))
    }
}

/// Waits for an answer: on a thread that may, of a runtime that goes on meanwhile.
pub(super) fn wait<T>(answer: impl Future<Output = Option<T>>) -> Result<T, ExchangeRefusal> {
    let runtime = Handle::try_current().map_err(|_| ExchangeRefusal::Busy)?;
    runtime.block_on(answer).ok_or(ExchangeRefusal::Busy)
}

pub(super) fn unrevoked(
    who: &Identity<'_>,
    revocations: &Revocations,
) -> Result<(), ExchangeRefusal> {
    match revocations.find(who) {
        Some(kind) => Err(ExchangeRefusal::Revoked(kind)),
        None => Ok(()),
    }
}

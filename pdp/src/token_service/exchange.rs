//! Evidence in, token out: who is asking, whom the token may be for, what it may say.
//!
//! INVARIANT: nothing is signed for a workload that is not configured, was not attested, or is revoked,
//! no token outlives the evidence or token it was made from but by `renewable_for`, and none says more: a
//! delegated token has no other scope, and names who acts.
//!
//! Sources: RFC 8693 sections 2.1, 4.1 and 4.4, RFC 8705 section 3. What this is not: the door
//! (`crate::service`).

use std::sync::Arc;

use edgeward_core::credential::check_binding;
use edgeward_core::revocation::{Identity, Revocations};
use edgeward_core::time::UnixSeconds;
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};

use super::mint::Draft;
use super::own::OwnToken;
use super::party::{Party, unrevoked};
use super::refusal::ExchangeRefusal;
use super::request::{TokenKind, TokenRequest};
use super::{Issued, TokenService};
use crate::workloads::ClientWorkload;

/// The most who act in one token: workload, actor and those before.
const MAX_ACTORS: usize = 4;

/// Who asks, and by what is known beside the form.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'c> {
    /// SHA-256 of the certificate that the caller proved to hold in this very TLS session.
    pub certificate: Option<[u8; 32]>,
    /// That certificate, and those that came with it; none where there is none.
    pub chain: &'c [CertificateDer<'static>],
    /// What is revoked.
    pub revocations: &'c Revocations,
    /// The time.
    pub now: UnixSeconds,
}

impl TokenService {
    /// Answers one request for a token.
    pub fn exchange(
        &self,
        request: &TokenRequest,
        circumstances: Circumstances<'_>,
    ) -> Result<Issued, ExchangeRefusal> {
        if let Some(certificate) = &circumstances.certificate {
            let shown = Identity {
                certificate: Some(certificate),
                ..Identity::default()
            };
            unrevoked(&shown, circumstances.revocations)?;
        }
        let subject = self.party(&request.subject, request.provider.as_ref(), circumstances)?;
        let actor = request.actor.as_ref();
        let actor = actor
            .map(|shown| self.party(shown, None, circumstances))
            .transpose()?;
        let draft = match &actor {
            Some(actor) => self.delegated(request, &subject, actor, circumstances)?,
            None => self.direct(request, &subject, circumstances)?,
        };
        let token_id = token_id()?;
        let key = self.keys.current();
        let token = key.sign(draft.typ(), draft.claims(&token_id).as_bytes(), draft.now)?;
        // Last, so that what is refused for something else uses nothing up; and no token leaves before it.
        for party in [Some(&subject), actor.as_ref()].into_iter().flatten() {
            if let Some(once) = &party.once {
                self.used.take(once, circumstances.now)?;
            }
        }
        self.note_issued(&subject, &draft);
        Ok(Issued {
            token,
            kind: request.kind,
            expires_in: draft.expires_at.seconds_since(draft.now),
            token_id,
            workload: Arc::clone(&subject.workload),
            actor: draft
                .actor
                .as_ref()
                .and_then(|actor| actor.get("sub"))
                .and_then(Value::as_str)
                .map(str::to_owned),
        })
    }

    /// A token for the one who asks.
    fn direct<'d>(
        &'d self,
        request: &'d TokenRequest,
        subject: &'d Party,
        circumstances: Circumstances<'_>,
    ) -> Result<Draft<'d>, ExchangeRefusal> {
        let Circumstances {
            certificate, now, ..
        } = circumstances;
        let grant = &subject.workload.grant;
        let lifetime = grant.lifetime.unwrap_or(self.settings.lifetime);
        let end = match &subject.token {
            None => subject.until,
            Some(token) => {
                let renewable_for = self.settings.renewable_for.as_secs();
                let end = subject.attested_at.plus(renewable_for);
                self.check_renewable(token, end, circumstances)?;
                check_scopes(&request.scopes, &token.scopes)?;
                end
            }
        };
        let latest = now.plus(lifetime.as_secs()).min(end);
        for audience in &request.audiences {
            let is_own = *audience == self.settings.name && !self.settings.renewable_for.is_zero();
            if !is_own && !grant.audiences.contains(audience) {
                return Err(ExchangeRefusal::Audience(audience.clone()));
            }
        }
        check_scopes(&request.scopes, &grant.scopes)?;
        self.draft(
            request,
            subject,
            latest,
            None,
            binding(&subject.workload, certificate)?,
            now,
        )
    }

    /// Whether a token of ours may be exchanged by who it was issued to.
    fn check_renewable(
        &self,
        token: &OwnToken,
        end: UnixSeconds,
        circumstances: Circumstances<'_>,
    ) -> Result<(), ExchangeRefusal> {
        if token.actor.is_some() {
            return Err(ExchangeRefusal::DelegatedToken);
        }
        if !token.claims.audience.contains(&self.settings.name) {
            return Err(ExchangeRefusal::NotAddressedToUs);
        }
        if circumstances.now >= end {
            return Err(ExchangeRefusal::AttestationTooOld);
        }
        Ok(check_binding(
            token.claims.binding,
            circumstances.certificate,
        )?)
    }

    /// A token for `actor`, on behalf of `subject`, whose token it was sent.
    fn delegated<'d>(
        &'d self,
        request: &'d TokenRequest,
        subject: &'d Party,
        actor: &Party,
        circumstances: Circumstances<'_>,
    ) -> Result<Draft<'d>, ExchangeRefusal> {
        let Circumstances {
            certificate, now, ..
        } = circumstances;
        // Evidence of another workload in an actor's hands is a stolen one.
        let token = subject
            .token
            .as_ref()
            .ok_or(ExchangeRefusal::DelegationOfEvidence)?;
        if let Some(own) = &actor.token {
            if own.actor.is_some() {
                return Err(ExchangeRefusal::DelegatedToken);
            }
            if !own.claims.audience.contains(&self.settings.name) {
                return Err(ExchangeRefusal::NotAddressedToUs);
            }
            check_binding(own.claims.binding, certificate)?;
        }
        let (principal, acting) = (&subject.workload, &actor.workload);
        if !acting.grant.acts_for.contains(&principal.name) {
            return Err(ExchangeRefusal::DelegationNotAllowed {
                actor: acting.name.to_string(),
                subject: principal.name.to_string(),
            });
        }
        let is_addressed = |name: &String| {
            *name == acting.spiffe_id.as_str() || acting.grant.addressed_as.contains(name)
        };
        if !token.claims.audience.iter().any(is_addressed) {
            return Err(ExchangeRefusal::DelegationNotAddressed);
        }
        let audiences = &acting.grant.audiences;
        if let Some(other) = request
            .audiences
            .iter()
            .find(|name| !audiences.contains(*name))
        {
            return Err(ExchangeRefusal::Audience(other.clone()));
        }
        check_scopes(&request.scopes, &token.scopes)?;
        check_scopes(&request.scopes, &acting.grant.scopes)?;
        let mut act = json!({ "sub": acting.spiffe_id.as_str() });
        if let (Some(before), Some(members)) = (&token.actor, act.as_object_mut()) {
            if actors(before) + 2 > MAX_ACTORS {
                return Err(ExchangeRefusal::DelegationTooDeep);
            }
            members.insert("act".to_owned(), before.clone());
        }
        let lifetime = acting.grant.lifetime.unwrap_or(self.settings.lifetime);
        let latest = now.plus(lifetime.as_secs());
        let latest = latest.min(subject.until).min(actor.until);
        self.draft(
            request,
            subject,
            latest,
            Some(act),
            binding(acting, certificate)?,
            now,
        )
    }

    fn draft<'d>(
        &'d self,
        request: &'d TokenRequest,
        subject: &'d Party,
        expires_at: UnixSeconds,
        actor: Option<Value>,
        certificate: Option<[u8; 32]>,
        now: UnixSeconds,
    ) -> Result<Draft<'d>, ExchangeRefusal> {
        let issuer = self.settings.issuer.as_ref();
        if request.kind == TokenKind::AccessToken && issuer.is_none() {
            return Err(ExchangeRefusal::NoIssuer);
        }
        Ok(Draft {
            kind: request.kind,
            workload: &subject.workload,
            issuer: issuer.map(edgeward_core::token::Issuer::as_str),
            audiences: &request.audiences,
            scopes: &request.scopes,
            actor,
            certificate,
            attested_at: subject.attested_at,
            now,
            expires_at,
        })
    }
}

/// The certificate to which a workload's tokens are bound, where they must be.
fn binding(
    workload: &ClientWorkload,
    certificate: Option<[u8; 32]>,
) -> Result<Option<[u8; 32]>, ExchangeRefusal> {
    if !workload.grant.certificate_bound {
        return Ok(None);
    }
    certificate.map(Some).ok_or(ExchangeRefusal::NoCertificate)
}

fn check_scopes(wanted: &[String], granted: &[String]) -> Result<(), ExchangeRefusal> {
    match wanted.iter().find(|scope| !granted.contains(scope)) {
        Some(other) => Err(ExchangeRefusal::Scope(other.clone())),
        None => Ok(()),
    }
}

/// How many act in `act`; a chain that we wrote ourselves is short.
fn actors(act: &Value) -> usize {
    1 + act.get("act").map_or(0, actors)
}

/// A name for a token that nobody guesses.
fn token_id() -> Result<String, ExchangeRefusal> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| ExchangeRefusal::NoRandomness)?;
    Ok(edgeward_core::jose::encode_base64url(&bytes))
}

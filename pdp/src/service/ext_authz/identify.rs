//! Who sends a request: the credentials in what a proxy tells, and the workload that they prove.
//! The same rules as the filter's, on the PDP's own keys and revocations.
//!
//! INVARIANT: a credential that is shown and does not hold is a refusal, never "no credential",
//! also where anonymous requests are asked about.

use std::rc::Rc;

use edgeward_core::authzen;
use edgeward_core::credential::{
    CredentialRefusal, Unreadable, bearer_token, check_binding, single_text,
};
use edgeward_core::headers::FORWARDED_CLIENT_CERT;
use edgeward_core::peer::{self, Peer, PeerRefusal};
use edgeward_core::revocation::{Identity, Kind, Revocations};
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{TokenRefusal, verify};
use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;

use super::ExtAuthzSettings;
use super::told::{Shown, Told};
use super::verified::{Verified, VerifiedTokens};
use crate::crypto::{AwsLc, PeerCertificate};
use crate::keys::{KeySnapshot, Keyring};

/// The workload that sends a request.
#[derive(Debug)]
pub(super) struct Caller {
    /// The id that the upstream is told.
    pub(super) id: String,
    /// The subject of the question.
    pub(super) subject: Rc<RawValue>,
    /// The workload at the other end of the connection, where it is known.
    pub(super) peer: Option<Peer>,
}

/// Why nobody is identified.
#[derive(Debug, thiserror::Error)]
pub(super) enum IdentityRefusal {
    #[error(transparent)]
    Credential(#[from] CredentialRefusal),
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    #[error(transparent)]
    Peer(#[from] PeerRefusal),
    #[error("client certificate is not valid at this time")]
    CertificateTime,
    #[error("identity is revoked")]
    Revoked(Kind),
    #[error("workload cannot be written as JSON")]
    Unwritable(#[from] serde_json::Error),
}

impl IdentityRefusal {
    /// The stable reason code, kebab-case.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Credential(refusal) => refusal.code(),
            Self::Token(refusal) => refusal.code(),
            Self::Peer(refusal) => refusal.code(),
            Self::CertificateTime => "peer-certificate-expired",
            Self::Revoked(kind) => kind.code(),
            Self::Unwritable(_) => "identity-unwritable",
        }
    }
}

/// What identification reads.
pub(super) struct Identification<'s> {
    pub(super) settings: &'s ExtAuthzSettings,
    pub(super) keys: &'s Keyring,
    pub(super) tokens: &'s VerifiedTokens,
    pub(super) revocations: &'s Revocations,
    pub(super) now: UnixSeconds,
}

impl Identification<'_> {
    /// Finds out who sends the request `told`.
    pub(super) fn caller(&self, told: &Told) -> Result<Caller, IdentityRefusal> {
        let certificate = self.certificate(told)?;
        let shown = certificate.as_ref().map(|certificate| certificate.digest);
        let (peer, nameless) = match self.peer(told, certificate) {
            Ok(peer) => (peer, None),
            // A certificate without any URI name is no workload, but a token beside it may be.
            Err(IdentityRefusal::Peer(refusal @ PeerRefusal::UriNames(0))) => (None, Some(refusal)),
            Err(refusal) => return Err(refusal),
        };
        if let Some(token) = bearer_token(&told.fields, &self.settings.token.header)? {
            let verified = self.token(token)?;
            let shown = peer.as_ref().map(|peer| peer.certificate_digest).or(shown);
            check_binding(verified.token.claims.binding, shown)?;
            return Ok(Caller {
                id: verified.id.clone(),
                subject: Rc::clone(&verified.subject),
                peer,
            });
        }
        if let Some(peer) = peer {
            return Ok(Caller {
                id: peer.id.to_string(),
                subject: authzen::subject_of_peer(&peer)?.into(),
                peer: Some(peer),
            });
        }
        match nameless {
            Some(refusal) => Err(refusal.into()),
            None if self.settings.anonymous => Ok(Caller {
                id: "anonymous".to_owned(),
                subject: authzen::anonymous()?.into(),
                peer: None,
            }),
            None => Err(CredentialRefusal::Missing.into()),
        }
    }

    fn token(&self, token: &str) -> Result<Rc<Verified>, IdentityRefusal> {
        let keys = self.keys.snapshot();
        let verified = match self.tokens.find(token, keys.revision, self.now) {
            Some(verified) => verified,
            None => self.verify(token, &keys)?,
        };
        if self.revocations.is_empty() {
            return Ok(verified);
        }
        let claims = &verified.token.claims;
        self.unrevoked(&Identity {
            token: Some(token),
            token_id: claims.token_id.as_deref(),
            session: claims.session.as_deref(),
            key_id: verified.token.key_id.as_deref(),
            ..Identity::of_subject(&verified.id)
        })?;
        Ok(verified)
    }

    fn verify(&self, token: &str, keys: &KeySnapshot) -> Result<Rc<Verified>, IdentityRefusal> {
        let verified = verify(token, &keys.trust, self.now, &AwsLc).inspect_err(|refusal| {
            if let TokenRefusal::MissingKey(key) = refusal {
                self.keys.unknown_key(&key.owner, &key.key_id);
            }
        })?;
        let verified = Verified::new(verified, self.now)?;
        Ok(self.tokens.remember(token, keys.revision, verified))
    }

    /// The client certificate, where this proxy's word on it is believed.
    fn certificate(&self, told: &Told) -> Result<Option<PeerCertificate>, IdentityRefusal> {
        if !self.settings.peer.certificates {
            return Ok(None);
        }
        let pem = match &told.shown {
            Shown::Nothing => return Ok(None),
            // A second URI name could hide behind the one that is told.
            Shown::Name => return Err(PeerRefusal::NotProven.into()),
            Shown::Certificate(pem) => percent_decode_str(pem).collect::<Vec<u8>>(),
        };
        let certificate = PeerCertificate::from_pem(&pem).ok_or(PeerRefusal::NotProven)?;
        if !certificate.holds_at(self.now) {
            return Err(IdentityRefusal::CertificateTime);
        }
        self.unrevoked(&Identity {
            certificate: Some(&certificate.digest),
            ..Identity::default()
        })?;
        Ok(Some(certificate))
    }

    /// The workload at the other end of the connection, or the one that a trusted hop there
    /// vouches for. None of those who take part in saying so may be revoked.
    fn peer(
        &self,
        told: &Told,
        certificate: Option<PeerCertificate>,
    ) -> Result<Option<Peer>, IdentityRefusal> {
        let xfcc = match single_text(&told.fields, FORWARDED_CLIENT_CERT) {
            None => None,
            Some(Ok(xfcc)) => Some(xfcc),
            Some(Err(Unreadable)) => return Err(PeerRefusal::NotProven.into()),
        };
        let hops = &self.settings.peer.trusted_hops;
        let Some(PeerCertificate { digest, uris, .. }) = certificate else {
            let trusted = told
                .source
                .is_some_and(|source| hops.iter().any(|hop| hop.connects_from(source)));
            return match xfcc.filter(|_| trusted) {
                Some(xfcc) => self.unrevoked_peer(peer::vouched(Some(xfcc), 0)?),
                None => Ok(None),
            };
        };
        let direct = peer::certified(digest, uris)?;
        let direct = self.unrevoked_peer(direct)?;
        let is_hop = direct
            .as_ref()
            .is_some_and(|direct| hops.iter().any(|hop| hop.is_workload(&direct.id)));
        let Some(xfcc) = xfcc.filter(|_| is_hop) else {
            return Ok(direct);
        };
        // The proxy's own element is last, where it writes one; it is about this certificate.
        let own = peer::vouched(Some(xfcc), 0).is_ok_and(|last| last.certificate_digest == digest);
        match peer::vouched(Some(xfcc), usize::from(own)) {
            // The hop speaks for itself where it forwarded nobody.
            Err(PeerRefusal::NotProven) => Ok(direct),
            vouched => self.unrevoked_peer(vouched?),
        }
    }

    fn unrevoked_peer(&self, peer: Peer) -> Result<Option<Peer>, IdentityRefusal> {
        self.unrevoked(&Identity {
            certificate: Some(&peer.certificate_digest),
            ..Identity::of_subject(peer.id.as_str())
        })?;
        Ok(Some(peer))
    }

    fn unrevoked(&self, who: &Identity<'_>) -> Result<(), IdentityRefusal> {
        let found = self.revocations.find(who);
        found.map_or(Ok(()), |kind| Err(IdentityRefusal::Revoked(kind)))
    }
}

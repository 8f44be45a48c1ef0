//! Who asks: the credentials of one request, and the workload they prove.
//!
//! INVARIANT: a credential that is shown and does not hold is a refusal, never "no credential",
//! also on routes that allow anonymous requests.

use std::net::IpAddr;
use std::rc::Rc;

use edgeward_core::authzen;
use edgeward_core::credential::{
    CredentialRefusal, Unreadable, bearer_token, check_binding, single_text,
};
use edgeward_core::headers::FORWARDED_CLIENT_CERT;
use edgeward_core::jose::SignatureCheck;
use edgeward_core::peer::{self, Peer, PeerRefusal, TlsFacts};
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{TokenRefusal, Trust, verify};

use crate::caller::Caller;
use crate::config::Config;
use crate::memory::{Remembered, TokenMemory};
use crate::revoked::{Revoked, RevokedIdentity};
use crate::stats::{Counter, Tally};
use crate::wanted::WantedKeys;

pub use edgeward_core::credential::Field;

/// What Envoy itself says of the connection.
pub struct Facts<'h> {
    /// The time, in seconds.
    pub now: UnixSeconds,
    /// The directly connected address; asked for only where something depends on it.
    pub source: &'h dyn Fn() -> Option<IpAddr>,
    /// The client certificate that Envoy validated.
    pub tls: Option<TlsFacts>,
}

/// Why nobody is identified.
#[derive(Debug, thiserror::Error)]
pub enum IdentityRefusal {
    /// Nothing is shown, or not as it must be.
    #[error(transparent)]
    Credential(#[from] CredentialRefusal),
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// This very token was refused for its signature before.
    #[error("token was refused before")]
    RefusedBefore,
    /// The client certificate.
    #[error(transparent)]
    Peer(#[from] PeerRefusal),
    /// The token, its key, session or owner, the workload or its certificate is revoked.
    #[error(transparent)]
    Revoked(#[from] RevokedIdentity),
    /// The workload cannot be written down: not reachable with claims that were read.
    #[error("workload cannot be written as JSON")]
    Unwritable(#[from] serde_json::Error),
}

impl IdentityRefusal {
    /// The stable reason code, kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Credential(refusal) => refusal.code(),
            Self::Token(refusal) => refusal.code(),
            Self::RefusedBefore => "token-signature-invalid",
            Self::Peer(refusal) => refusal.code(),
            Self::Revoked(RevokedIdentity(kind)) => kind.code(),
            Self::Unwritable(_) => "identity-unwritable",
        }
    }
}

/// What identification reads and writes in one worker.
pub struct Identification<'w, C> {
    /// The plugin configuration.
    pub config: &'w Config,
    /// Whom to believe.
    pub trust: &'w Trust,
    /// What is revoked.
    pub revoked: &'w Revoked,
    /// Tokens seen.
    pub memory: &'w mut TokenMemory,
    /// Keys that are not there.
    pub wanted: &'w mut WantedKeys,
    /// What happened.
    pub tally: &'w mut Tally,
    /// The signature arithmetic.
    pub check: &'w C,
}

impl<C: SignatureCheck> Identification<'_, C> {
    /// Finds out who sends a request with these fields over a connection with these facts.
    pub fn caller(
        &mut self,
        fields: &[Field],
        facts: &Facts<'_>,
        anonymous: bool,
    ) -> Result<Caller, IdentityRefusal> {
        let nameless;
        let peer = match self.peer(fields, facts) {
            Ok(peer) => {
                nameless = None;
                peer.map(Rc::new)
            }
            // A certificate without any URI name is no workload, but a token beside it may be.
            Err(IdentityRefusal::Peer(refusal @ PeerRefusal::UriNames(0))) => {
                nameless = Some(refusal);
                None
            }
            Err(refusal) => return Err(refusal),
        };
        match (bearer_token(fields, &self.config.token_header)?, peer) {
            (Some(token), peer) => {
                let token = self.token(token, facts.now)?;
                let certificate = peer.as_ref().map(|peer| peer.certificate_digest);
                let shown = certificate.or(facts.tls.as_ref().map(|tls| tls.certificate_digest));
                self.revoked.check_token(&token)?;
                check_binding(token.binding, shown)?;
                Ok(Caller::Token { token, peer })
            }
            (None, Some(peer)) => {
                let question = authzen::subject_of_peer(&peer)?.into();
                Ok(Caller::Peer { peer, question })
            }
            (None, None) => match nameless {
                Some(refusal) => Err(refusal.into()),
                None if anonymous => Ok(Caller::Anonymous(authzen::anonymous()?.into())),
                None => Err(CredentialRefusal::Missing.into()),
            },
        }
    }

    fn token(&mut self, token: &str, now: UnixSeconds) -> Result<Rc<Remembered>, IdentityRefusal> {
        if let Some(known) = self.memory.verified(token, now) {
            self.tally.count(Counter::TokenRemembered);
            return Ok(known);
        }
        if self.memory.was_refused(token) {
            self.tally.count(Counter::TokenRefused);
            return Err(IdentityRefusal::RefusedBefore);
        }
        let verified = verify(token, self.trust, now, self.check).inspect_err(|refusal| {
            self.tally.count(Counter::TokenRefused);
            match refusal {
                TokenRefusal::Signature(_) => self.memory.refuse(token),
                TokenRefusal::MissingKey(key) => self.wanted.want(key),
                _ => {}
            }
        })?;
        self.tally.count(Counter::TokenVerified);
        Ok(self.memory.remember(Remembered::new(token, verified, now)))
    }

    /// The workload at the other end of the connection: Envoy's own word, or that of a hop which
    /// the operator trusts. None of those who take part in saying so may be revoked.
    fn peer(&self, fields: &[Field], facts: &Facts<'_>) -> Result<Option<Peer>, IdentityRefusal> {
        let Some(xfcc) = single_text(fields, FORWARDED_CLIENT_CERT) else {
            return Ok(None);
        };
        let xfcc = xfcc.map_err(|Unreadable| PeerRefusal::NotProven)?;
        let Some(tls) = &facts.tls else {
            // Most have no trusted hop: then nobody needs to know where this comes from.
            let trusted = !self.config.trusted_hops.is_empty()
                && (facts.source)().is_some_and(|source| self.trusts_network(source));
            return if trusted {
                self.unrevoked(peer::vouched(Some(xfcc), 0)?).map(Some)
            } else {
                Ok(None)
            };
        };
        self.revoked.check_certificate(&tls.certificate_digest)?;
        let direct = self.unrevoked(peer::direct(tls, Some(xfcc))?)?;
        if !self.trusts_workload(&direct) {
            return Ok(Some(direct));
        }
        match peer::vouched(Some(xfcc), 1) {
            // The hop speaks for itself where it forwarded nobody.
            Err(PeerRefusal::NotProven) => Ok(Some(direct)),
            vouched => self.unrevoked(vouched?).map(Some),
        }
    }

    fn unrevoked(&self, peer: Peer) -> Result<Peer, IdentityRefusal> {
        self.revoked.check_peer(&peer)?;
        Ok(peer)
    }

    fn trusts_network(&self, source: IpAddr) -> bool {
        let mut hops = self.config.trusted_hops.iter();
        hops.any(|hop| hop.connects_from(source))
    }

    fn trusts_workload(&self, peer: &Peer) -> bool {
        let mut hops = self.config.trusted_hops.iter();
        hops.any(|hop| hop.is_workload(&peer.id))
    }
}

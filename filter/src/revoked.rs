//! What is revoked, as the last feed has it, and whether a caller is.
//!
//! What this is not: when a revocation ends. The PDP says so by a feed without it.

use edgeward_core::jose::CompactJws;
use edgeward_core::peer::Peer;
use edgeward_core::revocation::{Identity, Kind, Revocations};
use edgeward_core::token::Claims;

use crate::memory::Remembered;

/// The caller, or something that speaks for it, is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("identity is revoked")]
pub struct RevokedIdentity(pub Kind);

/// What is revoked, as the last feed has it.
#[derive(Debug, Default)]
pub struct Revoked {
    /// All of it.
    pub all: Revocations,
    /// Rises when [`Self::all`] changes: what was found good under one generation need not be
    /// looked up again in it.
    pub generation: u32,
    /// Whether the policy in force is revoked, so that nothing is decided by it.
    pub policy: bool,
}

impl Revoked {
    /// Takes what a feed says.
    pub fn adopt(&mut self, all: Revocations, policy_revision: &str) {
        self.policy = all.has_policy(policy_revision);
        if self.all != all {
            self.all = all;
            self.generation = self.generation.wrapping_add(1);
        }
    }

    /// Refuses a token that is revoked, by whatever name. One that was found good is not looked up
    /// again before something else is revoked.
    pub fn check_token(&self, token: &Remembered) -> Result<(), RevokedIdentity> {
        if token.good_under.get() == self.generation {
            return Ok(());
        }
        if !self.all.is_empty() {
            // Its names are read again, for the few times that something is revoked: remembered
            // beside the token, they would cost every token's memory.
            let unreadable = RevokedIdentity(Kind::Token);
            let jws = CompactJws::parse(&token.token).map_err(|_| unreadable)?;
            let claims = Claims::parse(jws.payload).map_err(|_| unreadable)?;
            self.check(&Identity {
                token: Some(&token.token),
                token_id: claims.token_id.as_deref(),
                session: claims.session.as_deref(),
                key_id: jws.key_id.as_deref(),
                ..Identity::of_subject(&token.subject)
            })?;
        }
        token.good_under.set(self.generation);
        Ok(())
    }

    /// Refuses a workload whose id, trust domain or certificate is revoked.
    pub fn check_peer(&self, peer: &Peer) -> Result<(), RevokedIdentity> {
        self.check(&Identity {
            certificate: Some(&peer.certificate_digest),
            ..Identity::of_subject(peer.id.as_str())
        })
    }

    /// Refuses a certificate that is revoked, whomever it names.
    pub fn check_certificate(&self, digest: &[u8; 32]) -> Result<(), RevokedIdentity> {
        self.check(&Identity {
            certificate: Some(digest),
            ..Identity::default()
        })
    }

    #[inline(never)]
    fn check(&self, who: &Identity<'_>) -> Result<(), RevokedIdentity> {
        let found = self.all.find(who);
        found.map_or(Ok(()), |kind| Err(RevokedIdentity(kind)))
    }
}

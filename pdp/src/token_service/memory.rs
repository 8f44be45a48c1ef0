//! Evidence that was admitted, so that its signature is checked once and not at each exchange.
//!
//! INVARIANT: what is remembered holds by the keys in force: with any change of keys all is forgotten.
//! Time is judged anew at each look-up, revocation by whoever asks. Evidence that counts once is never
//! in here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use edgeward_core::revocation::Identity;
use edgeward_core::time::UnixSeconds;
use sha2::{Digest as _, Sha256};

use crate::workloads::ClientWorkload;

/// The most that is remembered: some 20 MB.
const MAX_ADMITTED: usize = 100_000;

/// Whose evidence it is, and when it was found good.
#[derive(Debug, Clone)]
pub(super) struct Admitted {
    pub(super) workload: Arc<ClientWorkload>,
    pub(super) at: UnixSeconds,
    /// The first instant at which the evidence must no longer be honoured.
    pub(super) expires_at: UnixSeconds,
    /// When its platform is to be asked again, where it was.
    pub(super) known_until: UnixSeconds,
    /// The names by which the evidence may be revoked, beside its text.
    pub(super) subject: String,
    pub(super) token_id: Option<String>,
    pub(super) key_id: Option<String>,
}

impl Admitted {
    /// Who showed `evidence`, as revocations know it.
    pub(super) fn identity<'a>(&'a self, evidence: &'a str) -> Identity<'a> {
        Identity {
            token: Some(evidence),
            token_id: self.token_id.as_deref(),
            key_id: self.key_id.as_deref(),
            ..Identity::of_subject(&self.subject)
        }
    }
}

/// The evidence admitted by this process.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    /// Of the keys by which all of it verified.
    revision: u64,
    admitted: HashMap<Digest, Admitted>,
}

type Digest = [u8; 32];

/// What stands for evidence here: its text is as good as a password and is not kept.
pub(super) fn digest(evidence: &str) -> Digest {
    Sha256::digest(evidence).into()
}

impl Memory {
    /// Who is behind the evidence, where it verified by the keys of `revision` and holds at `now`.
    pub(super) fn find(
        &self,
        evidence: &Digest,
        revision: u64,
        now: UnixSeconds,
    ) -> Option<Admitted> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.admitted.get(evidence);
        let found = found.filter(|_| held.revision == revision);
        // A clock that stepped back says nothing of `nbf`.
        found
            .filter(|found| found.at <= now && now < found.expires_at.min(found.known_until))
            .cloned()
    }

    /// Remembers it. Where there is no room left, all else is forgotten: only those who hold good
    /// evidence can bring that about.
    pub(super) fn remember(&self, evidence: Digest, revision: u64, admitted: Admitted) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.revision != revision || held.admitted.len() >= MAX_ADMITTED {
            *held = Held {
                revision,
                ..Held::default()
            };
        }
        held.admitted.insert(evidence, admitted);
    }
}

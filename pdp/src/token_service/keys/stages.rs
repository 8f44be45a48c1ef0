//! The stages of a key's life, and how long each has lasted by which clock.
//!
//! What this is not: when one stage becomes the next (`super::life`).

use std::sync::Arc;
use std::time::Duration;

use edgeward_core::jose::{Algorithm, PublicKey};
use edgeward_core::time::UnixSeconds;

use super::clock::Moment;
use super::settings::KeyLife;
use crate::crypto::{Signer, SignerError};

/// The key that signs.
#[derive(Debug, Clone)]
pub(super) struct Current {
    pub(super) signer: Arc<Signer>,
    /// Since when, by the system's clock.
    pub(super) since: UnixSeconds,
    /// The same, or the start, by the clock that never jumps.
    pub(super) counted_from: Duration,
}

/// The key that will sign.
#[derive(Debug, Clone)]
pub(super) struct Next {
    pub(super) signer: Arc<Signer>,
    /// Since when it is published, by the system's clock: for whoever reads the file, no rule asks.
    pub(super) published_at: UnixSeconds,
    /// Since when this process published it.
    pub(super) counted_from: Duration,
    /// Whether a process published it for `propagation` without a break.
    pub(super) is_propagated: bool,
}

/// A key that signed. Its private half is gone.
#[derive(Debug, Clone)]
pub(super) struct Retired {
    pub(super) public: PublicKey,
    /// Since when it signs no more, by the system's clock.
    pub(super) since: UnixSeconds,
    /// The same, or the start, by the clock that never jumps.
    pub(super) counted_from: Duration,
}

impl Next {
    pub(super) fn make(now: Moment) -> Result<Self, SignerError> {
        Ok(Self {
            signer: Arc::new(Signer::generate(Algorithm::Es256)?),
            published_at: now.wall,
            counted_from: now.running,
            is_propagated: false,
        })
    }

    pub(super) fn wait(&self, now: Moment, life: &KeyLife) -> Duration {
        let published = now.running.saturating_sub(self.counted_from);
        life.propagation().saturating_sub(published)
    }
}

impl Current {
    /// For how long it has signed, by the clock that says longer: one may have jumped back, the other have
    /// begun anew or slept.
    pub(super) fn age(&self, now: Moment) -> Duration {
        let by_wall = Duration::from_secs(now.wall.seconds_since(self.since));
        by_wall.max(now.running.saturating_sub(self.counted_from))
    }

    /// Whether it signed for as long as it may, by the clock that never jumps.
    pub(super) fn is_worn(&self, now: Moment, life: &KeyLife) -> bool {
        now.running.saturating_sub(self.counted_from) >= life.signs_at_most()
    }

    /// The first instant at which it no longer signs, by the system's clock.
    pub(super) fn until(&self, life: &KeyLife) -> UnixSeconds {
        self.since.plus(life.signs_at_most().as_secs())
    }
}

impl Retired {
    pub(super) fn is_over_by_wall(&self, now: Moment, life: &KeyLife) -> bool {
        now.wall >= self.since.plus(life.published_after().as_secs())
    }

    pub(super) fn is_over(&self, now: Moment, life: &KeyLife) -> bool {
        let counted = now.running.saturating_sub(self.counted_from);
        self.is_over_by_wall(now, life) && counted >= life.published_after()
    }

    pub(super) fn key_id(&self) -> String {
        self.public.key_id().unwrap_or_default().to_owned()
    }
}

//! The life of a key: *next* (published, does not sign yet), *current* (signs), *retired* (published until
//! its last token has expired), gone. Pure: the time is an argument, and what comes out is a new value.
//!
//! INVARIANT: a key signs only after this or an earlier process published it for `propagation`, the very
//! first excepted; it stays published for `published_after` from the last token it signed. Both are
//! counted by the clock that never jumps, from the start of the process where they began before.
//!
//! What this is not: the disk. A value counts only after it was written (`super::signing_keys`).

use std::time::Duration;

use edgeward_core::jose::{KeyError, KeySet, KeySetError, KeyUse, PublicKey};
use serde_json::{Map, Value};
use thiserror::Error;

use super::clock::Moment;
use super::published::PublishedKeys;
use super::settings::KeyLife;
use super::stages::{Current, Next, Retired};
use crate::crypto::{KeyPurpose, Signer, SignerError};

/// Beyond it a clock is no reason for a sequence: 9999-12-31T23:59:59Z.
const LAST_SEQUENCE_OF_CLOCK: u64 = 253_402_300_799;
/// The most keys that are published: half of what readers take (`edgeward_core::jose::MAX_KEYS`).
pub(super) const MAX_PUBLISHED: usize = 64;

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The key that signs now.
    pub key_id: String,
    /// Whether it is another than before.
    pub has_rotated: bool,
    /// The ids of the keys that are gone.
    pub erased: Vec<String>,
    /// `spiffe_sequence` of what is published now.
    pub sequence: u64,
}

/// Why no other key took over.
#[derive(Debug, Error)]
pub enum RotationError {
    /// The next key was not published long enough.
    #[error(
        "the next key `{key_id}` is not published long enough yet: verifiers may not have it; try \
         again in {} s", wait.as_secs()
    )]
    NotPropagated {
        /// The next key.
        key_id: String,
        /// How long that takes, if nothing is in the way.
        wait: Duration,
    },
    /// Rotations were asked for faster than tokens expire.
    #[error("{MAX_PUBLISHED} keys are published until their tokens expire: wait for that")]
    TooMany,
    /// No key could be made.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A key that was made cannot be published; not reachable with keys of ES256.
    #[error("a signing key cannot be published: {0}")]
    Unpublishable(#[from] KeyError),
    /// The keys cannot be published together; not reachable with keys of ES256.
    #[error("the signing keys cannot be published: {0}")]
    UnpublishableSet(#[from] KeySetError),
}

/// Why a step is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The process starts: instants that the system's clock has not reached yet are taken for now, since
    /// it was wrong when they were written, or is now.
    Start,
    /// Time has passed.
    Time,
    /// An operator wants another key.
    Order,
}

/// All keys at one instant.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) sequence: u64,
    pub(super) refresh_hint: u64,
    pub(super) current: Current,
    pub(super) next: Next,
    pub(super) retired: Vec<Retired>,
}

impl Keys {
    /// The very first: one signs at once, since nobody can have a token of another.
    pub(super) fn first(now: Moment, life: &KeyLife) -> Result<Self, SignerError> {
        Ok(Self {
            sequence: sequence_after(0, now),
            refresh_hint: life.refresh_hint(),
            current: Current {
                signer: Next::make(now)?.signer,
                since: now.wall,
                counted_from: now.running,
            },
            next: Next::make(now)?,
            retired: Vec::new(),
        })
    }

    /// The keys after what is due at `now`; none where nothing is.
    pub(super) fn step(
        &self,
        now: Moment,
        life: &KeyLife,
        occasion: Occasion,
    ) -> Result<Option<(Self, Rotation)>, RotationError> {
        let mut keys = self.clone();
        let mut is_changed = occasion == Occasion::Start && keys.set_right(now);
        if !keys.next.is_propagated && keys.next.wait(now, life).is_zero() {
            keys.next.is_propagated = true;
            is_changed = true;
        }
        let mut erased = keys.erase(|retired| retired.is_over(now, life));
        let is_due = keys.current.age(now) >= life.rotate_after() && keys.next.is_propagated;
        let has_rotated = is_due || occasion == Occasion::Order;
        if has_rotated {
            erased.extend(keys.rotate(now, life)?);
        }
        let is_told = keys.refresh_hint == life.refresh_hint();
        if has_rotated || !erased.is_empty() || !is_told {
            keys.refresh_hint = life.refresh_hint();
            keys.sequence = sequence_after(keys.sequence, now);
            is_changed = true;
        }
        let rotation = Rotation {
            key_id: keys.current.signer.key_id().to_owned(),
            has_rotated,
            erased,
            sequence: keys.sequence,
        };
        Ok(is_changed.then_some((keys, rotation)))
    }

    /// The next key signs, the one that did retires, another is published. The ids of those that had to go.
    fn rotate(&mut self, now: Moment, life: &KeyLife) -> Result<Vec<String>, RotationError> {
        if !self.next.is_propagated {
            return Err(RotationError::NotPropagated {
                key_id: self.next.signer.key_id().to_owned(),
                wait: self.next.wait(now, life),
            });
        }
        let mut erased = Vec::new();
        if self.published() >= MAX_PUBLISHED {
            // A process that never runs for as long as a token lives: the system's clock alone must do.
            erased = self.erase(|retired| retired.is_over_by_wall(now, life));
            if self.published() >= MAX_PUBLISHED {
                return Err(RotationError::TooMany);
            }
        }
        self.retired.push(Retired {
            public: public(&self.current.signer)?,
            since: now.wall,
            counted_from: now.running,
        });
        let next = std::mem::replace(&mut self.next, Next::make(now)?);
        self.current = Current {
            signer: next.signer,
            since: now.wall,
            counted_from: now.running,
        };
        Ok(erased)
    }

    fn erase(&mut self, is_over: impl Fn(&Retired) -> bool) -> Vec<String> {
        let over = self.retired.iter().filter(|retired| is_over(retired));
        let erased = over.map(Retired::key_id).collect();
        self.retired.retain(|retired| !is_over(retired));
        erased
    }

    /// Takes instants that are yet to come for now; whether there were any.
    fn set_right(&mut self, now: Moment) -> bool {
        let mut is_changed = false;
        let retired = self.retired.iter_mut().map(|retired| &mut retired.since);
        let instants = retired.chain([&mut self.current.since, &mut self.next.published_at]);
        for instant in instants.filter(|instant| **instant > now.wall) {
            *instant = now.wall;
            is_changed = true;
        }
        is_changed
    }

    /// How many keys are published.
    pub(super) fn published(&self) -> usize {
        self.retired.len() + 2
    }

    /// What is published of them: the one that signs first, since most tokens are its.
    pub(super) fn publish(&self) -> Result<PublishedKeys, RotationError> {
        let retired = self.retired.iter().rev().map(|retired| {
            let jwk = retired.public.to_jwk();
            Value::Object(jwk)
        });
        let signers = [&self.current.signer, &self.next.signer];
        let signing = signers.map(|signer| {
            let mut jwk = signer.public_jwk(KeyPurpose::Signature);
            jwk.remove("use");
            Value::Object(jwk)
        });
        let keys: Vec<Value> = signing.into_iter().chain(retired).collect();
        let document = Map::from_iter([("keys".to_owned(), Value::Array(keys))]);
        let keys = KeySet::from_members(&document, KeyUse::Signature)?;
        Ok(PublishedKeys::of(keys, self.sequence, self.refresh_hint))
    }
}

/// Grows always; and with the clock, so that it grows also where the last one was lost with the disk.
fn sequence_after(last: u64, now: Moment) -> u64 {
    let clock = now.wall.0.min(LAST_SEQUENCE_OF_CLOCK);
    last.saturating_add(1).max(clock)
}

fn public(signer: &Signer) -> Result<PublicKey, KeyError> {
    PublicKey::from_jwk(&signer.public_jwk(KeyPurpose::Signature))
}

//! The PDP's decisions without a socket, for benches: what the process itself does with the body of a
//! question, by the code that serves.
//!
//! What this is not: an interface of the PDP. Nothing is revoked here, and nothing logged.

use std::sync::Arc;

use edgeward_core::time::UnixSeconds;

use super::decide::{Decider, Memory};
use super::metrics::Metrics;
use super::put::{Care, Put};
use crate::atoms::{AtomSettings, Atoms};
use crate::cache::{CacheSettings, DecisionCache};
use crate::keys::{KeySettings, Keyring};
use crate::policy::{PolicySet, PolicySettings, PolicyStore};

/// Why there is nothing to ask, as a text for whoever runs a bench.
pub type Problem = Box<dyn std::error::Error + Send + Sync>;

/// What all threads share.
pub struct InProcess {
    settings: CacheSettings,
    atoms: Arc<Atoms>,
    cache: Arc<DecisionCache>,
    metrics: Arc<Metrics>,
    set: Arc<PolicySet>,
}

impl InProcess {
    /// Decides by the policies that `policies` name.
    pub fn open(policies: PolicySettings, settings: CacheSettings) -> Result<Self, Problem> {
        let store = PolicyStore::open(policies)?;
        let keys = Arc::new(Keyring::open(KeySettings::default())?);
        let cache = Arc::new(DecisionCache::new(&settings));
        let policies = store.subscribe();
        let set = policies.borrow().set.clone();
        Ok(Self {
            settings,
            atoms: Arc::new(Atoms::open(&AtomSettings::default())?),
            metrics: Arc::new(Metrics::new(policies, keys, cache.clone())),
            cache,
            set,
        })
    }

    /// The policies in force.
    pub fn set(&self) -> &PolicySet {
        &self.set
    }

    /// One thread's part, which the thread itself asks for; see [`crate::policy::STACK_BYTES`].
    pub fn thread(&self) -> Result<Thread, Problem> {
        let memory = Memory {
            settings: self.settings,
            cache: self.cache.clone(),
            metrics: self.metrics.clone(),
        };
        let decider = Decider::new(memory, self.set.worker()?, self.set.clone())?;
        Ok(Thread(decider, self.atoms.clone()))
    }
}

/// What one thread asks.
pub struct Thread(Decider, Arc<Atoms>);

impl Thread {
    /// Whether what `body` asks at `now` is allowed, and whether that was decided before.
    pub fn ask(&self, body: &[u8], now: UnixSeconds) -> Result<(bool, bool), Problem> {
        let decided = self
            .0
            .decide(Put::Whole(body, Care::Usual), now, &self.1, |_, _| None);
        let (decided, _) = decided.map_err(|refusal| refusal.message())?;
        let allow = decided.outcome.as_ref().is_ok_and(|verdict| verdict.allow);
        Ok((allow, decided.id.as_str().starts_with("cached-")))
    }
}

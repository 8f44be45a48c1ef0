//! One decision: projected, looked up, evaluated where it must be, remembered where it may be.
//!
//! INVARIANT: what is evaluated is the projection of the input onto the policy's footprint, whether
//! decisions are remembered or not, and the key is the bytes of that projection. So a decision is a
//! function of its key. That the footprint leaves out nothing the policy reads is tried on a sample.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use edgeward_core::cache_key::write_value;
use edgeward_core::decision::{DecisionId, Lease, Premises};
use edgeward_core::feed::Caching;
use edgeward_core::time::UnixSeconds;
use serde_json::Value;

use super::cache_metrics::Found;
use super::identifiers::{self, NoRandomness};
use super::metrics::Metrics;
use crate::atoms::{Atoms, Told};
use crate::cache::{CacheSettings, DecisionCache, LookUp, Remembered};
use crate::policy::{Failure, PolicySet, Verdict, Worker, from_json};

/// Every so many evaluations, one is made on the whole input as well.
const SHADOW_EVERY: u32 = 1024;

/// How much is made of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// What is remembered is reused, and now and then an evaluation is tried on the whole input.
    Usual,
    /// It is evaluated anew, and tried on the whole input.
    Compare,
    /// As usual, but there is no more than the projection to try anything on.
    Projected,
}

/// What a question came to.
pub(super) struct Decided {
    pub(super) id: DecisionId,
    pub(super) outcome: Result<Verdict, Failure>,
    pub(super) revision: Arc<str>,
    pub(super) premises: Option<Premises>,
}

impl Decided {
    /// A verdict that no policy gave, and that nobody remembers.
    pub(super) fn aside(verdict: Verdict, revision: Arc<str>) -> Result<Self, NoRandomness> {
        Ok(Self {
            id: identifiers::decision_id()?,
            outcome: Ok(verdict),
            revision,
            premises: None,
        })
    }
}

/// Where decisions are remembered: the same for all service threads.
pub(super) struct Memory {
    pub(super) settings: CacheSettings,
    pub(super) cache: Arc<DecisionCache>,
    pub(super) metrics: Arc<Metrics>,
}

/// Decides for one service thread.
pub(super) struct Decider {
    memory: Memory,
    in_force: RefCell<InForce>,
    key: RefCell<Vec<u8>>,
    lease: Lease,
    reused: Cell<u64>,
    evaluated: Cell<u32>,
}

/// A policy set, and this thread's engine for it.
struct InForce {
    engine: Worker,
    set: Arc<PolicySet>,
    revision: Arc<str>,
    caching: Option<Caching>,
    reads_time: bool,
}

impl InForce {
    fn new(engine: Worker, set: Arc<PolicySet>) -> Self {
        Self {
            revision: set.revision().into(),
            caching: set.caching(),
            reads_time: set.footprint().reads_time(),
            engine,
            set,
        }
    }
}

impl Decider {
    pub(super) fn new(
        memory: Memory,
        engine: Worker,
        set: Arc<PolicySet>,
    ) -> Result<Self, NoRandomness> {
        Ok(Self {
            memory,
            in_force: RefCell::new(InForce::new(engine, set)),
            key: RefCell::default(),
            lease: identifiers::lease()?,
            reused: Cell::new(0),
            evaluated: Cell::new(0),
        })
    }

    /// Decides by `engine` of `set` from now on.
    pub(super) fn swap(&self, engine: Worker, set: Arc<PolicySet>) {
        *self.in_force.borrow_mut() = InForce::new(engine, set);
    }

    /// The revision that this thread decides by.
    pub(super) fn revision(&self) -> Arc<str> {
        self.in_force.borrow().revision.clone()
    }

    /// Tells `projection`, as a filter made it for `program`, what only the PDP knows; none where
    /// another program is in force on this thread, by the name that filters are told.
    pub(super) fn complete(
        &self,
        projection: &mut Value,
        program: &str,
        atoms: &Atoms,
        now: UnixSeconds,
    ) -> Option<Told> {
        let in_force = self.in_force.borrow();
        let caching = in_force.caching.as_ref()?;
        let told = atoms.complete(projection, &caching.vary, now);
        atoms.is_program(program, caching, &told).then_some(told)
    }

    /// Makes `premises` of the decision just made cover what its question was `told`.
    pub(super) fn limit(&self, premises: &mut Premises, atoms: &Atoms, told: &Told) {
        let in_force = self.in_force.borrow();
        atoms.limit(premises, &in_force.set.footprint().input, told);
    }

    /// Whether the policies in force read the time of a question, `context.time`.
    pub(super) fn reads_time(&self) -> bool {
        self.in_force.borrow().reads_time
    }

    /// Decides on `input` at `now`.
    pub(super) fn decide(
        &self,
        input: Value,
        now: UnixSeconds,
        care: Care,
    ) -> Result<Decided, NoRandomness> {
        let in_force = &mut *self.in_force.borrow_mut();
        let shadow = self.is_compared(care).then(|| input.clone());
        let projection = in_force.set.footprint().input.project(input);
        let key = &mut *self.key.borrow_mut();
        if in_force.caching.is_some() {
            key.clear();
            write_value(key, &projection);
            if care != Care::Compare
                && let Some(decided) = self.reuse(key, in_force, now)
            {
                return Ok(decided);
            }
        } else {
            self.memory.metrics.cache.looked_up(Found::Uncacheable);
        }
        let outcome = in_force.engine.evaluate(from_json(projection));
        if let Some(whole) = shadow {
            self.compare(in_force, &outcome, whole);
        }
        let id = identifiers::decision_id()?;
        let premises = match &outcome {
            Ok(verdict) => self.premises(in_force, verdict, now),
            Err(_) => None,
        };
        if let (Ok(verdict), Some(premises)) = (&outcome, &premises) {
            let remembered = Remembered {
                verdict: verdict.clone(),
                id: id.clone(),
                policies: in_force.set.number(),
                from: now,
                until: premises.until,
            };
            self.memory.cache.remember(key.clone(), remembered);
        }
        Ok(Decided {
            id,
            outcome,
            revision: in_force.revision.clone(),
            premises,
        })
    }

    fn reuse(&self, key: &[u8], in_force: &InForce, now: UnixSeconds) -> Option<Decided> {
        let memory = &self.memory;
        let found = memory.cache.look_up(key, in_force.set.number(), now);
        memory.metrics.cache.looked_up(Found::of(&found));
        let LookUp::Hit(remembered) = found else {
            return None;
        };
        self.reused.set(self.reused.get().wrapping_add(1));
        Some(Decided {
            id: DecisionId::cached(&self.lease, self.reused.get(), &remembered.id)?,
            outcome: Ok(remembered.verdict.clone()),
            revision: in_force.revision.clone(),
            premises: in_force.caching.as_ref().map(|caching| Premises {
                program: caching.program.clone(),
                now,
                until: remembered.until,
            }),
        })
    }

    fn premises(
        &self,
        in_force: &InForce,
        verdict: &Verdict,
        now: UnixSeconds,
    ) -> Option<Premises> {
        let caching = in_force.caching.as_ref()?;
        let mut until = self.memory.settings.until(verdict, now)?;
        if in_force.reads_time {
            // The time we put into a question is known to the second.
            until = until.min(now.plus(1));
        }
        Some(Premises {
            program: caching.program.clone(),
            now,
            until,
        })
    }

    fn is_compared(&self, care: Care) -> bool {
        if care != Care::Usual {
            return care == Care::Compare;
        }
        let evaluated = self.evaluated.get().wrapping_add(1);
        self.evaluated.set(evaluated);
        evaluated % SHADOW_EVERY == 1
    }

    /// The guard of the footprint: on the whole input the policy must answer the same.
    fn compare(&self, in_force: &mut InForce, outcome: &Result<Verdict, Failure>, whole: Value) {
        let shadow = in_force.engine.evaluate(from_json(whole));
        let broke = |outcome: &Result<_, Failure>| {
            matches!(outcome, Err(Failure::Timeout | Failure::Error(_)))
        };
        if shadow == *outcome || broke(&shadow) || broke(outcome) {
            return;
        }
        self.memory.metrics.cache.footprint_missed();
        tracing::error!(
            revision = &*in_force.revision,
            "the policy answers otherwise on the whole input than on its footprint: please report this"
        );
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;

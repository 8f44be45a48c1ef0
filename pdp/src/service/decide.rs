//! One decision: read to its key, looked up, evaluated where it must be, remembered where it may be.
//!
//! INVARIANT: the key is the bytes of the question's projection onto the policy's footprint, and what is
//! evaluated is read from the key, whether decisions are remembered or not. So a decision is a function of
//! its key. That the footprint leaves out nothing the policy reads is tried on a sample.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use edgeward_core::decision::{DecisionId, Lease, Premises};
use edgeward_core::feed::Caching;
use edgeward_core::time::UnixSeconds;

use super::asked::Asked;
use super::cache_metrics::Found;
use super::identifiers::{self, NoRandomness};
use super::metrics::Metrics;
use super::put::{self, Care, Put};
use super::reply::Refusal;
use super::{question, question_key};
use crate::atoms::Atoms;
use crate::cache::{CacheSettings, DecisionCache, LookUp, Made};
use crate::policy::{Failure, PolicySet, Verdict, Worker, from_json, from_key};

/// Every so many evaluations, one is made on the whole input as well.
const SHADOW_EVERY: u32 = 1024;

/// What a question came to.
pub(super) struct Decided {
    pub(super) id: DecisionId,
    pub(super) outcome: Result<Arc<Verdict>, Failure>,
    pub(super) revision: Arc<str>,
    pub(super) premises: Option<Premises>,
}

impl Decided {
    /// A verdict that no policy gave, and that nobody remembers.
    pub(super) fn aside(verdict: Verdict, revision: Arc<str>) -> Result<Self, NoRandomness> {
        Ok(Self {
            id: identifiers::decision_id(identifiers::number()?)?,
            outcome: Ok(Arc::new(verdict)),
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
    buffers: RefCell<Buffers>,
    lease: Lease,
    reused: Cell<u64>,
    evaluated: Cell<u32>,
}

/// Kept from question to question, so that a hit allocates nothing for its key.
#[derive(Default)]
struct Buffers {
    key: Vec<u8>,
    scratch: Vec<u8>,
}

/// A policy set, and this thread's engine for it.
struct InForce {
    engine: Worker,
    set: Arc<PolicySet>,
    revision: Arc<str>,
    caching: Option<Caching>,
    reads_atoms: bool,
}

impl InForce {
    fn new(engine: Worker, set: Arc<PolicySet>) -> Self {
        Self {
            revision: set.revision().into(),
            caching: set.caching(),
            reads_atoms: put::reads_atoms(&set.footprint().input),
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
            buffers: RefCell::default(),
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

    /// Looks at the set that this thread decides by, and its revision.
    pub(super) fn with_set<T>(&self, look: impl FnOnce(&PolicySet, &Arc<str>) -> T) -> T {
        let in_force = self.in_force.borrow();
        look(&in_force.set, &in_force.revision)
    }

    /// Asks this thread's engine something other than for a decision.
    pub(super) fn ask<T>(&self, ask: impl FnOnce(&mut Worker) -> T) -> T {
        ask(&mut self.in_force.borrow_mut().engine)
    }

    /// Decides what is `put` at `now`, unless it rests on something that is `revoked`, by what is asked
    /// and the revision in force: then that is the verdict, and nothing is looked up.
    pub(super) fn decide<'q>(
        &self,
        put: Put<'q>,
        now: UnixSeconds,
        atoms: &Atoms,
        revoked: impl FnOnce(&Asked<'q>, &str) -> Option<Verdict>,
    ) -> Result<(Decided, Asked<'q>), Refusal> {
        let in_force = &mut *self.in_force.borrow_mut();
        let Buffers { key, scratch } = &mut *self.buffers.borrow_mut();
        let vary = &in_force.set.footprint().input;
        let mut told = None;
        let asked = match put {
            Put::Whole(body, _) if in_force.reads_atoms => {
                let (asked, of) = put::of_whole(body, now, vary, atoms, key)?;
                told = Some(of);
                asked
            }
            Put::Whole(body, _) => question_key::read(body, now, vary, key, scratch)?,
            Put::Projected(question) => {
                let caching = in_force.caching.as_ref().ok_or(Refusal::AnotherProgram)?;
                let buffers = (&mut *key, scratch);
                let (asked, of) = put::of_projected(question, now, caching, atoms, buffers)?;
                told = Some(of);
                asked
            }
        };
        let decided = match revoked(&asked, &in_force.revision) {
            Some(denied) => Decided::aside(denied, in_force.revision.clone()),
            None => self.decide_key(key, put, now, atoms, in_force),
        };
        let mut decided = decided.map_err(|NoRandomness| Refusal::Broken)?;
        if let (Some(premises), Some(told)) = (&mut decided.premises, &told) {
            atoms.limit(premises, &in_force.set.footprint().input, told);
        }
        Ok((decided, asked))
    }

    fn decide_key(
        &self,
        key: &[u8],
        put: Put<'_>,
        now: UnixSeconds,
        atoms: &Atoms,
        in_force: &mut InForce,
    ) -> Result<Decided, NoRandomness> {
        if in_force.caching.is_none() {
            self.memory.metrics.cache.looked_up(Found::Uncacheable);
        } else if !matches!(put, Put::Whole(_, Care::Compare))
            && let Some(decided) = self.reuse(key, in_force, now)
        {
            return Ok(decided);
        }
        let outcome = match from_key(key) {
            Ok(input) => in_force.engine.evaluate(input, now).map(Arc::new),
            Err(error) => Err(Failure::Error(error.to_string())),
        };
        match put {
            Put::Whole(body, Care::Compare) => self.compare(in_force, &outcome, body, now, atoms),
            Put::Whole(body, Care::Usual) if self.is_sampled() => {
                self.compare(in_force, &outcome, body, now, atoms);
            }
            Put::Whole(..) | Put::Projected(_) => {}
        }
        let id = identifiers::number()?;
        let premises = match &outcome {
            Ok(verdict) => self.premises(in_force, verdict, now),
            Err(_) => None,
        };
        if let (Ok(verdict), Some(premises)) = (&outcome, &premises) {
            let made = Made {
                id,
                numbers: in_force.set.numbers(),
                from: now,
                until: premises.until,
            };
            self.memory.cache.remember(key, &made, verdict);
        }
        Ok(Decided {
            id: identifiers::decision_id(id)?,
            outcome,
            revision: in_force.revision.clone(),
            premises,
        })
    }

    fn reuse(&self, key: &[u8], in_force: &InForce, now: UnixSeconds) -> Option<Decided> {
        let memory = &self.memory;
        let found = memory.cache.look_up(key, in_force.set.numbers(), now);
        memory.metrics.cache.looked_up(Found::of(&found));
        let LookUp::Hit(made, verdict) = found else {
            return None;
        };
        let age = now.seconds_since(made.from);
        memory.metrics.cache.reused_after(age);
        let original = identifiers::decision_id(made.id).ok()?;
        self.reused.set(self.reused.get().wrapping_add(1));
        Some(Decided {
            id: DecisionId::cached(&self.lease, self.reused.get(), &original)?,
            outcome: Ok(verdict),
            revision: in_force.revision.clone(),
            premises: in_force.caching.as_ref().map(|caching| Premises {
                program: caching.program.clone(),
                now,
                until: made.until,
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
        let until = self.memory.settings.until(verdict, now)?;
        let time_moves = in_force.set.time_moves(now);
        let until = time_moves.into_iter().fold(until, UnixSeconds::min);
        Some(Premises {
            program: caching.program.clone(),
            now,
            until,
        })
    }

    fn is_sampled(&self) -> bool {
        let evaluated = self.evaluated.get().wrapping_add(1);
        self.evaluated.set(evaluated);
        evaluated % SHADOW_EVERY == 1
    }

    /// The guard of the footprint: on the whole input the policy must answer the same.
    fn compare(
        &self,
        in_force: &mut InForce,
        outcome: &Result<Arc<Verdict>, Failure>,
        body: &[u8],
        now: UnixSeconds,
        atoms: &Atoms,
    ) {
        // That it can be read was seen when it was read to its key.
        let Ok(mut whole) = question::read(body, now) else {
            return;
        };
        atoms.tell(&mut whole, now);
        let shadow = in_force
            .engine
            .evaluate(from_json(whole), now)
            .map(Arc::new);
        let broke = |outcome: &Result<_, Failure>| {
            matches!(
                outcome,
                Err(Failure::Timeout | Failure::Memory | Failure::Error(_))
            )
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

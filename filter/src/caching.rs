//! When a decision may be reused, and under which key: between [`crate::exchange`], which asks, and
//! [`crate::cache`], which keeps.
//!
//! Who the caller is has been established before anything here is asked: a revoked or expired
//! identity never gets this far.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use edgeward_core::authzen::EvaluationRequest;
use edgeward_core::cache_key::{MAX_KEY_BYTES, write_question, write_value};
use edgeward_core::decision::{Decision, Premises};
use edgeward_core::feed::Caching;
use edgeward_core::footprint::Footprint;
use edgeward_core::members::{MemberError, Members};
use edgeward_core::time::UnixSeconds;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::cache::{CachedDecision, DecisionCache, Miss};
use crate::config::duration;
use crate::stats::Counter;

const DEFAULT_MAX_BYTES: u64 = 1024 * 1024;
const MOST_BYTES: u64 = 256 * 1024 * 1024;
const DEFAULT_ALLOW_TTL: Duration = Duration::from_mins(1);
const DEFAULT_DENY_TTL: Duration = Duration::from_secs(10);
const DEFAULT_MAX_STALENESS: Duration = Duration::from_secs(2);

/// What the operator says of remembered decisions.
#[derive(Debug, Clone)]
pub struct CacheSettings {
    /// What they may take in each worker, in bytes; 0 remembers none.
    pub max_bytes: usize,
    /// How long an allow is reused at most, whatever its premises say.
    pub allow_ttl: Duration,
    /// How long a deny is.
    pub deny_ttl: Duration,
    /// How old the sync feed may be before none is reused any more.
    pub max_staleness: Duration,
}

impl CacheSettings {
    /// Reads the object `cache` of the plugin configuration.
    pub fn read(mut members: Members) -> Result<Self, MemberError> {
        let max_bytes = if members.has("max_bytes") {
            members.required_number("max_bytes")?
        } else {
            DEFAULT_MAX_BYTES
        };
        if max_bytes > MOST_BYTES {
            return Err(members.error("max_bytes", "must be at most 268435456 (256 MiB)"));
        }
        let settings = Self {
            max_bytes: usize::try_from(max_bytes).unwrap_or_default(),
            allow_ttl: duration(&mut members, "allow_ttl", DEFAULT_ALLOW_TTL)?,
            deny_ttl: duration(&mut members, "deny_ttl", DEFAULT_DENY_TTL)?,
            max_staleness: duration(&mut members, "max_staleness", DEFAULT_MAX_STALENESS)?,
        };
        members.finish()?;
        Ok(settings)
    }

    /// How long the PDP may hold a poll of the sync feed, so that a quiet one is not taken for one
    /// that was cut; none where no decision is remembered.
    pub fn poll_wait(&self) -> Option<Duration> {
        (self.max_bytes > 0).then_some(self.max_staleness / 2)
    }
}

/// What decides now, as the feed told, and this worker's number for it.
#[derive(Debug, Clone, Copy)]
pub struct InForce<'s> {
    /// What decides, and what its decisions depend on.
    pub caching: &'s Caching,
    /// Counts up whenever the former changes.
    pub generation: u32,
    /// The first of those in which the same policies decided, maybe by other data.
    pub policies_since: u32,
}

impl InForce<'_> {
    /// What a miss counts as.
    pub fn cause(self, miss: Miss) -> Counter {
        match miss {
            Miss::Cold => Counter::CacheMissCold,
            Miss::Program(generation) if generation < self.policies_since => {
                Counter::CacheMissPolicy
            }
            Miss::Program(_) => Counter::CacheMissData,
            Miss::Expired => Counter::CacheMissExpired,
            Miss::Stale => Counter::CacheMissStale,
        }
    }
}

/// A question that is being asked, and the key for what will be answered.
#[derive(Debug)]
pub struct Pending {
    /// Of the key and what decides: finds, and proves nothing.
    pub(crate) hash: u64,
    key: Rc<[u8]>,
    /// What was in force.
    pub program: String,
    generation: u32,
    asked_at: Cell<UnixSeconds>,
}

impl Pending {
    /// Whether both are the same question to the same program.
    pub(crate) fn asks_as(&self, other: &Self) -> bool {
        self.hash == other.hash && self.generation == other.generation && self.key == other.key
    }

    /// It is asked again, as `other`: what is left of an answer counts from then.
    pub(crate) fn ask_again(&self, other: &Self) {
        self.asked_at.set(other.asked_at.get());
    }

    /// It is asked now, having waited for others: the clock may have stepped back meanwhile.
    pub(crate) fn ask_at(&self, now: UnixSeconds) {
        self.asked_at.set(now);
    }
}

type Encoding = Box<[u8]>;

/// The encodings of a caller's subject: they are the same for every request.
#[derive(Debug, Default)]
pub struct SubjectKey {
    generation: u32,
    encodings: Option<(Encoding, Encoding)>,
}

impl SubjectKey {
    /// The encoding for what decides now, and that for what every question is about.
    pub fn of(
        &mut self,
        subject: &RawValue,
        in_force: InForce<'_>,
        about: &Footprint,
    ) -> Option<(&[u8], &[u8])> {
        if self.encodings.is_none() || self.generation != in_force.generation {
            let subject = edgeward_core::json::parse(subject.get().as_bytes()).ok()?;
            let encode = |subject, vary| encode(subject, vary).into();
            self.encodings = Some((
                encode(subject.clone(), &in_force.caching.vary),
                encode(subject, about),
            ));
            self.generation = in_force.generation;
        }
        let (key, about) = self.encodings.as_ref()?;
        Some((key, about))
    }
}

/// Looks up what was decided for `question`, unless the feed is no longer `fresh`; `scratch` is
/// overwritten. A miss comes with its cause, and with what is needed to remember the answer where that
/// may be done.
pub fn look_up(
    cache: &mut DecisionCache,
    scratch: &mut Vec<u8>,
    in_force: InForce<'_>,
    fresh: bool,
    question: &EvaluationRequest<'_>,
    subject: &[u8],
    now: UnixSeconds,
) -> Result<Rc<CachedDecision>, (Miss, Option<Pending>)> {
    scratch.clear();
    let Caching { vary, atoms, .. } = in_force.caching;
    write_question(scratch, question, subject, vary, atoms);
    let hash = if cache.keeps_any() {
        cache.hash(scratch)
    } else {
        0
    };
    let miss = if fresh {
        match cache.find(hash, scratch, in_force.generation, now) {
            Ok(cached) => return Ok(cached),
            Err(miss) => miss,
        }
    } else {
        Miss::Stale
    };
    let may_be_kept = cache.keeps_any() && scratch.len() <= MAX_KEY_BYTES;
    let pending = may_be_kept.then(|| Pending {
        hash: hash ^ u64::from(in_force.generation),
        key: scratch.as_slice().into(),
        program: in_force.caching.program.clone(),
        generation: in_force.generation,
        asked_at: Cell::new(now),
    });
    Err((miss, pending))
}

/// Remembers `decision`, the answer to the question of `pending`, if it has premises that stand; hands
/// over what others may be told.
#[inline(never)]
pub(crate) fn remember(
    cache: &mut DecisionCache,
    settings: &CacheSettings,
    in_force: InForce<'_>,
    pending: &Pending,
    decision: &Decision,
    premises: Option<&Premises>,
    now: UnixSeconds,
) -> Option<Rc<CachedDecision>> {
    let premises = premises?;
    // Another program answered than the one whose footprint made the key, or is in force now.
    let same = premises.program == in_force.caching.program;
    if !same || pending.generation != in_force.generation {
        return None;
    }
    // The clock stepped back since: what is left of the answer cannot be told by it.
    let asked_at = pending.asked_at.get();
    if now < asked_at {
        return None;
    }
    let ceiling = if decision.is_allow() {
        settings.allow_ttl
    } else {
        settings.deny_ttl
    };
    let ceiling = asked_at.plus(ceiling.as_secs());
    let until = premises.until_by(asked_at).min(ceiling);
    if until <= now {
        return None;
    }
    let cached = Rc::new(CachedDecision {
        decision: decision.clone(),
        generation: pending.generation,
        from: now,
        until,
    });
    cache.remember(Rc::clone(&pending.key), Rc::clone(&cached));
    Some(cached)
}

/// What was decided for the question of `pending` by what is `in_force` still, also when its time is
/// over by no more than `grace` seconds.
pub(crate) fn look_up_late(
    cache: &DecisionCache,
    in_force: InForce<'_>,
    pending: &Pending,
    now: UnixSeconds,
    grace: u64,
) -> Option<Rc<CachedDecision>> {
    // A key means something else for every footprint.
    if pending.generation != in_force.generation {
        return None;
    }
    cache.find_late(&pending.key, in_force.generation, now, grace)
}

/// Whether `vary` covers where a request comes from.
pub fn reads_source(vary: &Footprint) -> bool {
    vary.at(["context", "source"]).is_some()
}

/// What is counted for a miss.
/// Once per caller and program: not worth a copy of it at every call.
#[inline(never)]
fn encode(subject: Value, vary: &Footprint) -> Vec<u8> {
    let mut encoding = Vec::new();
    if let Some(part) = vary.member("subject") {
        write_value(&mut encoding, &part.project(subject));
    }
    encoding
}

#[cfg(test)]
impl Pending {
    /// A question of its own for each `key`.
    pub(crate) fn for_tests(key: u8) -> Self {
        Self {
            hash: u64::from(key),
            key: [key].as_slice().into(),
            program: String::new(),
            generation: 0,
            asked_at: Cell::new(UnixSeconds(0)),
        }
    }
}

//! Decisions of this process, remembered by the canonical bytes of their projected questions
//! (`core::cache_key`): one cache for all service threads, bounded in bytes.
//!
//! A remembered decision is reused while its premises stand: the set of policies that decided is in
//! force, and its time has not come. Both are numbers to compare; a reload searches and purges
//! nothing, for what rests on older policies is no longer honoured and makes room like the rest.
//!
//! What this is not: it evaluates nothing and reads no clock. Failures never get here.

use std::sync::Arc;
use std::time::Duration;

use edgeward_core::cache_key::MAX_KEY_BYTES;
use edgeward_core::decision::DecisionId;
use edgeward_core::time::UnixSeconds;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::policy::Verdict;

/// What an entry costs beside its texts: pointers, numbers, its place in the queues.
const ENTRY_OVERHEAD: usize = 256;
/// The size of an entry that the tables are laid out for.
const TYPICAL_ENTRY: u64 = 512;

/// How decisions are remembered; `crate::config` makes this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// What they may take, in bytes; 0 remembers none.
    pub max_bytes: u64,
    /// How long an allow may be reused, here and in every filter.
    pub allow_ttl: Duration,
    /// How long a deny may be.
    pub deny_ttl: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            max_bytes: 64 * 1024 * 1024,
            allow_ttl: Duration::from_mins(1),
            deny_ttl: Duration::from_secs(10),
        }
    }
}

impl CacheSettings {
    /// The first instant at which `verdict`, made at `now`, must no longer be reused; none where it
    /// must not be at all. What the policy itself says may only shorten it.
    pub fn until(&self, verdict: &Verdict, now: UnixSeconds) -> Option<UnixSeconds> {
        let ceiling = if verdict.allow {
            self.allow_ttl
        } else {
            self.deny_ttl
        };
        let until = verdict
            .ends(now)
            .into_iter()
            .fold(now.plus(ceiling.as_secs()), UnixSeconds::min);
        (now < until).then_some(until)
    }
}

/// A decision that may be reused.
#[derive(Debug)]
pub struct Remembered {
    /// What was decided.
    pub verdict: Verdict,
    /// Its id.
    pub id: DecisionId,
    /// The number of the policy set that decided.
    pub policies: u64,
    /// When: a clock that steps back is a miss.
    pub from: UnixSeconds,
    /// The first instant at which it must no longer be reused.
    pub until: UnixSeconds,
}

/// What a look-up comes to.
#[derive(Debug)]
pub enum LookUp {
    /// It was decided before.
    Hit(Arc<Remembered>),
    /// It was not, or that has made room.
    Cold,
    /// It was, by policies or data that are no longer in force.
    Policy,
    /// It was, and its time is over, or the clock stepped back.
    Expired,
}

/// The decisions.
#[derive(Debug)]
pub struct DecisionCache(Option<Cache<Box<[u8]>, Arc<Remembered>, Bytes>>);

impl DecisionCache {
    /// An empty one.
    pub fn new(settings: &CacheSettings) -> Self {
        let items = usize::try_from(settings.max_bytes / TYPICAL_ENTRY).unwrap_or(usize::MAX);
        Self(
            (settings.max_bytes > 0)
                .then(|| Cache::with_weighter(items, settings.max_bytes, Bytes)),
        )
    }

    /// What was decided under `key` by the policy set with this number, if it still stands.
    pub fn look_up(&self, key: &[u8], policies: u64, now: UnixSeconds) -> LookUp {
        match self.0.as_ref().and_then(|cache| cache.get(key)) {
            None => LookUp::Cold,
            Some(found) if found.policies != policies => LookUp::Policy,
            Some(found) if now < found.from || now >= found.until => LookUp::Expired,
            Some(found) => LookUp::Hit(found),
        }
    }

    /// Remembers what was decided under `key`.
    pub fn remember(&self, key: Vec<u8>, decided: Remembered) {
        if let Some(cache) = &self.0
            && key.len() <= MAX_KEY_BYTES
        {
            cache.insert(key.into(), Arc::new(decided));
        }
    }

    /// How many decisions are remembered, those that no longer stand among them.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Cache::len)
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes they take at the most, as counted here.
    pub fn bytes(&self) -> u64 {
        self.0.as_ref().map_or(0, Cache::weight)
    }
}

/// Weighs an entry by what it takes.
#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<Box<[u8]>, Arc<Remembered>> for Bytes {
    fn weight(&self, key: &Box<[u8]>, decided: &Arc<Remembered>) -> u64 {
        let Verdict {
            reasons,
            obligations,
            ..
        } = &decided.verdict;
        let reasons: usize = reasons.iter().map(|reason| 24 + reason.len()).sum();
        let headers = [&obligations.request_headers, &obligations.response_headers];
        let headers = headers.into_iter().flatten();
        let headers: usize = headers
            .map(|(name, value)| 48 + name.len() + value.len())
            .sum();
        (ENTRY_OVERHEAD + key.len() + reasons + headers) as u64
    }
}

#[cfg(test)]
mod tests;

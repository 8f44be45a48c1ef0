//! Decisions this worker remembers, by the canonical bytes of their projected questions.
//!
//! A remembered decision is reused while its premises stand: the same program decides, and its time
//! has not come. Both are numbers to compare; when another program comes into force nothing is
//! searched or purged, for old entries are no longer honoured and make room like any others.
//!
//! What is kept is chosen as in S3-FIFO (Yang et al., SOSP 2023): a new entry waits in a small
//! queue, and only what is asked for again moves into the main one, so that a scan of questions
//! asked once washes nothing else out. What was dropped lately goes straight into the main queue.
//!
//! INVARIANT: keys are compared whole; the hash, seeded by the PDP, only finds them.

use std::collections::VecDeque;
use std::hash::Hasher;
use std::rc::Rc;

use edgeward_core::decision::Decision;
use edgeward_core::time::UnixSeconds;

use crate::hashed::Hashed;

/// What an entry costs beside its texts: pointers, numbers, slots.
const ENTRY_OVERHEAD: usize = 200;
/// The small queue's share of all bytes, as a divisor.
const SMALL_SHARE: usize = 10;
/// How often being asked for again counts.
const MAX_USES: u8 = 3;
/// How many dropped entries are remembered by their hash; a power of two.
const GHOSTS: usize = 1024;

/// A decision that may be reused.
#[derive(Debug)]
pub struct CachedDecision {
    /// What was decided.
    pub decision: Decision,
    /// Which program decided, by the worker's count of them.
    pub generation: u32,
    /// When it was remembered: a clock that steps back is a miss.
    pub from: UnixSeconds,
    /// The first instant at which it must no longer be reused.
    pub until: UnixSeconds,
}

impl CachedDecision {
    /// Whether its time has neither passed nor, by a clock that stepped back, yet to come.
    pub(crate) fn holds_at(&self, now: UnixSeconds) -> bool {
        self.from <= now && now < self.until
    }
}

/// Why a question finds no decision to reuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// It was not asked, or what was answered has made room.
    Cold,
    /// Another program decides now; it was decided in this generation.
    Program(u32),
    /// The time of what was decided is over, or the clock stepped back.
    Expired,
    /// It was not looked for: the sync feed is too old.
    Stale,
}

/// The decisions of one worker, bounded in bytes.
#[derive(Debug)]
pub struct DecisionCache {
    entries: Hashed<Box<Entry>>,
    small: VecDeque<u64>,
    main: VecDeque<u64>,
    ghosts: Vec<u64>,
    bytes: usize,
    small_bytes: usize,
    limit: usize,
    seed: String,
    reused_age: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    key: Rc<[u8]>,
    cached: Rc<CachedDecision>,
    bytes: usize,
    uses: u8,
    in_main: bool,
}

impl DecisionCache {
    /// An empty one that takes at most `limit` bytes; with 0 it remembers nothing.
    pub fn new(limit: usize) -> Self {
        Self {
            entries: Hashed::default(),
            small: VecDeque::new(),
            main: VecDeque::new(),
            ghosts: vec![0; GHOSTS],
            bytes: 0,
            small_bytes: 0,
            limit,
            seed: String::new(),
            reused_age: None,
        }
    }

    /// Whether anything is ever remembered.
    pub fn keeps_any(&self) -> bool {
        self.limit > 0
    }

    /// Seeds the hash, once: with a value that no client knows.
    pub fn seed(&mut self, seed: &str) {
        if self.seed.is_empty() {
            seed.clone_into(&mut self.seed);
        }
    }

    /// What was decided under `key`, if it still stands.
    pub fn look_up(
        &mut self,
        key: &[u8],
        generation: u32,
        now: UnixSeconds,
    ) -> Result<Rc<CachedDecision>, Miss> {
        if !self.keeps_any() {
            return Err(Miss::Cold);
        }
        self.find(self.hash(key), key, generation, now)
    }

    /// As before, where the key's hash is known.
    pub(crate) fn find(
        &mut self,
        hash: u64,
        key: &[u8],
        generation: u32,
        now: UnixSeconds,
    ) -> Result<Rc<CachedDecision>, Miss> {
        let entry = self.entries.get_mut(&hash).ok_or(Miss::Cold)?;
        if *entry.key != *key {
            return Err(Miss::Cold);
        }
        let cached = &entry.cached;
        if cached.generation != generation {
            return Err(Miss::Program(cached.generation));
        }
        if !cached.holds_at(now) {
            return Err(Miss::Expired);
        }
        entry.uses = (entry.uses + 1).min(MAX_USES);
        self.reused_age = Some(now.seconds_since(cached.from));
        Ok(Rc::clone(cached))
    }

    /// What was decided under `key`, also when its time is over, by no more than `grace` seconds.
    pub(crate) fn find_late(
        &self,
        key: &[u8],
        generation: u32,
        now: UnixSeconds,
        grace: u64,
    ) -> Option<Rc<CachedDecision>> {
        let entry = self.entries.get(&self.hash(key))?;
        let cached = &entry.cached;
        let stands = *entry.key == *key
            && cached.generation == generation
            && cached.from <= now
            && now < cached.until.plus(grace);
        stands.then(|| Rc::clone(cached))
    }

    /// Remembers what was decided under `key`. It takes the place of what was there, or of another
    /// key with this hash.
    pub fn remember(&mut self, key: Rc<[u8]>, cached: Rc<CachedDecision>) {
        let bytes = ENTRY_OVERHEAD + key.len() + size_of_decision(&cached.decision);
        if bytes > self.limit / SMALL_SHARE {
            return;
        }
        let hash = self.hash(&key);
        let place = self.entries.get(&hash).map(|old| (old.in_main, old.uses));
        let (in_main, uses) = place.unwrap_or_else(|| (self.was_dropped(hash), 0));
        let entry = Box::new(Entry {
            key,
            cached,
            bytes,
            uses,
            in_main,
        });
        self.count(&entry, true);
        if let Some(old) = self.entries.insert(hash, entry) {
            self.count(&old, false);
        } else if in_main {
            self.main.push_back(hash);
        } else {
            self.small.push_back(hash);
        }
        while self.bytes > self.limit && self.make_room() {}
    }

    /// How many decisions are remembered, those that no longer stand among them.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes they take at the most, as counted here.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How old the decision was that was reused last, in seconds; none since this was last asked.
    pub(crate) fn take_reused_age(&mut self) -> Option<u64> {
        self.reused_age.take()
    }

    /// Drops or moves one entry; false when there is none.
    fn make_room(&mut self) -> bool {
        let from_small = self.small_bytes > self.limit / SMALL_SHARE || self.main.is_empty();
        let queue = if from_small {
            &mut self.small
        } else {
            &mut self.main
        };
        let Some(hash) = queue.pop_front() else {
            return false;
        };
        let Some(mut entry) = self.entries.remove(&hash) else {
            return true;
        };
        self.count(&entry, false);
        if entry.uses == 0 {
            if from_small && let Some(ghost) = self.ghosts.get_mut(ghost_slot(hash)) {
                *ghost = hash;
            }
            return true;
        }
        entry.uses = if from_small { 0 } else { entry.uses - 1 };
        entry.in_main = true;
        self.count(&entry, true);
        self.main.push_back(hash);
        self.entries.insert(hash, entry);
        true
    }

    fn was_dropped(&self, hash: u64) -> bool {
        self.ghosts.get(ghost_slot(hash)) == Some(&hash)
    }

    fn count(&mut self, entry: &Entry, comes: bool) {
        let small = if entry.in_main { 0 } else { entry.bytes };
        if comes {
            self.bytes += entry.bytes;
            self.small_bytes += small;
        } else {
            self.bytes = self.bytes.saturating_sub(entry.bytes);
            self.small_bytes = self.small_bytes.saturating_sub(small);
        }
    }

    /// What finds a key; no client knows it.
    pub(crate) fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        hasher.write(self.seed.as_bytes());
        hasher.write(key);
        hasher.finish()
    }
}

fn ghost_slot(hash: u64) -> usize {
    usize::try_from(hash % GHOSTS as u64).unwrap_or_default()
}

fn size_of_decision(decision: &Decision) -> usize {
    let texts = |number: usize, bytes: usize| number * 24 + bytes;
    let reasons = decision.reasons();
    let said = texts(reasons.len(), reasons.iter().map(String::len).sum());
    let Decision::Allow { obligations, .. } = decision else {
        return said;
    };
    let headers = [&obligations.request_headers, &obligations.response_headers];
    headers
        .into_iter()
        .flatten()
        .fold(said, |sum, (name, value)| {
            sum + texts(2, name.len() + value.len())
        })
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;

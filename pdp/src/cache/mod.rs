//! Decisions of this process, remembered by the canonical bytes of their projected questions
//! (`core::cache_key`): one cache for all service threads, bounded in bytes.
//!
//! A remembered decision is reused while its premises stand: the policies that decided are in force,
//! so are the data that they can read, and its time has not come. All are numbers to compare; a reload
//! searches and purges nothing, for what rests on older policies or data is no longer honoured and
//! makes room like the rest.
//!
//! What this is not: it evaluates nothing and reads no clock. Failures never get here.

mod entry;
mod shard;
mod table;
mod verdicts;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use edgeward_core::cache_key::MAX_KEY_BYTES;
use edgeward_core::time::UnixSeconds;
use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use spin::mutex::{SpinMutex, SpinMutexGuard};

use self::entry::Entry;
use self::shard::{Room, Shard, Slot, Wanted};
use crate::policy::{Numbers, Verdict};

pub use entry::Made;

/// So many shards at the most, a power of two: two threads seldom want the same one.
const MAX_SHARDS: usize = 1024;
/// How often a request tries to enter a place: some ten microseconds, a hundred times as long as a
/// look-up takes.
const TRIES: u32 = 512;
/// A shard is worth having for so many bytes.
const SHARD_BYTES: usize = 256 * 1024;
/// The share of shared verdicts, as a divisor.
const VERDICT_SHARE: usize = 8;
/// Bytes of an entry to which one that was dropped is noted.
const BYTES_OF_A_GHOST: usize = 512;

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

/// What a look-up comes to.
#[derive(Debug)]
pub enum LookUp {
    /// It was decided before.
    Hit(Made, Arc<Verdict>),
    /// It was not, or that has made room.
    Cold,
    /// It was, by policies that are no longer in force.
    Policy,
    /// It was, by these policies and other data.
    Data,
    /// It was, and its time is over, or the clock stepped back.
    Expired,
    /// Not looked for: other threads were at work where it would be, and nobody waits for long.
    Busy,
}

/// The decisions.
#[derive(Debug)]
pub struct DecisionCache {
    /// A power of two of them; none where nothing is remembered. Their locks are let go by a plain write:
    /// by an exchange, as the standard library's are, a look-up would wait once more for what it has read.
    shards: Box<[SpinMutex<Shard>]>,
    seed: SeedableRandomState,
}

impl DecisionCache {
    /// An empty one.
    pub fn new(settings: &CacheSettings) -> Self {
        let max_bytes = usize::try_from(settings.max_bytes).unwrap_or(usize::MAX);
        let bytes = max_bytes - max_bytes / VERDICT_SHARE;
        let count = (bytes / SHARD_BYTES).clamp(1, MAX_SHARDS);
        // The power of two below, so that each shard has as much as it is worth.
        let count = 1 << count.ilog2();
        let shard = || {
            let limit = bytes / count;
            let verdicts = max_bytes / VERDICT_SHARE / count;
            SpinMutex::new(Shard::new(limit, verdicts, limit / BYTES_OF_A_GHOST))
        };
        let shards = if max_bytes == 0 { 0 } else { count };
        Self {
            shards: std::iter::repeat_with(shard).take(shards).collect(),
            seed: SeedableRandomState::with_seed(
                RandomState::new().hash_one(()),
                SharedSeed::global_random(),
            ),
        }
    }

    /// What was decided under `key` by the policies and data with these numbers, if it still stands.
    pub fn look_up(&self, key: &[u8], numbers: Numbers, now: UnixSeconds) -> LookUp {
        let mut miss = LookUp::Cold;
        let stands = |made: &Made| {
            miss = match made {
                made if made.numbers.policies != numbers.policies => LookUp::Policy,
                made if made.numbers.data != numbers.data => LookUp::Data,
                made if now < made.from || now >= made.until => LookUp::Expired,
                _ => return true,
            };
            false
        };
        let (Some(shard), hash) = self.place_of(key) else {
            return LookUp::Cold;
        };
        let Some(mut shard) = enter(shard) else {
            return LookUp::Busy;
        };
        let found = shard.find(hash, key, stands);
        drop(shard);
        found.map_or(miss, |(made, verdict)| LookUp::Hit(made, verdict))
    }

    /// Remembers what was decided under `key`.
    pub fn remember(&self, key: &[u8], made: &Made, verdict: &Arc<Verdict>) {
        let (Some(shard), hash) = self.place_of(key) else {
            return;
        };
        if key.len() > MAX_KEY_BYTES {
            return;
        }
        let Some(equal) = enter(shard).map(|mut shard| shard.share(verdict)) else {
            return;
        };
        let owns = equal.is_none();
        let verdict = equal.unwrap_or_else(|| verdict.clone());
        let mut dropped = Vec::new();
        // What takes memory or gives it back does so while no other thread waits.
        let slot = Slot::new(hash, Entry::new(key, made, verdict), owns);
        let wanted = enter(shard).map(|mut shard| {
            shard.remember(slot, &mut dropped);
            shard.wants()
        });
        if let Some(wanted) = wanted.filter(|wanted| *wanted != Wanted::default()) {
            let mut room = Room::of(&wanted);
            if let Some(mut shard) = enter(shard) {
                shard.move_into(&mut room);
            }
        }
    }

    /// How many decisions are remembered, those that no longer stand among them.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes they take at the most, as counted here.
    pub fn bytes(&self) -> u64 {
        let shards = self.shards.iter().map(|shard| lock(shard).bytes());
        shards.sum::<usize>() as u64
    }

    /// The shard where `key` belongs, and its hash there.
    fn place_of(&self, key: &[u8]) -> (Option<&SpinMutex<Shard>>, u32) {
        let mut hasher = self.seed.build_hasher();
        hasher.write(key);
        let hash = hasher.finish();
        let [a, b, c, d, high @ ..] = hash.to_le_bytes();
        let shard = usize::try_from(u32::from_le_bytes(high)).unwrap_or_default();
        let shard = self.shards.get(shard & self.shards.len().wrapping_sub(1));
        (shard, u32::from_le_bytes([a, b, c, d]))
    }
}

/// For a request: none where the place stays taken. A thread that slept for it would be woken when the
/// system sees fit, which may be milliseconds after; to decide anew takes less.
fn enter<T>(place: &SpinMutex<T>) -> Option<SpinMutexGuard<'_, T>> {
    for _ in 0..TRIES {
        if let Some(inside) = place.try_lock() {
            return Some(inside);
        }
        std::hint::spin_loop();
    }
    None
}

/// For whoever has time: sums for the metrics.
fn lock(shard: &SpinMutex<Shard>) -> SpinMutexGuard<'_, Shard> {
    loop {
        if let Some(inside) = shard.try_lock() {
            return inside;
        }
        std::thread::yield_now();
    }
}

#[cfg(test)]
mod tests;

//! A million decisions in the PDP's cache: what each takes, how long one is looked for, and how long a
//! look-up waits while they are made and while all of them fall at once.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::Criterion;
use edgeward::cache::{CacheSettings, DecisionCache, LookUp, Made};
use edgeward::policy::{Numbers, PolicySet, PolicySettings, Verdict};
use edgeward_benches::load::as_f64;
use edgeward_benches::machine;
use edgeward_benches::statistics::Spread;
use edgeward_core::cache_key::write_value;
use edgeward_core::decision::Obligations;
use edgeward_core::time::UnixSeconds;
use serde_json::{Value, json};

use super::cpu_time::CpuTime;
use super::{Measured, hit};

const COUNT: u64 = 1_000_000;
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const ROUNDS: usize = 5;
/// So many keys are made before they are looked for: as many as stay in the processor's first cache.
const BATCH: usize = 128;
/// Stands in the key where a number goes.
const DIGITS: &[u8] = b"00000000";

/// The cache, full.
pub(super) struct Million {
    cache: DecisionCache,
    key: Key,
    /// Resident memory that each decision takes.
    pub(super) bytes: f64,
}

impl Million {
    pub(super) fn key_bytes(&self) -> usize {
        self.key.bytes.len()
    }
}

/// The key of a question about an order, by its number, of a workload that is known by its certificate:
/// the policies that ship read claims whole, so that with a token's each has an entry of its own.
#[derive(Clone)]
struct Key {
    bytes: Vec<u8>,
    at: usize,
}

impl Key {
    /// By the policies that ship.
    fn new() -> Measured<Self> {
        let set = PolicySet::load(&PolicySettings::default()).map_err(|error| error.to_string())?;
        let mut question: Value =
            serde_json::from_slice(&hit::body()).map_err(|error| error.to_string())?;
        let order = str::from_utf8(DIGITS).map_err(|error| error.to_string())?;
        question["resource"]["properties"]["segments"] = json!(["orders", order]);
        if let Some(properties) = question["subject"]["properties"].as_object_mut() {
            properties.remove("claims");
        }
        let mut bytes = Vec::new();
        write_value(&mut bytes, &set.footprint().input.project(question));
        let mut places = bytes.windows(DIGITS.len());
        let at = places.position(|window| window == DIGITS);
        let at = at.ok_or("the policy does not read the path")?;
        Ok(Self { bytes, at })
    }

    fn of(&mut self, number: u64) -> &[u8] {
        let mut rest = number;
        for digit in self.bytes.iter_mut().skip(self.at).take(DIGITS.len()).rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        &self.bytes
    }
}

fn numbers(policies: u64) -> Numbers {
    Numbers { policies, data: 1 }
}

fn verdict() -> Arc<Verdict> {
    Arc::new(Verdict {
        allow: true,
        reasons: vec!["grant-matched".to_owned()],
        obligations: Obligations::default(),
        ttl: None,
        valid_until: None,
    })
}

fn made(number: u64, policies: u64) -> Made {
    Made {
        id: u128::from(number) << 64,
        numbers: numbers(policies),
        from: NOW,
        until: NOW.plus(60),
    }
}

fn empty() -> DecisionCache {
    DecisionCache::new(&CacheSettings {
        // As much as a million of these need, and some.
        max_bytes: 448 * 1024 * 1024,
        ..CacheSettings::default()
    })
}

/// 31 bits of a linear congruential generator.
fn random(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Numbers all over.
fn scattered(state: &mut u64) -> u64 {
    random(state) % COUNT
}

/// Ranks below `count` of which few come often: r with a weight of 1/r.
pub(super) fn rank(state: &mut u64, count: u64) -> u64 {
    let share = as_f64(random(state)) / as_f64(1 << 31);
    // The ranks up to r have a weight of about ln r.
    let rank = (share * as_f64(count).ln()).exp();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank is below the count, and not negative"
    )]
    let rank = rank as u64;
    rank % count
}

/// Numbers of which few come often. Neighbours in rank are no neighbours in memory.
fn frequent(state: &mut u64) -> u64 {
    rank(state, COUNT) * 7_919_993 % COUNT
}

/// Fills a cache and counts what that takes.
pub(super) fn fill() -> Measured<Million> {
    let resident = || machine::resident_bytes(std::process::id()).map_err(|e| e.to_string());
    let (mut key, cache) = (Key::new()?, empty());
    let before = resident()?;
    for number in 0..COUNT {
        // Each miss makes a verdict of its own.
        cache.remember(key.of(number), &made(number, 1), &verdict());
    }
    let taken = resident()?.saturating_sub(before);
    if cache.len() as u64 != COUNT {
        return Err(format!("only {} decisions are remembered", cache.len()));
    }
    Ok(Million {
        cache,
        key,
        bytes: as_f64(taken) / as_f64(COUNT),
    })
}

/// By criterion: as questions come, the second most frequent half as often as the first and so on (Zipf's
/// law); and at the worst, each for another decision, far from the last.
pub(super) fn bench_look_up(criterion: &mut Criterion<CpuTime>, million: &Million) {
    let mut state = 1;
    let as_they_come: Vec<u64> = (0..1 << 20).map(|_| frequent(&mut state)).collect();
    let far_apart: Vec<u64> = (0..1 << 20).map(|_| scattered(&mut state)).collect();
    for (name, questions) in [
        ("look-up-of-a-million", as_they_come),
        ("look-up-far-apart", far_apart),
    ] {
        let mut keys = vec![million.key.clone(); BATCH];
        let mut questions = questions.iter().copied().cycle();
        criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                let (mut left, mut taken) = (usize::try_from(count).unwrap_or_default(), 0);
                while left > 0 {
                    let batch = left.min(BATCH);
                    for (key, number) in keys.iter_mut().take(batch).zip(&mut questions) {
                        key.of(number);
                    }
                    let started = CpuTime::now();
                    look_up_one_after_another(&million.cache, &keys, batch);
                    taken += CpuTime::now() - started;
                    left -= batch;
                }
                taken
            });
        });
    }
}

/// Each waits for the last, as in the service, where other work lies between: which key is next rests on
/// what was found, though it is always the one behind.
fn look_up_one_after_another(cache: &DecisionCache, keys: &[Key], count: usize) {
    let mut at = 0;
    while let Some(key) = keys.get(at).filter(|_| at < count) {
        let LookUp::Hit(made, _) = cache.look_up(black_box(&key.bytes), numbers(1), NOW) else {
            panic!("it was remembered");
        };
        at += usize::try_from(made.numbers.data).unwrap_or_default();
    }
}

/// What one access to memory takes that the next one waits for, in nanoseconds: over as much memory as
/// the million take, so that no cache of the processor has it.
pub(super) fn memory_access() -> f64 {
    const PLACES: usize = 64 << 20;
    const ACCESSES: u32 = 4_000_000;
    // One cycle through all places (Sattolo's algorithm).
    let mut next: Vec<u32> = (0..).take(PLACES).collect();
    let mut state = 9;
    for place in (1..PLACES).rev() {
        let other = usize::try_from(random(&mut state)).unwrap_or_default() % place;
        next.swap(place, other);
    }
    let started = CpuTime::now();
    let mut place = 0_u32;
    for _ in 0..ACCESSES {
        let at = usize::try_from(place).unwrap_or_default();
        place = next.get(at).copied().unwrap_or_default();
    }
    black_box(place);
    as_f64(CpuTime::now() - started) / f64::from(ACCESSES)
}

/// The longest that one look-up of many took in which its thread slept for a lock, in milliseconds, while
/// another thread makes a million decisions and then has all of them fall. And the longest of all, those
/// too whose thread the machine interrupted; for comparison, that while nothing else happens.
pub(super) fn waits(million: &Million) -> Measured<Value> {
    let (mut waited, mut filling, mut quiet) = (Vec::new(), Vec::new(), Vec::new());
    let mut looked_up = [0, 0];
    for _ in 0..ROUNDS {
        let cache = empty();
        let policies = AtomicU64::new(1);
        let look = |done: &dyn Fn() -> bool| {
            let (mut key, mut state) = (million.key.clone(), 7);
            let (mut longest, mut waited, mut count) = (Duration::ZERO, Duration::ZERO, 0_u64);
            let mut busy = 0;
            while !done() {
                let slept = machine::sleeps_of_this_thread();
                let mut longest_of_these = Duration::ZERO;
                for _ in 0..256 {
                    let key = key.of(scattered(&mut state));
                    let numbers = numbers(policies.load(Ordering::Relaxed));
                    let started = Instant::now();
                    let found = black_box(cache.look_up(key, numbers, NOW));
                    busy += u64::from(matches!(found, LookUp::Busy));
                    longest_of_these = longest_of_these.max(started.elapsed());
                }
                longest = longest.max(longest_of_these);
                if machine::sleeps_of_this_thread() != slept {
                    waited = waited.max(longest_of_these);
                }
                count += 256;
            }
            let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
            (milliseconds(waited), milliseconds(longest), [count, busy])
        };
        let (longest_wait, longest, count) = std::thread::scope(|scope| {
            let filler = scope.spawn(|| {
                let mut key = million.key.clone();
                for number in 0..COUNT {
                    cache.remember(key.of(number), &made(number, 1), &verdict());
                }
                // All of them fall.
                policies.fetch_add(1, Ordering::Relaxed);
                for number in 0..COUNT / 10 {
                    cache.remember(key.of(number), &made(number, 2), &verdict());
                }
            });
            look(&|| filler.is_finished())
        });
        waited.push(longest_wait);
        filling.push(longest);
        looked_up = [looked_up[0] + count[0], looked_up[1] + count[1]];
        let started = Instant::now();
        quiet.push(look(&|| started.elapsed() > Duration::from_secs(1)).1);
    }
    Ok(json!({
        "longest_wait_ms": Spread::of(waited),
        "longest_ms": Spread::of(filling),
        "longest_ms_with_nothing_else": Spread::of(quiet),
        "look_ups": looked_up[0],
        "look_ups_that_found_it_busy": looked_up[1],
    }))
}

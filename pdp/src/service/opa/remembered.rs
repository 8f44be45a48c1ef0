//! Documents remembered: the entry point's, for as long as the policies and data that made them are in
//! force, for every input that the policy could not tell from the first (`policy::footprint`).
//!
//! One memory for each thread, so that nobody waits for a lock. INVARIANT: only what is a function of its
//! key is here: not where the policy reads a clock, chance or the world, and not by other policies or data
//! than those in force.
//!
//! What this is not: the memory of decisions (`crate::cache`), which knows how long each holds.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::iter::Flatten;
use std::rc::Rc;
use std::sync::Arc;
use std::vec::IntoIter;

use edgeward_core::cache_key::{MAX_KEY_BYTES, write_projection};
use edgeward_core::footprint::Footprint;
use foldhash::fast::RandomState;
use regorus::Value;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::policy::{BuiltinErrors, PolicySet, Reference};
use crate::service::ServiceSettings;

/// The longest document that is worth remembering, in bytes.
const MAX_DOCUMENT_BYTES: usize = 16 * 1024;
/// What an entry takes beside its texts, in bytes.
const OVERHEAD: usize = 128;

/// A document as it was once made.
#[derive(Debug)]
pub(super) struct Document {
    /// As JSON; none where it is undefined.
    pub(super) json: Option<Box<RawValue>>,
    /// Whether it is `false`.
    pub(super) is_false: bool,
}

impl Document {
    /// Of a value that was read.
    fn of(value: Option<&Value>) -> Option<Self> {
        let json = match value {
            Some(value) => {
                let text = serde_json::to_string(value).ok()?;
                Some(RawValue::from_string(text).ok()?)
            }
            None => None,
        };
        Some(Self {
            json,
            is_false: value == Some(&Value::Bool(false)),
        })
    }

    fn text(&self) -> Option<&str> {
        self.json.as_ref().map(|json| json.get())
    }

    fn bytes(&self) -> usize {
        self.text().map_or(0, str::len)
    }
}

/// A key: what may be remembered, and so asked for.
pub(super) struct Key(Vec<u8>);

/// Tables that the entries of one generation are dealt to.
const SHARDS: usize = 64;
/// How many go for each one that comes.
const GO_AT_ONCE: usize = 4;
/// Every so many documents that are there are made anew all the same, to see whether they are the same.
const SAMPLE_EVERY: u32 = 1024;

/// The memory of one thread: the entries since the last turn, and those before that were asked for since.
#[derive(Default)]
pub(in crate::service) struct Remembered(RefCell<Generations>);

#[derive(Default)]
struct Generations {
    /// Whose documents these are.
    revision: Option<Arc<str>>,
    /// What of an input the entry point's document rests on; none where it is not remembered.
    vary: Option<Footprint>,
    young: Shards,
    old: Shards,
    /// Those before, which go a few at a time: all at once, whoever asks then would wait.
    going: Option<Flatten<IntoIter<Entries>>>,
    young_bytes: usize,
    /// What each of the two may take.
    limit: usize,
    /// Documents that were there.
    found: u32,
}

type Entries = HashMap<Vec<u8>, Rc<Document>, RandomState>;

/// Many small tables: one that is full grows at once, and whoever asks then waits for all of it.
struct Shards {
    hash: RandomState,
    shards: Vec<Entries>,
}

impl Default for Shards {
    fn default() -> Self {
        let mut shards = Vec::new();
        shards.resize_with(SHARDS, Entries::default);
        Self {
            hash: RandomState::default(),
            shards,
        }
    }
}

impl Shards {
    /// The shard that `key` belongs to; there always is one.
    fn of(&mut self, key: &[u8]) -> Option<&mut Entries> {
        let place = self.hash.hash_one(key) % SHARDS as u64;
        self.shards
            .get_mut(usize::try_from(place).unwrap_or_default())
    }
}

impl Remembered {
    /// An empty one, for one thread: all together they may take a quarter of what decisions may.
    pub(in crate::service) fn share_of(settings: &ServiceSettings) -> Self {
        let bytes = usize::try_from(settings.cache.max_bytes / 4).unwrap_or(usize::MAX);
        Self(RefCell::new(Generations {
            limit: bytes / settings.workers / 2,
            ..Generations::default()
        }))
    }

    /// The key of the document `at` of the set in force for `input`; none where it is not remembered.
    pub(super) fn key(
        &self,
        (set, revision): (&PolicySet, &Arc<str>),
        at: &Reference,
        input: &Json,
        errors: BuiltinErrors,
    ) -> Option<Key> {
        let mut memory = self.0.borrow_mut();
        if memory.limit == 0 || !set.is_entry_point(at) {
            return None;
        }
        if memory.revision.as_ref() != Some(revision) {
            let limit = memory.limit;
            *memory = Generations {
                revision: Some(Arc::clone(revision)),
                vary: set.value_rests_on().cloned(),
                limit,
                ..Generations::default()
            };
        }
        let mut key = vec![u8::from(errors == BuiltinErrors::Fail)];
        write_projection(&mut key, input, memory.vary.as_ref()?);
        (key.len() <= MAX_KEY_BYTES).then_some(Key(key))
    }

    /// What was made under `key`.
    pub(super) fn look_up(&self, key: &Key) -> Option<Rc<Document>> {
        let memory = &mut *self.0.borrow_mut();
        let young = memory.young.of(&key.0)?.get(&key.0).map(Rc::clone);
        let found = if let Some(found) = young {
            found
        } else {
            let found = memory.old.of(&key.0)?.remove(&key.0)?;
            memory.put(key.0.clone(), Rc::clone(&found));
            found
        };
        memory.found = memory.found.wrapping_add(1);
        let is_sample = memory.found.is_multiple_of(SAMPLE_EVERY);
        (!is_sample).then_some(found)
    }

    /// Remembers what was made under `key`; false where something else was before, which cannot be.
    #[must_use]
    pub(super) fn remember(&self, key: Key, value: Option<&Value>) -> bool {
        let document = Document::of(value);
        let Some(document) = document.filter(|made| made.bytes() <= MAX_DOCUMENT_BYTES) else {
            return true;
        };
        let memory = &mut *self.0.borrow_mut();
        let former = memory.young.of(&key.0).and_then(|young| young.get(&key.0));
        let is_same = former.is_none_or(|former| former.text() == document.text());
        memory.put(key.0, Rc::new(document));
        is_same
    }
}

impl Generations {
    fn put(&mut self, key: Vec<u8>, document: Rc<Document>) {
        self.young_bytes += key.len() + document.bytes() + OVERHEAD;
        if self.young_bytes > self.limit {
            let old = std::mem::take(&mut self.young);
            let going = std::mem::replace(&mut self.old, old).shards.into_iter();
            self.going = Some(going.flatten());
            self.young_bytes = key.len() + document.bytes() + OVERHEAD;
        }
        if let Some(young) = self.young.of(&key) {
            young.insert(key, document);
        }
        let going = self.going.iter_mut().flatten();
        going.take(GO_AT_ONCE).for_each(drop);
    }
}

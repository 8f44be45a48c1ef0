//! A part of the cache, behind a lock of its own: entries, their places, and which of them stay.
//!
//! What is kept is chosen as in S3-FIFO (Yang et al., SOSP 2023), as in the filter: a new entry waits in
//! a small queue, and only what is asked for again moves into the main one, so that a scan of
//! questions asked once washes nothing else out. What was dropped lately goes straight into the main
//! queue.
//!
//! INVARIANT: every entry is in one queue, once; keys are compared whole, the hash only finds them.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashTable;

use super::entry::{Entry, Made};
use super::verdicts::bytes_of;
use crate::policy::Verdict;

/// What an entry takes beside its allocation: its slot, its place in the table, which is half empty at
/// worst, and in a queue.
const SLOT_BYTES: usize = size_of::<Slot>() * 9 / 8 + 12 + 8;
/// The small queue's share of all bytes, as a divisor.
const SMALL_SHARE: usize = 10;
/// How often being asked for again counts.
const MAX_USES: u8 = 3;

#[derive(Debug)]
pub(super) struct Shard {
    /// Places in `slots`, by hash.
    table: HashTable<u32>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    small: VecDeque<u32>,
    main: VecDeque<u32>,
    /// The hashes of what was dropped lately.
    ghosts: Box<[u32]>,
    bytes: usize,
    small_bytes: usize,
    limit: usize,
}

#[derive(Debug, Default)]
struct Slot {
    entry: Entry,
    /// None where the slot is free.
    verdict: Option<Arc<Verdict>>,
    hash: u32,
    uses: u8,
    in_main: bool,
    /// Whether the verdict is this entry's own.
    owns: bool,
}

impl Slot {
    fn bytes(&self) -> usize {
        let own = self.verdict.as_ref().filter(|_| self.owns);
        SLOT_BYTES + self.entry.bytes() + own.map_or(0, |verdict| bytes_of(verdict))
    }
}

/// A hash of 32 bits over the 64 of which a table takes both ends.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn place(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

impl Shard {
    /// An empty one that takes at most `limit` bytes.
    pub(super) fn new(limit: usize, ghosts: usize) -> Self {
        Self {
            table: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            small: VecDeque::new(),
            main: VecDeque::new(),
            ghosts: vec![0; ghosts].into(),
            bytes: 0,
            small_bytes: 0,
            limit,
        }
    }

    /// What is remembered under `key`, be it over or not. `use_it` says whether it counts as use.
    pub(super) fn find(
        &mut self,
        hash: u32,
        key: &[u8],
        use_it: impl FnOnce(&Made) -> bool,
    ) -> Option<(Made, Arc<Verdict>)> {
        let index = self.index_of(hash, key)?;
        let slot = self.slots.get_mut(place(index))?;
        let made = slot.entry.made()?;
        if !use_it(&made) {
            return None;
        }
        slot.uses = (slot.uses + 1).min(MAX_USES);
        Some((made, slot.verdict.clone()?))
    }

    /// Remembers a decision, in the place of what was there.
    pub(super) fn remember(
        &mut self,
        hash: u32,
        key: &[u8],
        made: &Made,
        verdict: Arc<Verdict>,
        owns: bool,
    ) {
        let mut slot = Slot {
            entry: Entry::new(key, made),
            verdict: Some(verdict),
            hash,
            uses: 0,
            in_main: self.was_dropped(hash),
            owns,
        };
        if slot.bytes() > self.limit / SMALL_SHARE {
            return;
        }
        if let Some(index) = self.index_of(hash, key) {
            if let Some(old) = self.slots.get_mut(place(index)) {
                (slot.uses, slot.in_main) = (old.uses, old.in_main);
                let (old, new) = (std::mem::take(old), slot);
                self.count(&old, false);
                self.count(&new, true);
                if let Some(free) = self.slots.get_mut(place(index)) {
                    *free = new;
                }
            }
        } else {
            self.add(slot);
        }
        while self.bytes > self.limit && self.make_room() {}
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn index_of(&self, hash: u32, key: &[u8]) -> Option<u32> {
        let is_it = |index: &u32| {
            let slot = self.slots.get(place(*index));
            slot.is_some_and(|slot| slot.hash == hash && slot.entry.key() == key)
        };
        self.table.find(spread(hash), is_it).copied()
    }

    fn add(&mut self, slot: Slot) {
        self.count(&slot, true);
        let (hash, in_main) = (slot.hash, slot.in_main);
        let index = if let Some(index) = self.free.pop() {
            if let Some(free) = self.slots.get_mut(place(index)) {
                *free = slot;
            }
            index
        } else {
            if self.slots.len() == self.slots.capacity() {
                // By an eighth, where a vector would double.
                self.slots.reserve_exact(self.slots.len() / 8 + 16);
            }
            // A shard has far fewer slots than there are numbers: each takes a hundred bytes.
            let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
            self.slots.push(slot);
            index
        };
        let slots = &self.slots;
        let hash_of = |index: &u32| slots.get(place(*index)).map_or(0, |slot| spread(slot.hash));
        self.table.insert_unique(spread(hash), index, hash_of);
        let queue = if in_main {
            &mut self.main
        } else {
            &mut self.small
        };
        queue.push_back(index);
    }

    /// Drops or moves one entry; false when there is none.
    fn make_room(&mut self) -> bool {
        let from_small = self.small_bytes > self.limit / SMALL_SHARE || self.main.is_empty();
        let queue = if from_small {
            &mut self.small
        } else {
            &mut self.main
        };
        let Some(index) = queue.pop_front() else {
            return false;
        };
        let Some(slot) = self.slots.get_mut(place(index)) else {
            return true;
        };
        if slot.uses == 0 {
            let slot = std::mem::take(slot);
            self.count(&slot, false);
            self.forget(&slot, index);
            return true;
        }
        slot.uses = if from_small { 0 } else { slot.uses - 1 };
        if !slot.in_main {
            slot.in_main = true;
            self.small_bytes = self.small_bytes.saturating_sub(slot.bytes());
        }
        self.main.push_back(index);
        true
    }

    /// Frees the place `index`, which `slot` was taken out of.
    fn forget(&mut self, slot: &Slot, index: u32) {
        let found = self
            .table
            .find_entry(spread(slot.hash), |other| *other == index);
        if let Ok(found) = found {
            found.remove();
        }
        self.free.push(index);
        if !slot.in_main
            && let Some(place) = self.ghost(slot.hash)
            && let Some(ghost) = self.ghosts.get_mut(place)
        {
            *ghost = slot.hash;
        }
    }

    fn was_dropped(&self, hash: u32) -> bool {
        let ghost = self.ghost(hash).and_then(|place| self.ghosts.get(place));
        ghost == Some(&hash)
    }

    fn ghost(&self, hash: u32) -> Option<usize> {
        place(hash).checked_rem(self.ghosts.len())
    }

    fn count(&mut self, slot: &Slot, comes: bool) {
        let bytes = slot.bytes();
        let small = if slot.in_main { 0 } else { bytes };
        if comes {
            self.bytes += bytes;
            self.small_bytes += small;
        } else {
            self.bytes = self.bytes.saturating_sub(bytes);
            self.small_bytes = self.small_bytes.saturating_sub(small);
        }
    }
}

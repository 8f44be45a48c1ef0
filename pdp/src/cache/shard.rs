//! A part of the cache, behind a lock of its own: entries, their places, and which of them stay.
//!
//! What is kept is chosen as in S3-FIFO (Yang et al., SOSP 2023), as in the filter: a new entry waits in
//! a small queue, and only what is asked for again moves into the main one, so that a scan of
//! questions asked once washes nothing else out. What was dropped lately goes straight into the main
//! queue.
//!
//! INVARIANT: every entry is in one queue, once, by its hash; keys are compared whole, the hash only finds
//! them. Of two with the same hash in one queue either may be meant.

use std::collections::VecDeque;
use std::sync::Arc;

use super::entry::{Entry, Made};
use super::table::{self, Table};
use super::verdicts::{Verdicts, bytes_of};
use crate::policy::Verdict;

/// What an entry takes beside its allocation: its slot, with what is free beside it, and its place in a
/// queue.
const SLOT_BYTES: usize = size_of::<Slot>() * 4 / 3 + 8;
/// The small queue's share of all bytes, as a divisor.
const SMALL_SHARE: usize = 10;
/// Places that a queue should have left.
const QUEUE_SPARE: usize = 8;
/// How often being asked for again counts.
const MAX_USES: u8 = 3;

#[derive(Debug)]
pub(super) struct Shard {
    table: Table,
    /// Its own: threads that use different shards must not count uses of one verdict in one place.
    verdicts: Verdicts,
    /// Hashes of those that nobody has asked for again yet.
    small: VecDeque<u32>,
    main: VecDeque<u32>,
    /// The hashes of what was dropped lately.
    ghosts: Box<[u32]>,
    bytes: usize,
    small_bytes: usize,
    limit: usize,
}

/// Room for more, which is made while nobody waits: the system takes its time to give memory.
#[derive(Debug, Default)]
pub(super) struct Room {
    slots: Vec<Slot>,
    small: VecDeque<u32>,
    main: VecDeque<u32>,
}

/// How much room there should be, of what is soon too little.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    slots: usize,
    small: usize,
    main: usize,
}

impl Room {
    pub(super) fn of(wanted: &Wanted) -> Self {
        let queue = |length| {
            let mut queue = VecDeque::new();
            queue.reserve_exact(length);
            // Written to, so that it is there.
            queue.resize(length, 0);
            queue.clear();
            queue
        };
        Self {
            slots: table::slots(wanted.slots),
            small: queue(wanted.small),
            main: queue(wanted.main),
        }
    }
}

/// One decision, and where it stands.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// None where the slot is free.
    entry: Option<Entry>,
    pub(super) hash: u32,
    uses: u8,
    in_main: bool,
    /// Whether the verdict is this entry's own.
    owns: bool,
}

impl Slot {
    /// A decision that nobody has asked for again. `owns` says whether the verdict is its own.
    pub(super) fn new(hash: u32, entry: Entry, owns: bool) -> Self {
        Self {
            entry: Some(entry),
            hash,
            uses: 0,
            in_main: false,
            owns,
        }
    }

    pub(super) fn is_free(&self) -> bool {
        self.entry.is_none()
    }

    pub(super) fn has(&self, key: &[u8]) -> bool {
        self.entry.as_ref().is_some_and(|entry| entry.key() == key)
    }

    fn bytes(&self) -> usize {
        let entry = self.entry.as_ref().map_or(0, Entry::bytes);
        let own = self.entry.as_ref().filter(|_| self.owns);
        SLOT_BYTES + entry + own.map_or(0, |entry| bytes_of(entry.verdict()))
    }
}

impl Shard {
    /// An empty one that takes at most `limit` bytes, and `verdicts` bytes for what it shares.
    pub(super) fn new(limit: usize, verdicts: usize, ghosts: usize) -> Self {
        Self {
            table: Table::default(),
            verdicts: Verdicts::new(verdicts),
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
        let place = self.place_of(hash, key)?;
        let slot = self.table.slot(place)?;
        let entry = slot.entry.as_ref()?;
        let made = entry.made()?;
        if !use_it(&made) {
            return None;
        }
        // Not written where nothing changes: other threads would have to fetch it anew.
        if slot.uses < MAX_USES {
            slot.uses += 1;
        }
        Some((made, entry.verdict().clone()))
    }

    /// The verdict that equals this one, to be shared by decisions of this shard; else none, and it is
    /// its decision's own.
    pub(super) fn share(&mut self, verdict: &Arc<Verdict>) -> Option<Arc<Verdict>> {
        self.verdicts.share(verdict)
    }

    /// Remembers a decision, in the place of what was there. What makes room for it goes into `dropped`.
    pub(super) fn remember(&mut self, mut slot: Slot, dropped: &mut Vec<Slot>) {
        if slot.bytes() > self.limit / SMALL_SHARE {
            dropped.push(slot);
            return;
        }
        let key = slot.entry.as_ref().map(Entry::key);
        let place = key.and_then(|key| self.place_of(slot.hash, key));
        if let Some(old) = place.and_then(|place| self.table.slot(place)) {
            (slot.uses, slot.in_main) = (old.uses, old.in_main);
            let (new, old) = (slot.bytes(), std::mem::replace(old, slot));
            self.count(old.in_main, new, true);
            self.count(old.in_main, old.bytes(), false);
            dropped.push(old);
        } else {
            slot.in_main = self.was_dropped(slot.hash);
            self.add(slot);
        }
        while self.bytes > self.limit && self.make_room(dropped) {}
    }

    /// How much more room there should be.
    pub(super) fn wants(&self) -> Wanted {
        let queue = |queue: &VecDeque<u32>| {
            let is_enough = queue.len() + QUEUE_SPARE < queue.capacity();
            if is_enough {
                0
            } else {
                queue.len() + queue.len() / 8 + 2 * QUEUE_SPARE
            }
        };
        Wanted {
            slots: self.table.wants().unwrap_or_default(),
            small: queue(&self.small),
            main: queue(&self.main),
        }
    }

    /// Moves into what of `room` is larger; what is no longer needed is left there.
    pub(super) fn move_into(&mut self, room: &mut Room) {
        self.table.move_into(&mut room.slots);
        for (queue, room) in [
            (&mut self.small, &mut room.small),
            (&mut self.main, &mut room.main),
        ] {
            if room.capacity() > queue.capacity() {
                room.extend(queue.drain(..));
                std::mem::swap(queue, room);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.verdicts.bytes()
    }

    fn place_of(&self, hash: u32, key: &[u8]) -> Option<usize> {
        self.table.find(hash, |slot| slot.has(key))
    }

    fn add(&mut self, slot: Slot) {
        self.count(slot.in_main, slot.bytes(), true);
        let queue = if slot.in_main {
            &mut self.main
        } else {
            &mut self.small
        };
        queue.push_back(slot.hash);
        self.table.add(slot);
    }

    /// Drops or moves one entry; false when there is none.
    fn make_room(&mut self, dropped: &mut Vec<Slot>) -> bool {
        let from_small = self.small_bytes > self.limit / SMALL_SHARE || self.main.is_empty();
        let queue = if from_small {
            &mut self.small
        } else {
            &mut self.main
        };
        let Some(hash) = queue.pop_front() else {
            return false;
        };
        let place = self.table.find(hash, |slot| slot.in_main != from_small);
        let Some((place, slot)) = place.and_then(|place| Some((place, self.table.slot(place)?)))
        else {
            return true;
        };
        if slot.uses == 0 {
            if let Some(slot) = self.table.remove(place) {
                self.count(slot.in_main, slot.bytes(), false);
                self.note_dropped(&slot);
                dropped.push(slot);
            }
            return true;
        }
        slot.uses = if from_small { 0 } else { slot.uses - 1 };
        let bytes = slot.bytes();
        slot.in_main = true;
        self.main.push_back(hash);
        if from_small {
            self.small_bytes = self.small_bytes.saturating_sub(bytes);
        }
        true
    }

    /// Had it stood in the small queue only, it goes straight into the main one when it comes again.
    fn note_dropped(&mut self, slot: &Slot) {
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
        let hash = usize::try_from(hash).unwrap_or_default();
        hash.checked_rem(self.ghosts.len())
    }

    /// Counts what comes or goes.
    fn count(&mut self, in_main: bool, bytes: usize, comes: bool) {
        let small = if in_main { 0 } else { bytes };
        if comes {
            self.bytes += bytes;
            self.small_bytes += small;
        } else {
            self.bytes = self.bytes.saturating_sub(bytes);
            self.small_bytes = self.small_bytes.saturating_sub(small);
        }
    }
}

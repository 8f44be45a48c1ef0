//! The slots of a shard, found by their hashes: open addressing, so that a look-up waits for memory twice,
//! once for the slot and once for the entry that it leads to. A table of places beside the slots would
//! make it four times, and memory is most of what a look-up costs among many.
//!
//! Why not a library's: their tables double, and half empty they would take more than all else
//! but the key.
//!
//! INVARIANT: between the place where a slot belongs and where it stands none is free; one in sixteen is.

use super::shard::Slot;

/// When only one in so many is free there is to be a larger table.
const FREE_SHARE: usize = 7;
/// When only one in so many is free it is made at once, whoever waits for it.
const LAST_SHARE: usize = 16;
/// It grows by one in so many.
const GROWTH_SHARE: usize = 8;
const LEAST: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    taken: usize,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.taken
    }

    /// Where the first slot of that `hash` stands for which `is_it`.
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(&Slot) -> bool) -> Option<usize> {
        let mut place = self.home(hash);
        loop {
            let slot = self.slots.get(place).filter(|slot| !slot.is_free())?;
            if slot.hash == hash && is_it(slot) {
                return Some(place);
            }
            place = self.after(place);
        }
    }

    pub(super) fn slot(&mut self, place: usize) -> Option<&mut Slot> {
        self.slots.get_mut(place)
    }

    /// Adds a slot, of a key that has none.
    pub(super) fn add(&mut self, slot: Slot) {
        if self.lacks(LAST_SHARE) {
            self.move_into(&mut slots(self.larger()));
        }
        self.put(slot);
        self.taken += 1;
    }

    /// Takes the slot at `place` out.
    pub(super) fn remove(&mut self, place: usize) -> Option<Slot> {
        let removed = std::mem::take(self.slots.get_mut(place)?);
        if removed.is_free() {
            return None;
        }
        self.taken -= 1;
        // What stands behind it moves up, unless it stands where it belongs, or behind that.
        let (mut free, mut place) = (place, self.after(place));
        while let Some(slot) = self.slots.get(place).filter(|slot| !slot.is_free()) {
            let home = self.home(slot.hash);
            if self.distance(home, place) >= self.distance(free, place) {
                self.slots.swap(free, place);
                free = place;
            }
            place = self.after(place);
        }
        Some(removed)
    }

    fn put(&mut self, slot: Slot) {
        let mut place = self.home(slot.hash);
        while let Some(other) = self.slots.get_mut(place) {
            if other.is_free() {
                *other = slot;
                return;
            }
            place = self.after(place);
        }
    }

    /// How many slots there should be, if these are soon too few.
    pub(super) fn wants(&self) -> Option<usize> {
        self.lacks(FREE_SHARE).then(|| self.larger())
    }

    /// Moves into `room`, made by [`slots`], if that is larger; what is no longer needed is left there.
    pub(super) fn move_into(&mut self, room: &mut Vec<Slot>) {
        if room.len() <= self.slots.len() {
            return;
        }
        std::mem::swap(&mut self.slots, room);
        for slot in &mut *room {
            if !slot.is_free() {
                self.put(std::mem::take(slot));
            }
        }
    }

    fn lacks(&self, share: usize) -> bool {
        (self.taken + 1) * share > self.slots.len() * (share - 1)
    }

    fn larger(&self) -> usize {
        (self.slots.len() + self.slots.len() / GROWTH_SHARE).max(LEAST)
    }

    /// Where a slot of that `hash` belongs: as far into the table as the hash is into all numbers.
    fn home(&self, hash: u32) -> usize {
        let scaled = (u64::from(hash) * self.slots.len() as u64) >> u32::BITS;
        usize::try_from(scaled).unwrap_or_default()
    }

    fn after(&self, place: usize) -> usize {
        if place + 1 < self.slots.len() {
            place + 1
        } else {
            0
        }
    }

    /// How far `to` is behind `from`.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from {
            to - from
        } else {
            to + self.slots.len() - from
        }
    }
}

/// So many free slots.
pub(super) fn slots(count: usize) -> Vec<Slot> {
    let mut slots = Vec::new();
    slots.reserve_exact(count);
    slots.resize_with(count, Slot::default);
    slots
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::entry::Entry;
    use super::super::tests::{made, verdict};
    use super::*;

    proptest! {
        /// Few hashes, so that many belong where others stand, and at the end of the table.
        #[test]
        fn what_was_added_is_found_until_it_is_removed_and_nothing_else_is(
            in_time in any::<bool>(),
            events in prop::collection::vec((any::<bool>(), 0..40_u8), 0..400),
        ) {
            let mut table = Table::default();
            let mut model = BTreeMap::new();
            for (adds, key) in events {
                let hash = u32::MAX - u32::from(key / 4) * 0x0800_0000;
                let found = table.find(hash, |slot| slot.has(&[key]));
                prop_assert_eq!(found.is_some(), model.contains_key(&key));
                match (adds, found) {
                    (true, None) => {
                        let entry = Entry::new(&[key], &made(1), Arc::new(verdict(true)));
                        table.add(Slot::new(hash, entry, true));
                        if let Some(more) = table.wants().filter(|_| in_time) {
                            table.move_into(&mut slots(more));
                        }
                        model.insert(key, hash);
                    }
                    (false, Some(place)) => {
                        let removed = table.remove(place).unwrap();
                        prop_assert!(removed.has(&[key]));
                        model.remove(&key);
                    }
                    _ => {}
                }
                prop_assert_eq!(table.len(), model.len());
                for (key, hash) in &model {
                    prop_assert!(table.find(*hash, |slot| slot.has(&[*key])).is_some());
                }
            }
        }
    }
}

//! One remembered decision in one allocation: what a look-up compares, then the key. What leads to it
//! is one word, so that many fit where they are looked for.
//!
//! What was decided is beside it: most decisions are one of few verdicts, which they share.

use std::sync::Arc;

use edgeward_core::time::UnixSeconds;
use triomphe::ThinArc;

use crate::policy::{Numbers, Verdict};

/// What is known of a remembered decision beside its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The number that names it: its id is this, written as a UUID.
    pub id: u128,
    /// The numbers of the policies and data that decided.
    pub numbers: Numbers,
    /// When: a clock that steps back is a miss.
    pub from: UnixSeconds,
    /// The first instant at which it must no longer be reused.
    pub until: UnixSeconds,
}

/// Bytes before the key: two counts of the allocation, and the head.
const BEFORE_KEY: usize = 2 * size_of::<usize>() + size_of::<Head>();
/// Seconds of an instant and of the time from there to the end share a number: so many bits are the
/// latter's, which is a day at the most.
const SPAN_BITS: u32 = 24;
const MAX_SPAN: u64 = (1 << SPAN_BITS) - 1;

#[derive(Debug)]
pub(super) struct Entry(ThinArc<Head, u8>);

#[derive(Debug)]
struct Head {
    id: [u8; 16],
    policies: u32,
    data: u32,
    times: u64,
    verdict: Arc<Verdict>,
}

impl Entry {
    pub(super) fn new(key: &[u8], made: &Made, verdict: Arc<Verdict>) -> Self {
        // The largest is no number: see `made`.
        let short = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let head = Head {
            id: made.id.to_ne_bytes(),
            policies: short(made.numbers.policies),
            data: short(made.numbers.data),
            times: Self::times(made),
            verdict,
        };
        Self(ThinArc::from_header_and_slice(head, key))
    }

    /// Both instants; what does not fit ends where it begins.
    fn times(made: &Made) -> u64 {
        let span = made.until.seconds_since(made.from).min(MAX_SPAN);
        if made.from.0 >> (u64::BITS - SPAN_BITS) == 0 {
            made.from.0 << SPAN_BITS | span
        } else {
            0
        }
    }

    /// The whole key.
    pub(super) fn key(&self) -> &[u8] {
        &self.0.slice
    }

    /// What was decided.
    pub(super) fn verdict(&self) -> &Arc<Verdict> {
        &self.0.header.header.verdict
    }

    /// None of an entry that was made by more policies or data than have a number here.
    pub(super) fn made(&self) -> Option<Made> {
        let head = &self.0.header.header;
        let number = |number| (number != u32::MAX).then_some(u64::from(number));
        let from = UnixSeconds(head.times >> SPAN_BITS);
        Some(Made {
            id: u128::from_ne_bytes(head.id),
            numbers: Numbers {
                policies: number(head.policies)?,
                data: number(head.data)?,
            },
            from,
            until: from.plus(head.times & MAX_SPAN),
        })
    }

    /// Bytes that its allocation takes: allocators round up, by an eighth at the most.
    pub(super) fn bytes(&self) -> usize {
        let bytes = BEFORE_KEY + self.key().len();
        bytes + bytes / 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(policies: u64, from: u64, until: u64) -> Made {
        Made {
            id: u128::MAX - 7,
            numbers: Numbers { policies, data: 3 },
            from: UnixSeconds(from),
            until: UnixSeconds(until),
        }
    }

    #[test]
    fn an_entry_says_what_it_was_made_of_or_nothing_that_could_be_reused() {
        let verdict = || Arc::new(super::super::tests::verdict(true));
        for whole in [made(1, 1_800_000_000, 1_800_086_400), made(4, 0, 1)] {
            let entry = Entry::new(b"key", &whole, verdict());
            assert_eq!((entry.made(), entry.key()), (Some(whole), &b"key"[..]));
        }
        let uncounted = Entry::new(b"", &made(u64::from(u32::MAX) + 5, 1, 2), verdict());
        assert_eq!(uncounted.made(), None);
        let read = |made| Entry::new(b"", &made, verdict()).made().unwrap();
        let far = read(made(1, 1 << 60, (1 << 60) + 9));
        assert_eq!(far.from, far.until);
        let long = read(made(1, 5, u64::MAX));
        assert_eq!(long.until, UnixSeconds(5 + MAX_SPAN));
    }
}

//! One remembered decision in one allocation: what a look-up compares, then the key.
//!
//! What was decided is not in it: most decisions are one of few verdicts, which they share.

use edgeward_core::time::UnixSeconds;

use crate::policy::Numbers;

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

/// Bytes before the key.
const HEAD: usize = 32;
/// Seconds of an instant and of the time from there to the end share a number: so many bits are the
/// latter's, which is a day at the most.
const SPAN_BITS: u32 = 24;
const MAX_SPAN: u64 = (1 << SPAN_BITS) - 1;

#[derive(Debug, Default)]
pub(super) struct Entry(Box<[u8]>);

impl Entry {
    pub(super) fn new(key: &[u8], made: &Made) -> Self {
        let mut bytes = Vec::with_capacity(HEAD + key.len());
        bytes.extend_from_slice(&made.id.to_ne_bytes());
        let Numbers { policies, data } = made.numbers;
        for number in [policies, data] {
            // The largest is no number: see `made`.
            let short = u32::try_from(number).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&short.to_ne_bytes());
        }
        bytes.extend_from_slice(&Self::times(made).to_ne_bytes());
        bytes.extend_from_slice(key);
        Self(bytes.into_boxed_slice())
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
        self.0.get(HEAD..).unwrap_or_default()
    }

    /// None of an entry that was never made, or by more policies or data than have a number here.
    pub(super) fn made(&self) -> Option<Made> {
        let (id, rest) = self.0.split_first_chunk()?;
        let (policies, rest) = rest.split_first_chunk()?;
        let (data, rest) = rest.split_first_chunk()?;
        let (times, _) = rest.split_first_chunk()?;
        let number = |bytes| {
            let number = u32::from_ne_bytes(bytes);
            (number != u32::MAX).then_some(u64::from(number))
        };
        let times = u64::from_ne_bytes(*times);
        let from = UnixSeconds(times >> SPAN_BITS);
        Some(Made {
            id: u128::from_ne_bytes(*id),
            numbers: Numbers {
                policies: number(*policies)?,
                data: number(*data)?,
            },
            from,
            until: from.plus(times & MAX_SPAN),
        })
    }

    /// Bytes that its allocation takes: allocators round up, by an eighth at the most.
    pub(super) fn bytes(&self) -> usize {
        self.0.len() + self.0.len() / 8
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
        for whole in [made(1, 1_800_000_000, 1_800_086_400), made(4, 0, 1)] {
            let entry = Entry::new(b"key", &whole);
            assert_eq!((entry.made(), entry.key()), (Some(whole), &b"key"[..]));
        }
        let uncounted = Entry::new(b"", &made(u64::from(u32::MAX) + 5, 1, 2));
        assert_eq!(uncounted.made(), None);
        let far = Entry::new(b"", &made(1, 1 << 60, (1 << 60) + 9))
            .made()
            .unwrap();
        assert_eq!(far.from, far.until);
        let long = Entry::new(b"", &made(1, 5, u64::MAX)).made().unwrap();
        assert_eq!(long.until, UnixSeconds(5 + MAX_SPAN));
        assert_eq!(Entry::default().made(), None);
    }
}

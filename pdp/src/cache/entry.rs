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
const HEAD: usize = 48;

#[derive(Debug, Default)]
pub(super) struct Entry(Box<[u8]>);

impl Entry {
    pub(super) fn new(key: &[u8], made: &Made) -> Self {
        let mut bytes = Vec::with_capacity(HEAD + key.len());
        bytes.extend_from_slice(&made.id.to_ne_bytes());
        let Numbers { policies, data } = made.numbers;
        for number in [policies, data, made.from.0, made.until.0] {
            bytes.extend_from_slice(&number.to_ne_bytes());
        }
        bytes.extend_from_slice(key);
        Self(bytes.into_boxed_slice())
    }

    /// The whole key.
    pub(super) fn key(&self) -> &[u8] {
        self.0.get(HEAD..).unwrap_or_default()
    }

    /// None only of an entry that was never made.
    pub(super) fn made(&self) -> Option<Made> {
        let (id, rest) = self.0.split_first_chunk()?;
        let (policies, rest) = rest.split_first_chunk()?;
        let (data, rest) = rest.split_first_chunk()?;
        let (from, rest) = rest.split_first_chunk()?;
        let (until, _) = rest.split_first_chunk()?;
        Some(Made {
            id: u128::from_ne_bytes(*id),
            numbers: Numbers {
                policies: u64::from_ne_bytes(*policies),
                data: u64::from_ne_bytes(*data),
            },
            from: UnixSeconds(u64::from_ne_bytes(*from)),
            until: UnixSeconds(u64::from_ne_bytes(*until)),
        })
    }

    /// Bytes that its allocation takes: allocators round up, by an eighth at the most.
    pub(super) fn bytes(&self) -> usize {
        self.0.len() + self.0.len() / 8
    }
}

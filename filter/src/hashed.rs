//! A map whose keys are spread already: the ends of signatures, or keyed hashes. It only mixes them.
//!
//! Not for keys that somebody chooses.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by such keys.
pub(crate) type Hashed<T> = HashMap<u64, T, BuildHasherDefault<Mix>>;

/// Multiplies by an odd constant and takes the upper half first, which every bit of the key reaches.
#[derive(Debug, Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

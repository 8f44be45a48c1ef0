//! Tokens this worker has seen: a signature is checked once per token and worker.
//!
//! Verified tokens are remembered by their whole SHA-256 digest until they expire. Of the refused
//! ones only those are remembered whose refusal cost a signature check; every other refusal is
//! cheaper to find again than to look up.
//!
//! INVARIANT: both are forgotten whenever whom we believe changes ([`TokenMemory::clear`]).

use std::collections::BTreeMap;
use std::rc::Rc;

use edgeward_core::time::UnixSeconds;
use edgeward_core::token::Binding;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// What the verified tokens of one worker may take, in bytes, half of it in each generation.
const MAX_BYTES: usize = 768 * 1024;
/// What an entry costs beside its texts: digest, pointers, numbers, tree nodes.
const ENTRY_OVERHEAD: usize = 160;
/// How many refused tokens are remembered; a power of two.
const REFUSED_SLOTS: usize = 1024;

/// The SHA-256 of a token as it stood in the header.
pub type TokenDigest = [u8; 32];

/// Names a token by its full digest.
pub fn digest(token: &str) -> TokenDigest {
    Sha256::digest(token.as_bytes()).into()
}

/// What is remembered of a verified token.
#[derive(Debug)]
pub struct Remembered {
    /// The workload's id.
    pub subject: String,
    /// The workload as the PDP is told of it.
    pub question: Box<RawValue>,
    /// What the token demands of its connection.
    pub binding: Binding,
    /// The first instant at which the token must no longer be honoured.
    pub expires_at: UnixSeconds,
    /// The first instant at which it could be honoured: a clock that steps back is a miss.
    pub verified_at: UnixSeconds,
}

impl Remembered {
    fn holds_at(&self, now: UnixSeconds) -> bool {
        self.verified_at <= now && now < self.expires_at
    }

    fn bytes(&self) -> usize {
        ENTRY_OVERHEAD + self.subject.len() + self.question.get().len()
    }
}

/// Tokens seen, bounded in bytes. Entries that are used stay: on a full generation the older one is
/// dropped, and what is asked for again moves into the younger.
#[derive(Debug)]
pub struct TokenMemory {
    young: BTreeMap<TokenDigest, Rc<Remembered>>,
    old: BTreeMap<TokenDigest, Rc<Remembered>>,
    young_bytes: usize,
    refused: Vec<Option<TokenDigest>>,
}

impl Default for TokenMemory {
    fn default() -> Self {
        Self {
            young: BTreeMap::new(),
            old: BTreeMap::new(),
            young_bytes: 0,
            refused: vec![None; REFUSED_SLOTS],
        }
    }
}

impl TokenMemory {
    /// The verified token with this digest, if it still holds at `now`.
    pub fn verified(&mut self, digest: &TokenDigest, now: UnixSeconds) -> Option<Rc<Remembered>> {
        if let Some(entry) = self.young.get(digest) {
            return entry.holds_at(now).then(|| Rc::clone(entry));
        }
        let entry = self.old.remove(digest)?;
        if !entry.holds_at(now) {
            return None;
        }
        self.keep(*digest, Rc::clone(&entry));
        Some(entry)
    }

    /// Remembers a token that was just verified.
    pub fn remember(&mut self, digest: TokenDigest, entry: Remembered) -> Rc<Remembered> {
        let entry = Rc::new(entry);
        self.keep(digest, Rc::clone(&entry));
        entry
    }

    /// Whether this very token was refused for its signature.
    pub fn was_refused(&self, digest: &TokenDigest) -> bool {
        self.refused
            .get(slot(digest))
            .is_some_and(|known| known.as_ref() == Some(digest))
    }

    /// Remembers that this token's signature does not verify. A slot holds one digest: a flood of
    /// bad tokens forgets other bad tokens, and nothing else.
    pub fn refuse(&mut self, digest: TokenDigest) {
        if let Some(known) = self.refused.get_mut(slot(&digest)) {
            *known = Some(digest);
        }
    }

    /// Forgets everything: the keys or rules have changed.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many bytes the verified tokens take at the most, as counted here.
    pub fn bytes(&self) -> usize {
        self.young_bytes + self.old.values().map(|entry| entry.bytes()).sum::<usize>()
    }

    fn keep(&mut self, digest: TokenDigest, entry: Rc<Remembered>) {
        let bytes = entry.bytes();
        if bytes > MAX_BYTES / 2 {
            return;
        }
        if self.young_bytes + bytes > MAX_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        if let Some(replaced) = self.young.insert(digest, entry) {
            self.young_bytes = self.young_bytes.saturating_sub(replaced.bytes());
        }
    }
}

fn slot(digest: &TokenDigest) -> usize {
    let [low, high, ..] = *digest;
    usize::from(u16::from_le_bytes([low, high])) % REFUSED_SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(expires_at: u64) -> Remembered {
        Remembered {
            subject: "s".repeat(1000),
            question: RawValue::from_string("{}".to_owned()).unwrap(),
            binding: Binding::None,
            expires_at: UnixSeconds(expires_at),
            verified_at: UnixSeconds(100),
        }
    }

    #[test]
    fn a_token_is_remembered_until_it_expires_and_not_before_it_was_verified() {
        let mut memory = TokenMemory::default();
        let token = digest("t");
        memory.remember(token, entry(200));
        for (now, known) in [(99, false), (100, true), (199, true), (200, false)] {
            assert_eq!(
                memory.verified(&token, UnixSeconds(now)).is_some(),
                known,
                "{now}"
            );
        }
        memory.remember(token, entry(200));
        memory.clear();
        assert!(memory.verified(&token, UnixSeconds(150)).is_none());
    }

    #[test]
    fn a_flood_of_tokens_is_bounded_and_a_token_in_use_stays() {
        let mut memory = TokenMemory::default();
        let used = digest("used");
        memory.remember(used, entry(200));
        for number in 0..20_000 {
            memory.remember(digest(&number.to_string()), entry(200));
            assert!(
                memory.verified(&used, UnixSeconds(150)).is_some(),
                "{number}"
            );
            assert!(memory.bytes() <= MAX_BYTES);
        }
    }

    #[test]
    fn only_the_very_token_that_was_refused_is_known_as_refused() {
        let mut memory = TokenMemory::default();
        memory.refuse(digest("bad"));
        assert!(memory.was_refused(&digest("bad")));
        assert!(!memory.was_refused(&digest("good")));
    }
}

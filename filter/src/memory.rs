//! Tokens this worker has seen: a signature is checked once per token and worker.
//!
//! Verified tokens are remembered whole until they expire: a token is known when every byte of it
//! is. They are found by their last bytes, which are the signature's: as good as a hash, and free.
//! Of the refused ones only those are remembered whose refusal cost a signature check, by their
//! SHA-256 digest; every other refusal is cheaper to find again than to look up.
//!
//! INVARIANT: both are forgotten whenever whom we believe changes ([`TokenMemory::clear`]).

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use edgeward_core::authzen;
use edgeward_core::revocation::digest_of_token;
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{Binding, VerifiedToken};
use serde_json::value::RawValue;

use crate::caching::SubjectKey;
use crate::hashed::Hashed;

/// What the verified tokens of one worker may take, in bytes, half of it in each generation.
const MAX_BYTES: usize = 1024 * 1024;
/// What an entry costs beside its texts: pointers, numbers, slots.
const ENTRY_OVERHEAD: usize = 400;
/// What is in a question beside the workload's names and claims.
const QUESTION_OVERHEAD: usize = 96;
/// How many refused tokens are remembered; a power of two.
const REFUSED_SLOTS: usize = 1024;

/// The last bytes of a token. Two tokens may share them; only one of the two is then remembered.
type Tail = u64;

/// What is remembered of a verified token.
#[derive(Debug)]
pub struct Remembered {
    /// The token as it stood in the header.
    pub token: Box<str>,
    /// The workload's id.
    pub subject: String,
    /// What the token demands of its connection.
    pub binding: Binding,
    /// The generation of revocations that it was last found good under.
    pub good_under: Cell<u32>,
    /// The first instant at which the token must no longer be honoured.
    pub expires_at: UnixSeconds,
    /// The first instant at which it could be honoured: a clock that steps back is a miss.
    pub verified_at: UnixSeconds,
    /// Its part in the keys of decisions.
    pub key: RefCell<SubjectKey>,
    /// What was verified, until it is written down for the PDP: where nobody asks, it never is.
    verified: RefCell<Option<VerifiedToken>>,
    question: OnceCell<Box<RawValue>>,
    bytes: usize,
}

impl Remembered {
    /// What is remembered of `token`, which was verified at `now`.
    pub fn new(token: &str, verified: VerifiedToken, now: UnixSeconds) -> Self {
        let subject = verified.subject.to_string();
        let question = QUESTION_OVERHEAD + 2 * subject.len() + verified.claims.all.len();
        Self {
            binding: verified.claims.binding,
            good_under: Cell::default(),
            expires_at: verified.expires_at,
            verified_at: now,
            key: RefCell::default(),
            question: OnceCell::new(),
            // Neither encoding is longer than the question itself, but for some bytes.
            bytes: ENTRY_OVERHEAD + token.len() + subject.len() + 3 * question,
            verified: RefCell::new(Some(verified)),
            token: token.into(),
            subject,
        }
    }

    /// The workload as the PDP is told of it; none if it cannot be written, which is not reachable
    /// with claims that were read.
    pub fn question(&self) -> Option<&RawValue> {
        if let Some(verified) = self.verified.take() {
            let question = authzen::subject_of_token(&verified).ok()?;
            return Some(self.question.get_or_init(|| question));
        }
        self.question.get().map(|question| &**question)
    }

    fn holds_at(&self, now: UnixSeconds) -> bool {
        self.verified_at <= now && now < self.expires_at
    }
}

/// Tokens seen, bounded in bytes. Entries that are used stay: on a full generation the older one is
/// dropped, and what is asked for again moves into the younger.
#[derive(Debug)]
pub struct TokenMemory {
    young: Hashed<Rc<Remembered>>,
    old: Hashed<Rc<Remembered>>,
    young_bytes: usize,
    refused: Vec<Option<Refused>>,
}

/// A token whose signature does not verify. Its digest is only taken of a token that has its tail.
#[derive(Debug, Clone)]
struct Refused {
    tail: Tail,
    digest: [u8; 32],
}

impl Default for TokenMemory {
    fn default() -> Self {
        Self {
            young: Hashed::default(),
            old: Hashed::default(),
            young_bytes: 0,
            refused: vec![None; REFUSED_SLOTS],
        }
    }
}

impl TokenMemory {
    /// What is known of this token, if it was verified and still holds at `now`.
    pub fn verified(&mut self, token: &str, now: UnixSeconds) -> Option<Rc<Remembered>> {
        let tail = tail(token);
        let holds = |entry: &Rc<Remembered>| same(&entry.token, token) && entry.holds_at(now);
        if let Some(entry) = self.young.get(&tail) {
            return holds(entry).then(|| Rc::clone(entry));
        }
        // Looked at before it is taken: another token with this tail must not drop it.
        if !self.old.get(&tail).is_some_and(holds) {
            return None;
        }
        let entry = self.old.remove(&tail)?;
        self.keep(Rc::clone(&entry));
        Some(entry)
    }

    /// Remembers a token that was just verified.
    pub fn remember(&mut self, entry: Remembered) -> Rc<Remembered> {
        let entry = Rc::new(entry);
        self.keep(Rc::clone(&entry));
        entry
    }

    /// Whether this very token was refused for its signature.
    pub fn was_refused(&self, token: &str) -> bool {
        let tail = tail(token);
        match self.refused.get(slot(tail)) {
            Some(Some(known)) => known.tail == tail && known.digest == digest_of_token(token),
            _ => false,
        }
    }

    /// Remembers that this token's signature does not verify. A slot holds one token: a flood of
    /// bad tokens forgets other bad tokens, and nothing else.
    pub fn refuse(&mut self, token: &str) {
        let tail = tail(token);
        if let Some(known) = self.refused.get_mut(slot(tail)) {
            let digest = digest_of_token(token);
            *known = Some(Refused { tail, digest });
        }
    }

    /// Forgets everything: the keys or rules have changed.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many bytes the verified tokens take at the most, as counted here.
    pub fn bytes(&self) -> usize {
        self.young_bytes + self.old.values().map(|entry| entry.bytes).sum::<usize>()
    }

    fn keep(&mut self, entry: Rc<Remembered>) {
        let bytes = entry.bytes;
        if bytes > MAX_BYTES / 2 {
            return;
        }
        if self.young_bytes + bytes > MAX_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        if let Some(replaced) = self.young.insert(tail(&entry.token), entry) {
            self.young_bytes = self.young_bytes.saturating_sub(replaced.bytes);
        }
    }
}

fn tail(token: &str) -> Tail {
    let bytes = token.as_bytes();
    bytes
        .last_chunk()
        .map_or(0, |tail| u64::from_le_bytes(*tail))
}

/// Whether two tokens are equal, in words: `==` goes byte by byte in the filter's module.
fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes().as_chunks(), other.as_bytes().as_chunks());
    let words = |words: &[[u8; 8]], others: &[[u8; 8]]| {
        let pairs = words.iter().zip(others);
        pairs.fold(0, |differ, (one, other)| {
            differ | (u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other))
        }) == 0
    };
    one.0.len() == other.0.len() && one.1 == other.1 && words(one.0, other.0)
}

fn slot(tail: Tail) -> usize {
    // The low bits of four base64url characters: two would leave most slots empty.
    let mixed = tail ^ (tail >> 9) ^ (tail >> 21) ^ (tail >> 30);
    usize::try_from(mixed % REFUSED_SLOTS as u64).unwrap_or_default()
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;

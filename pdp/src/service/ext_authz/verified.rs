//! Tokens that verified, so that a signature is checked once for each token and thread.
//!
//! INVARIANT: what is remembered holds by the keys in force: with any change of keys all is
//! forgotten. Time is judged anew at each look-up, revocation by whoever asks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use edgeward_core::authzen;
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::VerifiedToken;
use serde_json::value::RawValue;

/// What remembered tokens of one thread may take, in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// What one takes beside its text: that again as claims, and as the subject of a question.
const COPIES: usize = 4;

/// A token that verified.
#[derive(Debug)]
pub(in crate::service) struct Verified {
    pub(super) token: VerifiedToken,
    /// The workload that it names, and the same as a question has it.
    pub(super) id: String,
    pub(super) subject: Rc<RawValue>,
    at: UnixSeconds,
}

impl Verified {
    /// What verified at `at`.
    pub(super) fn new(token: VerifiedToken, at: UnixSeconds) -> serde_json::Result<Self> {
        Ok(Self {
            id: token.subject.to_string(),
            subject: authzen::subject_of_token(&token)?.into(),
            token,
            at,
        })
    }

    /// Whether its times hold at `now`. A clock that stepped back says nothing of `nbf`.
    fn holds_at(&self, now: UnixSeconds) -> bool {
        self.at <= now && now < self.token.expires_at
    }
}

/// The tokens that one thread remembers.
#[derive(Debug, Default)]
pub(in crate::service) struct VerifiedTokens(RefCell<Held>);

#[derive(Debug, Default)]
struct Held {
    /// Of the keys by which all of them verified.
    revision: u64,
    bytes: usize,
    tokens: HashMap<Box<str>, Rc<Verified>>,
}

impl VerifiedTokens {
    /// What `token` verified as, where it did by the keys of `revision` and still holds at `now`.
    pub(super) fn find(
        &self,
        token: &str,
        revision: u64,
        now: UnixSeconds,
    ) -> Option<Rc<Verified>> {
        let held = self.0.borrow();
        let found = held.tokens.get(token).filter(|_| held.revision == revision);
        found.filter(|found| found.holds_at(now)).cloned()
    }

    /// Remembers what `token` verified as by the keys of `revision`. Where there is no room left, all
    /// others are forgotten: only those who hold good tokens can bring that about.
    pub(super) fn remember(&self, token: &str, revision: u64, verified: Verified) -> Rc<Verified> {
        let held = &mut *self.0.borrow_mut();
        let bytes = token.len() * COPIES;
        if held.revision != revision || held.bytes + bytes > MAX_BYTES {
            *held = Held {
                revision,
                ..Held::default()
            };
        }
        let verified = Rc::new(verified);
        let before = held.tokens.insert(token.into(), Rc::clone(&verified));
        if before.is_none() {
            held.bytes += bytes;
        }
        verified
    }
}

#[cfg(test)]
mod tests {
    use edgeward_core::token::{Claims, Profile, Subject};

    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1000);

    fn verified(expires_at: u64) -> Verified {
        let claims =
            Claims::parse(br#"{"sub":"job","aud":"edgeward","exp":2000}"#.to_vec()).unwrap();
        let token = VerifiedToken {
            profile: Profile::Oidc,
            subject: Subject::Issued {
                issuer: "https://i.test".parse().unwrap(),
                subject: "job".to_owned(),
            },
            claims,
            key_id: None,
            expires_at: UnixSeconds(expires_at),
        };
        Verified::new(token, NOW).unwrap()
    }

    #[test]
    fn what_is_remembered_ends_with_its_time_and_with_the_keys() {
        let tokens = VerifiedTokens::default();
        tokens.remember("a", 7, verified(1100));
        let found = |token, revision, now| tokens.find(token, revision, UnixSeconds(now)).is_some();
        assert!(found("a", 7, 1000) && found("a", 7, 1099));
        assert!(!found("a", 7, 1100), "expired");
        assert!(!found("a", 7, 999), "the clock stepped back");
        assert!(!found("a", 8, 1000) && !found("a", 6, 1000), "other keys");
        assert!(!found("b", 7, 1000), "another token");
        tokens.remember("b", 8, verified(1100));
        assert!(!found("a", 8, 1000) && found("b", 8, 1000));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let tokens = VerifiedTokens::default();
        let long = "t".repeat(16 * 1024);
        for number in 0..1000 {
            tokens.remember(&format!("{long}{number}"), 0, verified(1100));
            let held = tokens.0.borrow();
            assert!(held.bytes <= MAX_BYTES);
            let all: usize = held.tokens.keys().map(|token| token.len() * COPIES).sum();
            assert_eq!(all, held.bytes);
        }
        tokens.remember("t", 0, verified(1100));
        tokens.remember("t", 0, verified(1200));
        assert!(tokens.find("t", 0, UnixSeconds(1150)).is_some());
    }
}

//! Keys that tokens named and nobody has, on their way to the PDP: a report, now and then.
//!
//! A pure machine: refusals, ticks and answers in, reports out. It never lets a token pass: the
//! PDP's answer changes nothing, keys come by the sync feed alone.
//!
//! INVARIANT: whoever sends tokens chooses the `kid`, and with it neither what is kept (one `kid`
//! for each owner that the feed names, [`MAX_OWNERS`] at the most) nor how often the PDP is told
//! (one report at a time, one each [`PAUSE`]). Owners are told in the order in which they were
//! first missed, so that a flood for one never keeps another from its turn.

use std::time::Duration;

use edgeward_core::missing_keys::{MAX_MISSING_KEYS, write};
use edgeward_core::token::MissingKey;

/// The shortest time between two reports.
pub const PAUSE: Duration = Duration::from_secs(1);
/// How long the host waits for the answer, which the PDP gives at once.
pub const REPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// The most owners that wait to be told of.
pub const MAX_OWNERS: usize = 256;

/// What one worker has to tell.
#[derive(Debug, Default)]
pub struct WantedKeys {
    waiting: Vec<MissingKey>,
    pause: Duration,
    /// The host's number of the call under way.
    call: Option<u32>,
}

impl WantedKeys {
    /// A token of a configured owner named a key that is not there.
    pub fn want(&mut self, key: &MissingKey) {
        let waits = |known: &MissingKey| known.owner == key.owner;
        if self.waiting.len() < MAX_OWNERS && !self.waiting.iter().any(waits) {
            self.waiting.push(key.clone());
        }
    }

    /// Time has passed. Returns the report to send now, if there is one and it is time to.
    pub fn tick(&mut self, elapsed: Duration) -> Option<Vec<u8>> {
        self.pause = self.pause.saturating_sub(elapsed);
        if self.call.is_some() || !self.pause.is_zero() || self.waiting.is_empty() {
            return None;
        }
        self.pause = PAUSE;
        let told = self.waiting.len().min(MAX_MISSING_KEYS);
        let later = self.waiting.split_off(told);
        let report = std::mem::replace(&mut self.waiting, later);
        // Not reachable with texts; what cannot be written is not sent.
        write(&report).ok()
    }

    /// The report was sent, as the host's call `call`.
    pub fn sent(&mut self, call: u32) {
        self.call = Some(call);
    }

    /// Whether the host's call `call` is the report, which is then over. What was lost with it is
    /// wanted again by the next token that names it.
    pub fn ended(&mut self, call: u32) -> bool {
        let ours = self.call == Some(call);
        if ours {
            self.call = None;
        }
        ours
    }
}

#[cfg(test)]
mod tests {
    use edgeward_core::missing_keys::read;
    use edgeward_core::token::KeyOwner;
    use proptest::prelude::*;

    use super::*;
    use crate::feed::TICK;

    fn key(owner: usize, key_id: &str) -> MissingKey {
        let owner = KeyOwner::Issuer(format!("https://{owner}.test").parse().unwrap());
        let key_id = key_id.to_owned();
        MissingKey { owner, key_id }
    }

    fn bytes(wanted: &WantedKeys) -> usize {
        let entry = |key: &MissingKey| key.owner.to_string().len() + key.key_id.len();
        wanted.waiting.iter().map(entry).sum()
    }

    #[test]
    fn a_missing_key_is_told_at_the_next_tick_and_then_forgotten() {
        let mut wanted = WantedKeys::default();
        assert_eq!(wanted.tick(TICK), None, "nothing to tell");
        wanted.want(&key(1, "new"));
        let report = wanted.tick(TICK).unwrap();
        assert_eq!(read(&report).unwrap(), [key(1, "new")]);
        wanted.sent(7);
        assert!(wanted.ended(7));
        assert_eq!(wanted.tick(PAUSE), None);
    }

    #[test]
    fn one_report_is_under_way_at_a_time_and_no_other_answer_ends_it() {
        let mut wanted = WantedKeys::default();
        wanted.want(&key(1, "new"));
        assert!(wanted.tick(TICK).is_some());
        wanted.sent(7);
        wanted.want(&key(1, "new"));
        assert_eq!(wanted.tick(PAUSE * 9), None);
        assert!(!wanted.ended(6));
        assert_eq!(wanted.tick(PAUSE), None);
        assert!(wanted.ended(7) && !wanted.ended(7));
        assert!(wanted.tick(PAUSE).is_some());
    }

    #[test]
    fn a_flood_for_some_owners_never_keeps_another_from_its_turn() {
        let mut wanted = WantedKeys::default();
        let flood = |wanted: &mut WantedKeys, round: usize| {
            (0..100).for_each(|owner| wanted.want(&key(owner, &format!("invented-{round}"))));
        };
        flood(&mut wanted, 0);
        wanted.want(&key(1000, "true"));
        let mut rounds = 0;
        loop {
            rounds += 1;
            let report = wanted.tick(PAUSE).unwrap();
            if read(&report).unwrap().contains(&key(1000, "true")) {
                break;
            }
            flood(&mut wanted, rounds);
        }
        assert_eq!(rounds, 1 + 100 / MAX_MISSING_KEYS);
    }

    proptest! {
        #[test]
        fn no_choice_of_kids_grows_what_is_kept_or_makes_reports_more_frequent(
            tokens in proptest::collection::vec((0..400_usize, 1..=512_usize, 0..3_u8), 0..700)
        ) {
            let mut wanted = WantedKeys::default();
            let (mut reports, mut ticks) = (0, 0);
            for (owner, length, ticked) in tokens {
                wanted.want(&key(owner, &"k".repeat(length)));
                prop_assert!(wanted.waiting.len() <= MAX_OWNERS);
                prop_assert!(bytes(&wanted) <= MAX_OWNERS * (32 + 512));
                if ticked == 0 {
                    ticks += 1;
                    if let Some(report) = wanted.tick(TICK) {
                        reports += 1;
                        prop_assert!(read(&report).is_ok());
                    }
                }
            }
            prop_assert!(reports <= 1 + ticks / 10, "{reports} in {ticks} ticks");
        }
    }
}

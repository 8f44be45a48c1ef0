//! Waits for keys that a platform has published since they were fetched, so that its rotation fails nobody.
//!
//! A fetch that was under way, or made for another a moment ago, may have begun before the key was published:
//! then one more is waited for.
//!
//! INVARIANT: whoever shows made-up key ids costs a platform one fetch in a while (`crate::keys`), and takes no
//! more than [`MAX_WAITING`] threads from others, each for [`LONGEST_WAIT`] at the most.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use edgeward_core::token::MissingKey;

use crate::keys::{KeySnapshot, Keyring, Refetch};

/// The most that wait at once; others are refused at once.
const MAX_WAITING: usize = 32;
/// The longest that one waits; a fetch may take longer, and then helps the next.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(5);
/// How long one waits before it asks again whether a fetch may be made.
const TURN: Duration = Duration::from_millis(50);

/// Those that wait.
#[derive(Debug, Default)]
pub(super) struct AwaitedKeys(AtomicUsize);

/// One that waits.
struct Waiting<'w>(&'w AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AwaitedKeys {
    /// Keys fresher than those of revision `known`, fetched because `missing` is not among them; none
    /// where there are none in time. On a thread that may wait.
    pub(super) fn fresher(
        &self,
        keys: &Keyring,
        missing: &MissingKey,
        known: u64,
    ) -> Option<Arc<KeySnapshot>> {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.0);
        let patience = if before < MAX_WAITING {
            LONGEST_WAIT
        } else {
            Duration::ZERO
        };
        let end = Instant::now() + patience;
        loop {
            let wish = keys.unknown_key(&missing.owner, &missing.key_id);
            match wish {
                Refetch::Known => break,
                Refetch::NotFetched | Refetch::UnknownOwner => return None,
                Refetch::Asked | Refetch::Joined | Refetch::RateLimited => {}
            }
            if Instant::now() >= end {
                break;
            }
            sleep(if wish == Refetch::RateLimited {
                TURN
            } else {
                LOOK
            });
            while keys.is_fetching(&missing.owner) && Instant::now() < end {
                sleep(LOOK);
            }
            // Asked for by us, it began after the key was shown: there is no such key.
            if wish == Refetch::Asked {
                break;
            }
        }
        let snapshot = keys.snapshot();
        (snapshot.revision != known).then_some(snapshot)
    }
}

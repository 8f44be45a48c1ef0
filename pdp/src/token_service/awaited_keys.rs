//! Waits for keys that a platform has published since they were fetched, so that its rotation fails nobody.
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
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(5);

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
        match keys.unknown_key(&missing.owner, &missing.key_id) {
            Refetch::Asked | Refetch::Joined => self.wait(keys, missing)?,
            // Fetched since the snapshot was taken, or a moment ago for another.
            Refetch::Known | Refetch::RateLimited => {}
            Refetch::NotFetched | Refetch::UnknownOwner => return None,
        }
        let snapshot = keys.snapshot();
        (snapshot.revision != known).then_some(snapshot)
    }

    fn wait(&self, keys: &Keyring, missing: &MissingKey) -> Option<()> {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.0);
        if before >= MAX_WAITING {
            return None;
        }
        let started = Instant::now();
        while keys.is_fetching(&missing.owner) {
            if started.elapsed() >= LONGEST_WAIT {
                return None;
            }
            sleep(LOOK);
        }
        Some(())
    }
}

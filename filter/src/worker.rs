//! What one worker keeps between requests. Every worker's VM has its own; nothing is shared.

use edgeward_core::decide;
use edgeward_core::footprint::Footprint;

use crate::batch::Batch;
use crate::cache::DecisionCache;
use crate::config::Config;
use crate::feed::{SyncError, SyncedState, Update};
use crate::flight::Flights;
use crate::memory::TokenMemory;
use crate::stats::Tally;
use crate::wanted::WantedKeys;

/// What one worker keeps between requests.
#[derive(Debug)]
pub struct Worker {
    /// The plugin configuration.
    pub config: Config,
    /// Whom to believe.
    pub synced: SyncedState,
    /// Tokens seen.
    pub memory: TokenMemory,
    /// Decisions remembered.
    pub cache: DecisionCache,
    /// Questions that are being asked.
    pub flights: Flights,
    /// Questions that are asked when this turn is over.
    pub batch: Batch,
    /// The key of the question in hand; kept so that a hit allocates nothing for it.
    pub key: Vec<u8>,
    /// What every question is about ([`edgeward_core::decide::about`]).
    pub about: Footprint,
    /// How many questions were put to the PDP.
    pub asked: u32,
    /// Keys that tokens named and nobody has.
    pub wanted: WantedKeys,
    /// What happened since the host was last told.
    pub tally: Tally,
}

impl Worker {
    /// A worker that has seen nothing yet.
    pub fn new(config: Config) -> Self {
        Self {
            cache: DecisionCache::new(config.cache.max_bytes),
            flights: Flights::default(),
            batch: Batch::default(),
            key: Vec::new(),
            about: decide::about(),
            asked: 0,
            synced: SyncedState::polling_every(config.cache.poll_wait()),
            config,
            memory: TokenMemory::default(),
            wanted: WantedKeys::default(),
            tally: Tally::default(),
        }
    }

    /// The PDP answered a poll of the sync feed.
    pub fn take_feed(&mut self, status: &str, body: &[u8]) -> Result<(), SyncError> {
        if matches!(self.synced.answered(status, body)?, Update::Trust) {
            self.memory.clear();
        }
        self.cache.seed(self.synced.lease().as_str());
        Ok(())
    }
}

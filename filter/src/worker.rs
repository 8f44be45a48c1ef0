//! What one worker keeps between requests. Every worker's VM has its own; nothing is shared.

use crate::config::Config;
use crate::feed::SyncedState;
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
    /// Keys that tokens named and nobody has.
    pub wanted: WantedKeys,
    /// What happened since the host was last told.
    pub tally: Tally,
}

impl Worker {
    /// A worker that has seen nothing yet.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            synced: SyncedState::default(),
            memory: TokenMemory::default(),
            wanted: WantedKeys::default(),
            tally: Tally::default(),
        }
    }
}

//! What one worker keeps between requests. Every worker's VM has its own; nothing is shared.

use crate::config::Config;
use crate::feed::SyncedState;
use crate::memory::TokenMemory;
use crate::stats::Tally;

/// What one worker keeps between requests.
#[derive(Debug)]
pub struct Worker {
    /// The plugin configuration.
    pub config: Config,
    /// Whom to believe.
    pub synced: SyncedState,
    /// Tokens seen.
    pub memory: TokenMemory,
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
            tally: Tally::default(),
        }
    }
}

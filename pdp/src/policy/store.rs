//! The set in force, and its replacement when the folder changes: build → try → swap, or keep the
//! old one and say so.
//!
//! Readers hold a [`watch::Receiver`]; nobody takes a lock to decide. This file never evaluates a
//! request.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use thiserror::Error;
use tokio::sync::watch;

use crate::background;

use super::set::{LoadError, PolicySet};
use super::settings::PolicySettings;
use super::sources::Sources;
use super::withheld::Withheld;

/// A change is acted upon when the folder has been quiet for so long: editors and mounts write in
/// several steps.
const QUIET: Duration = Duration::from_millis(50);
/// A folder that is never quiet is read after so many events.
const MAX_UNQUIET: usize = 1000;
/// The folder is also compared without any notice: a folder that was replaced whole, or that lies
/// on a network, sends none.
const LOOK_ANYWAY: Duration = Duration::from_secs(2);

/// The folder cannot be watched.
#[derive(Debug, Error)]
pub enum WatchError {
    /// The system refused.
    #[error("{}: cannot watch the policy folder: {source}", path.display())]
    Notify {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: notify::Error,
    },
    /// No thread to watch on.
    #[error("cannot start a thread to watch the policy folder: {0}")]
    Thread(std::io::Error),
}

/// What is in force and how the last attempt to replace it went.
#[derive(Clone, Debug)]
pub struct PolicyState {
    /// The set in force.
    pub set: Arc<PolicySet>,
    /// Why the newest content of the folder is not in force; none when it is.
    pub last_error: Option<Arc<str>>,
    /// Sets swapped in since start.
    pub reloads: u64,
    /// Sets refused since start.
    pub refused: u64,
}

/// Holds the set in force.
#[derive(Debug)]
pub struct PolicyStore {
    settings: PolicySettings,
    state: watch::Sender<PolicyState>,
}

impl PolicyStore {
    /// Loads the first set. Without one there is nothing to serve.
    pub fn open(settings: PolicySettings) -> Result<Self, LoadError> {
        let set = Arc::new(PolicySet::load(&settings)?);
        tracing::info!(
            revision = set.revision(),
            files = set.modules(),
            tests = set.tests().tests.len(),
            "policies loaded"
        );
        Ok(Self::with(settings, set))
    }

    /// Denies everything until [`PolicyStore::activate`] has something better.
    pub fn withholding(settings: PolicySettings) -> Result<Self, LoadError> {
        let set = Arc::new(PolicySet::withheld(&settings, Withheld::NotLoaded)?);
        Ok(Self::with(settings, set))
    }

    fn with(settings: PolicySettings, set: Arc<PolicySet>) -> Self {
        let state = PolicyState {
            set,
            last_error: None,
            reloads: 0,
            refused: 0,
        };
        Self {
            settings,
            state: watch::Sender::new(state),
        }
    }

    /// Sees every state from now on.
    pub fn subscribe(&self) -> watch::Receiver<PolicyState> {
        self.state.subscribe()
    }

    /// Reads the folder again and swaps the set if its content is new and holds.
    pub fn reload(&self) {
        let Some(folder) = &self.settings.directory else {
            return;
        };
        // What came of it stands in the state.
        let _ = self.activate(Sources::read(folder).map_err(LoadError::from));
    }

    /// Builds a set of `sources` and swaps it in, unless that is what is in force; where it does not
    /// hold the old one stays, and the error is both kept in the state and returned. Whether it is
    /// another set.
    pub fn activate(&self, sources: Result<Sources, LoadError>) -> Result<bool, LoadError> {
        let built = sources.and_then(|sources| {
            if sources.digest == self.state.borrow().set.revision() {
                return Ok(None);
            }
            PolicySet::build(sources, &self.settings)?
                .refuse_failing_tests()
                .map(Some)
        });
        match built {
            Ok(Some(set)) => {
                self.swap(set);
                Ok(true)
            }
            Ok(None) => {
                self.settle();
                Ok(false)
            }
            Err(error) => {
                self.keep(&error);
                Err(error)
            }
        }
    }

    /// Denies everything from now on, until something is activated again.
    pub fn withhold(&self, why: Withheld) -> Result<(), LoadError> {
        let set = PolicySet::withheld(&self.settings, why)?;
        tracing::error!(
            reason = why.code(),
            "policies withheld: everything is denied"
        );
        self.state.send_modify(|state| state.set = Arc::new(set));
        Ok(())
    }

    /// Why everything is denied, where no policy is in force.
    pub fn why_withheld(&self) -> Option<Withheld> {
        self.state.borrow().set.why_withheld()
    }

    /// Watches the folder for as long as the store lives. Without a folder there is nothing to do.
    pub fn watch(self: &Arc<Self>) -> Result<(), WatchError> {
        let Some(folder) = self.settings.directory.clone() else {
            return Ok(());
        };
        let (sender, events) = mpsc::channel();
        let refused = |source| WatchError::Notify {
            path: folder.clone(),
            source,
        };
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                let reads_only = event.as_ref().is_ok_and(|event| event.kind.is_access());
                if !reads_only {
                    // The receiver is gone when the store is: then nobody needs to know.
                    let _ = sender.send(());
                }
            })
            .map_err(refused)?;
        watcher
            .watch(&folder, RecursiveMode::Recursive)
            .map_err(refused)?;
        let store = Arc::downgrade(self);
        let look = move || {
            background::give_way();
            let mut watcher = watcher;
            let mut seen = Sources::fingerprint(&folder).ok();
            loop {
                let changed = wait(&events);
                let Some(store) = store.upgrade() else { return };
                let found = Sources::fingerprint(&folder).ok();
                // What was refused is tried again: the cause may have lain outside the folder.
                let refused = store.state.borrow().last_error.is_some();
                if !changed && !refused && found == seen {
                    continue;
                }
                seen = found;
                // A folder that was removed and made again needs a new watch; an error means that
                // there is none to watch yet.
                let _ = watcher.watch(&folder, RecursiveMode::Recursive);
                store.reload();
            }
        };
        thread::Builder::new()
            .name("policy-watch".to_owned())
            .spawn(look)
            .map(drop)
            .map_err(WatchError::Thread)
    }

    fn swap(&self, set: PolicySet) {
        let set = Arc::new(set);
        tracing::info!(
            revision = set.revision(),
            files = set.modules(),
            "policies reloaded"
        );
        self.state.send_modify(|state| {
            state.set = set;
            state.last_error = None;
            state.reloads += 1;
        });
    }

    /// The source is back to what is in force.
    pub fn settle(&self) {
        self.state
            .send_if_modified(|state| state.last_error.take().is_some());
    }

    fn keep(&self, error: &LoadError) {
        let message: Arc<str> = error.to_string().into();
        self.state.send_if_modified(|state| {
            if state.last_error.as_ref() == Some(&message) {
                return false;
            }
            tracing::error!(
                error = %message,
                serving = state.set.revision(),
                "new policies refused, the old ones stay in force"
            );
            state.last_error = Some(message);
            state.refused += 1;
            true
        });
    }
}

/// Waits for a change and then for quiet; false when there was no change for a while.
fn wait(events: &Receiver<()>) -> bool {
    if events.recv_timeout(LOOK_ANYWAY).is_err() {
        return false;
    }
    for _ in 0..MAX_UNQUIET {
        if events.recv_timeout(QUIET).is_err() {
            return true;
        }
    }
    true
}

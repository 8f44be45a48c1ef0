//! The token service as `edgeward serve` runs it: opened, its keys kept, its bundle told to the key room.
//!
//! What this is not: the token service itself (`crate::token_service`).

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::serve::refused;
use super::{Failure, check};
use crate::config::{Config, Field};
use crate::inventory::Inventory;
use crate::keys::{KeyTasks, OwnBundle};
use crate::token_service::TokenService;
use crate::token_service::keys::{Clock, PublishedKeys};

/// Opens what issues tokens, where something does.
pub(super) fn open(
    file: Option<&Path>,
    config: &Config,
    inventory: Option<&Arc<Inventory>>,
    clock: Clock,
) -> Result<Option<Arc<TokenService>>, Failure> {
    let Some(settings) = config.token_service.clone() else {
        return Ok(None);
    };
    let opened = TokenService::open(settings, clock.now());
    let mut service =
        opened.map_err(|error| refused(file, vec![check::problem(Field::default(), &error)]))?;
    if let Some(inventory) = inventory {
        service.note_in(Arc::clone(inventory));
    }
    Ok(Some(Arc::new(service)))
}

/// Keeps the keys of evidence fresh and those of tokens rotating, until what it returns is dropped.
pub(super) fn start(service: &Arc<TokenService>, clock: Clock) -> (KeyTasks, JoinSet<()>) {
    let mut rotation = JoinSet::new();
    let keys = Arc::clone(service.keys());
    rotation.spawn(keys.keep_rotating(move || clock.now()));
    (service.evidence_keys().start(), rotation)
}

/// Tells the key room what the token service publishes.
pub(super) struct OwnBundleFeed {
    published: watch::Receiver<Arc<PublishedKeys>>,
    sender: watch::Sender<Bytes>,
    pub(super) bundle: OwnBundle,
}

impl OwnBundleFeed {
    pub(super) fn of(service: &Arc<TokenService>) -> Self {
        let published = service.keys().published();
        let text = published.borrow().bundle.clone();
        let (sender, receiver) = watch::channel(text);
        Self {
            published,
            sender,
            bundle: OwnBundle::of(receiver),
        }
    }

    pub(super) fn start(mut self) -> JoinSet<()> {
        let mut feed = JoinSet::new();
        feed.spawn(async move {
            while self.published.changed().await.is_ok() {
                let text = self.published.borrow_and_update().bundle.clone();
                self.sender.send_replace(text);
            }
        });
        feed
    }
}

//! The token service as `edgeward serve` runs it: opened, its keys kept, its bundle told to the key room.
//!
//! What this is not: the token service itself (`crate::token_service`).

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::instant::Instant;
use super::serve::refused;
use super::{Failure, check};
use crate::config::{Config, Field};
use crate::keys::{KeyTasks, OwnBundle};
use crate::token_service::TokenService;
use crate::token_service::keys::PublishedKeys;

/// Opens what issues tokens, where something does.
pub(super) fn open(
    file: Option<&Path>,
    config: &Config,
) -> Result<Option<Arc<TokenService>>, Failure> {
    let Some(settings) = config.token_service.clone() else {
        return Ok(None);
    };
    let opened = TokenService::open(settings, Instant::now().0);
    let service = opened.map_err(|error| {
        refused(file, vec![check::problem(Field::default(), &error)])
    })?;
    Ok(Some(Arc::new(service)))
}

/// Keeps the keys of evidence fresh and those of tokens rotating, until what it returns is dropped.
pub(super) fn start(service: &Arc<TokenService>) -> (KeyTasks, JoinSet<()>) {
    let mut rotation = JoinSet::new();
    let rotated = Arc::clone(service);
    rotation.spawn(async move { rotated.keys().keep_rotating(|| Instant::now().0).await });
    (service.evidence_keys().start(), rotation)
}

/// Tells the key room what the token service publishes.
pub(super) struct OwnBundleFeed {
    published: watch::Receiver<Arc<PublishedKeys>>,
    sender: watch::Sender<Arc<str>>,
    pub(super) bundle: OwnBundle,
}

impl OwnBundleFeed {
    pub(super) fn of(service: &Arc<TokenService>) -> Self {
        let published = service.keys().published();
        let text: Arc<str> = published.borrow().bundle.as_str().into();
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
                let text = self.published.borrow_and_update().bundle.as_str().into();
                self.sender.send_replace(text);
            }
        });
        feed
    }
}

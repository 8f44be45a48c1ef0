//! The inventory as `edgeward serve` runs it: opened, written down every few seconds, and once more at the end.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::serve::refused;
use super::{Failure, check};
use crate::background::give_way;
use crate::config::{Config, Field};
use crate::inventory::Inventory;
use crate::service::metrics::Metrics;

/// How much of the inventory a crash may cost.
const EVERY: Duration = Duration::from_secs(5);

/// Opens it, where there is to be one.
pub(super) fn open(
    file: Option<&Path>,
    config: &Config,
) -> Result<Option<Arc<Inventory>>, Failure> {
    let Some(settings) = config.inventory.clone() else {
        return Ok(None);
    };
    let opened = Inventory::open(settings).map_err(|error| {
        let field = Field::default().key("inventory").key("directory");
        refused(file, vec![check::problem(field, &error)])
    })?;
    Ok(Some(Arc::new(opened)))
}

/// Keeps it until this is dropped.
pub(super) struct Kept {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Kept {
    pub(super) fn start(inventory: Arc<Inventory>, metrics: &Arc<Metrics>) -> Self {
        let metrics = Arc::clone(metrics);
        let (stop, stopped) = channel::<()>();
        let started = std::thread::Builder::new()
            .name("inventory".to_owned())
            .spawn(move || {
                give_way();
                loop {
                    metrics.inventory.tell(&inventory);
                    let waited = stopped.recv_timeout(EVERY);
                    inventory.save();
                    if waited != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                }
            });
        if let Err(error) = &started {
            tracing::error!(%error, "no thread keeps the inventory: it is lost with this process");
        }
        Self {
            stop: Some(stop),
            thread: started.ok(),
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that keeps the inventory panicked");
        }
    }
}

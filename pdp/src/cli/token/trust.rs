//! Whom to believe: the key room's answer, without the network unless it is asked for.

use std::sync::Arc;

use super::Failure;
use crate::config::Config;
use crate::keys::{KeySnapshot, Keyring};

/// Reads inline keys, files and the key cache, and with `fetch` asks every other source once.
///
/// A source on the network that gives no keys is a warning: one dead issuer must not hide the
/// verdict on another's token. A local one that cannot be read is an error of configuration.
pub(super) fn load(config: &Config, fetch: bool) -> Result<Arc<KeySnapshot>, Failure> {
    let keyring =
        Keyring::open(config.keys.clone()).map_err(|error| Failure::new(error.to_string()))?;
    if fetch {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(keyring.fetch_all());
    }
    for status in keyring.statuses().iter().filter(|status| !status.ready) {
        let reason = status
            .last_error
            .as_deref()
            .unwrap_or("not fetched: use --fetch");
        eprintln!("warning: no keys of {}: {reason}", status.owner);
    }
    Ok(keyring.snapshot())
}

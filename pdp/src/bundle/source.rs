//! Asks a bundle's source once: a server, or this machine's disk.
//!
//! What this is not: a judge of what came; that is `activation`'s, on a thread of its own, for it may
//! take seconds.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use edgeward_core::time::UnixSeconds;

use super::activation::Bundles;
use super::held::{Offered, Packed};
use super::settings::{BundleName, Endpoint};
use super::status::Outcome;
use crate::background;
use crate::fetch::{Ask, Bearer, FetchError, Got, Modes, Redirects, Server, ask};

/// Files looked at to see whether a folder changed.
const MAX_LOOKED_AT: usize = 8192;

/// When a server is to be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It waits for news itself.
    AtOnce,
    /// After the usual while: also where what it has is refused, which asking sooner would not mend.
    Usually,
    /// It could not be asked: later each time.
    Later,
}

/// What is on disk, without reading it: what changes when it does.
pub(super) type Stamp = Vec<(PathBuf, u64, i64, i64, u64)>;

/// Asks the server, and puts in force what it has.
pub(super) async fn ask_server(
    bundles: &Arc<Bundles>,
    name: &BundleName,
    endpoint: &Endpoint,
    now: fn() -> UnixSeconds,
) -> Again {
    let failed = |code, why: String| {
        bundles.failed(name, code, why, now());
        Again::Later
    };
    let bearer = match endpoint
        .bearer_token
        .as_deref()
        .map(Bearer::read)
        .transpose()
    {
        Ok(bearer) => bearer,
        Err(error) => return failed("bundle-credential", error.to_string()),
    };
    let (known, takes_deltas) = bundles.known(name);
    let again = |outcome: &Outcome, is_awaited| match outcome {
        // Refused as a delta, it may be good as a whole.
        Outcome::Refused(..) if takes_deltas && !bundles.known(name).1 => Again::AtOnce,
        Outcome::Refused(..) => Again::Usually,
        _ if is_awaited => Again::AtOnce,
        _ => Again::Usually,
    };
    let question = Ask {
        known: known.as_deref(),
        modes: Some(if takes_deltas {
            Modes::Both
        } else {
            Modes::Snapshot
        }),
        // The first answer is wanted at once.
        wait: known.as_ref().and(endpoint.long_poll),
        bearer: bearer.as_ref(),
        ..Ask::BUNDLE
    };
    let server = Server::WebPki(endpoint.fetch.ca_file.as_deref());
    let (url, fetch) = (&endpoint.url, &endpoint.fetch);
    let got = ask(url, server, Redirects::SameOrigin, fetch, &question);
    match got.await {
        Ok(Got::Unchanged { is_awaited }) if known.is_some() => {
            match confirm(bundles, name, now).await {
                Ok(outcome) => again(&outcome, is_awaited),
                Err(why) => failed("bundle-policy", why),
            }
        }
        // Nothing was told of that could be unchanged.
        Ok(Got::Unchanged { .. }) => failed("bundle-server", "status 304 to no tag".to_owned()),
        Ok(Got::Document(document)) => {
            let is_awaited = document.is_awaited;
            let offered = Offered::Packed(Packed {
                content: document.body,
                tag: document.tag,
                may_be_delta: takes_deltas,
            });
            match offer(bundles, name, offered, now).await {
                Ok(outcome) => again(&outcome, is_awaited),
                Err(why) => failed("bundle-policy", why),
            }
        }
        Err(error @ FetchError::TooLarge(_)) => failed("bundle-oversized", error.to_string()),
        Err(error) => failed("bundle-server", error.to_string()),
    }
}

/// Reads the bundle at `path`, unless that is as it was at `seen`; the stamp of what was read, or what was
/// seen before where it was refused: that is tried again, for the cause may lie elsewhere, in keys or other
/// bundles. To be called where it may take its time.
pub(super) fn look(
    bundles: &Bundles,
    name: &BundleName,
    path: &Path,
    seen: Option<Stamp>,
    now: UnixSeconds,
) -> Option<Stamp> {
    let found = stamp(path).and_then(|stamp| {
        if seen.as_ref() == Some(&stamp) {
            return Ok((stamp, None));
        }
        Ok((stamp, Some(Offered::at(path)?)))
    });
    match found {
        Ok((stamp, None)) => {
            bundles.confirm(name, now);
            Some(stamp)
        }
        Ok((stamp, Some(offered))) => match bundles.offer(name, offered, now) {
            Outcome::Refused(..) => seen,
            _ => Some(stamp),
        },
        Err(error) => {
            let why = format!("{}: {error}", path.display());
            bundles.failed(name, "bundle-unreadable", why, now);
            seen
        }
    }
}

async fn confirm(
    bundles: &Arc<Bundles>,
    name: &BundleName,
    now: fn() -> UnixSeconds,
) -> Result<Outcome, String> {
    let (bundles, name) = (Arc::clone(bundles), name.clone());
    apart(move || {
        bundles.confirm(&name, now());
        Outcome::Unchanged
    })
    .await
}

async fn offer(
    bundles: &Arc<Bundles>,
    name: &BundleName,
    offered: Offered,
    now: fn() -> UnixSeconds,
) -> Result<Outcome, String> {
    let (bundles, name) = (Arc::clone(bundles), name.clone());
    apart(move || bundles.offer(&name, offered, now())).await
}

/// On a thread where it may take its time, and gives way to those that answer.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    match background::spawn("policy-bundle", work) {
        Ok(ended) => ended
            .await
            .map_err(|_| "the bundle broke its reader".to_owned()),
        Err(error) => Err(format!("no thread for a bundle: {error}")),
    }
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let mut stamp = Stamp::new();
    let mut open = vec![path.to_owned()];
    while let Some(at) = open.pop() {
        let found = fs::metadata(&at)?;
        if found.is_dir() {
            for entry in fs::read_dir(&at)? {
                open.push(entry?.path());
            }
        }
        stamp.push((
            at,
            found.len(),
            found.mtime(),
            found.mtime_nsec(),
            found.ino(),
        ));
        if stamp.len() > MAX_LOOKED_AT {
            return Err(std::io::Error::other("holds too many files"));
        }
    }
    stamp.sort();
    Ok(stamp)
}

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
use super::settings::{BundleName, Endpoint, Source};
use super::status::Outcome;
use crate::background;
use crate::fetch::{Ask, Credential, FetchError, Got, Modes, Redirects, Server, ask};

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

/// Why a source could not be asked.
#[derive(Debug)]
pub(super) struct Failed {
    /// In a word.
    code: &'static str,
    pub(super) why: String,
}

impl Failed {
    /// What says who we are cannot be had, or is not what is asked for.
    pub(super) fn credential(why: impl Into<String>) -> Self {
        Self {
            code: "bundle-credential",
            why: why.into(),
        }
    }

    /// The server.
    pub(super) fn server(why: String) -> Self {
        Self {
            code: "bundle-server",
            why,
        }
    }
}

impl From<FetchError> for Failed {
    fn from(error: FetchError) -> Self {
        let code = match error {
            FetchError::TooLarge(_) => "bundle-oversized",
            _ => "bundle-server",
        };
        Self {
            code,
            why: error.to_string(),
        }
    }
}

/// Asks a source that is no path of this machine, and puts in force what it has.
pub(super) async fn ask_server(
    bundles: &Arc<Bundles>,
    name: &BundleName,
    source: &Source,
    now: fn() -> UnixSeconds,
) -> Again {
    let (known, takes_deltas) = bundles.known(name);
    let takes_deltas = takes_deltas && matches!(source, Source::Http(_));
    match answer(source, known.as_deref(), takes_deltas, now()).await {
        Ok(got) => take(bundles, name, (got, takes_deltas), source.awaits(), now).await,
        Err(Failed { code, why }) => {
            bundles.failed(name, code, why, now());
            Again::Later
        }
    }
}

/// What the source has that is not what `known`, its tag, stands for.
async fn answer(
    source: &Source,
    known: Option<&str>,
    takes_deltas: bool,
    now: UnixSeconds,
) -> Result<Got, Failed> {
    let got = match source {
        Source::Http(endpoint) => endpoint.ask(known, takes_deltas).await?,
        Source::S3(object) => object.ask(known, now).await?,
        Source::Oci(artifact) => artifact.ask(known).await?,
        Source::Path(path) => {
            let why = format!("`{}` is on this machine", path.display());
            return Err(Failed::server(why));
        }
    };
    // Nothing was told of that could be unchanged.
    if known.is_none() && matches!(got, Got::Unchanged { .. }) {
        return Err(Failed::server("status 304 to no tag".to_owned()));
    }
    Ok(got)
}

/// `awaits` says whether the source is asked to wait for news at all: only then is one that can asked
/// again at once.
async fn take(
    bundles: &Arc<Bundles>,
    name: &BundleName,
    (got, takes_deltas): (Got, bool),
    awaits: bool,
    now: fn() -> UnixSeconds,
) -> Again {
    let (taken, is_awaited) = match got {
        Got::Unchanged { is_awaited } => (confirm(bundles, name, now).await, is_awaited),
        Got::Document(document) => {
            let offered = Offered::Packed(Packed {
                content: document.body,
                tag: document.tag,
                may_be_delta: takes_deltas,
            });
            let taken = offer(bundles, name, offered, now).await;
            (taken, document.is_awaited)
        }
    };
    match taken {
        // Refused as a delta, it may be good as a whole.
        Ok(Outcome::Refused(..)) if takes_deltas && !bundles.known(name).1 => Again::AtOnce,
        Ok(Outcome::Refused(..)) => Again::Usually,
        Ok(_) if is_awaited && awaits => Again::AtOnce,
        Ok(_) => Again::Usually,
        Err(why) => {
            bundles.failed(name, "bundle-policy", why, now());
            Again::Later
        }
    }
}

impl Endpoint {
    async fn ask(&self, known: Option<&str>, takes_deltas: bool) -> Result<Got, Failed> {
        let credential = match self.bearer_token.clone() {
            Some(file) => Some(read_apart(move || Credential::bearer_in(&file)).await?),
            None => None,
        };
        let question = Ask {
            known,
            modes: Some(if takes_deltas {
                Modes::Both
            } else {
                Modes::Snapshot
            }),
            // The first answer is wanted at once.
            wait: known.and(self.long_poll),
            credential: credential.as_ref(),
            ..Ask::BUNDLE
        };
        let server = Server::WebPki(self.fetch.ca_file.as_deref());
        Ok(ask(
            &self.url,
            server,
            Redirects::SameOrigin,
            &self.fetch,
            &question,
        )
        .await?)
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

/// Reads what says who we are, on a thread where a slow disk keeps nobody waiting.
pub(super) async fn read_apart<T: Send + 'static, E: std::fmt::Display + Send + 'static>(
    read: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Failed> {
    let read = apart(read).await.map_err(Failed::credential)?;
    read.map_err(|error| Failed::credential(error.to_string()))
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

//! The sync feed door: `GET /edgeward/v1/sync?since=CURSOR&wait_ms=N`.
//!
//! A long poll: 200 with the whole state as soon as it differs from what the caller has, 204 when
//! it does not within the wait or the PDP is stopping. What is in the feed is `core::feed`.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use edgeward_core::feed::Feed;
use http::StatusCode;
use tokio::time::{Instant, sleep_until};

use super::identifiers;
use super::reply::{self, Refusal, Reply};
use super::worker::WorkerState;

/// Waits until there is something the caller does not have.
pub(super) async fn answer(worker: &Rc<WorkerState>, query: Option<&str>) -> Reply {
    let since = query.and_then(since_of);
    let wait = query.and_then(wait_of).unwrap_or(Duration::MAX);
    let deadline = Instant::now() + wait.min(worker.sync_max_wait());
    let mut policies = worker.state().policies.clone();
    let mut keys = worker.state().keys.subscribe();
    let mut revocations = worker.state().revocations.subscribe();
    let atoms = &worker.state().atoms;
    let mut countries = atoms.subscribe();
    let mut stop = worker.stop();
    loop {
        // Marked as seen before it is read: a change in between is then noticed below.
        let set = Arc::clone(&policies.borrow_and_update().set);
        keys.borrow_and_update();
        revocations.borrow_and_update();
        let countries_revision = *countries.borrow_and_update();
        let snapshot = worker.state().keys.snapshot();
        let revoked = worker.state().revocations.snapshot();
        let changes = [snapshot.revision, revoked.revision, countries_revision];
        let cursor = cursor(worker.boot_id(), changes, set.revision());
        if since != Some(cursor.as_str()) {
            return match identifiers::lease() {
                Ok(lease) => {
                    let revision = set.revision().to_owned();
                    let caching = set.caching().map(|caching| atoms.caching(caching));
                    let mut feed = Feed::of(&snapshot.trust, cursor, lease, revision, caching);
                    feed.revocations = revoked.revocations.clone();
                    reply::json(StatusCode::OK, &feed)
                }
                Err(_) => Refusal::Broken.into(),
            };
        }
        tokio::select! {
            Ok(()) = policies.changed() => {}
            Ok(()) = keys.changed() => {}
            Ok(()) = revocations.changed() => {}
            Ok(()) = countries.changed() => {}
            _ = stop.wait_for(|stop| *stop) => return reply::empty(StatusCode::NO_CONTENT),
            () = sleep_until(deadline) => return reply::empty(StatusCode::NO_CONTENT),
        }
    }
}

/// Names one state of one process: after a restart every caller is told everything.
fn cursor(boot_id: &str, [keys, revocations, countries]: [u64; 3], policy: &str) -> String {
    let policy: String = policy.chars().take(16).collect();
    format!("{boot_id}.{keys}.{revocations}.{countries}.{policy}")
}

fn since_of(query: &str) -> Option<&str> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("since="))
}

/// How long the caller lets us hold its request at most.
fn wait_of(query: &str) -> Option<Duration> {
    let mut pairs = query.split('&');
    let milliseconds = pairs.find_map(|pair| pair.strip_prefix("wait_ms="))?;
    milliseconds.parse().ok().map(Duration::from_millis)
}

//! The door for keys that a filter's tokens name and nobody has: `POST /edgeward/v1/keys/unknown`.
//!
//! 204 at once, whatever becomes of it: the owner is fetched from if that is due
//! ([`crate::keys::Keyring::unknown_key`]), and what that brings goes to every filter by the sync
//! feed. What is in the body is `core::missing_keys`.
//!
//! What this is not: a way to make the PDP connect anywhere. Owners that are not configured are
//! counted and passed over; a `kid` is compared with those at hand and goes nowhere.

use std::rc::Rc;

use edgeward_core::missing_keys::{self, MAX_REPORT_BYTES};
use http::{Request, StatusCode};
use hyper::body::Incoming;

use super::body::json_body;
use super::reply::{self, Refusal, Reply};
use super::worker::WorkerState;

/// Takes a report.
pub(super) async fn answer(worker: &Rc<WorkerState>, request: Request<Incoming>) -> Reply {
    match take(worker, request).await {
        Ok(()) => reply::empty(StatusCode::NO_CONTENT),
        Err(refusal) => {
            tracing::debug!(?refusal, "report of unknown keys refused");
            refusal.into()
        }
    }
}

async fn take(worker: &Rc<WorkerState>, request: Request<Incoming>) -> Result<(), Refusal> {
    let body = json_body(worker, request, MAX_REPORT_BYTES).await?;
    let missing =
        missing_keys::read(&body).map_err(|error| Refusal::BadRequest(error.to_string()))?;
    for key in missing {
        let outcome = worker.state().keys.unknown_key(&key.owner, &key.key_id);
        tracing::debug!(owner = %key.owner, ?outcome, "key is unknown to a filter");
    }
    Ok(())
}

//! The doors of operators: `POST` and `GET /edgeward/v1/revocations`, `GET` and
//! `DELETE /edgeward/v1/revocations/ID`. What is in a body is `edgeward_core::revocation`.
//!
//! INVARIANT: nothing is read or changed before the caller was let in (`administrators`). An answer
//! that says "revoked" comes after the disk and after the sync feed were told.
//!
//! What this is not: the store (`crate::revocation`).

use std::rc::Rc;
use std::sync::Arc;

use edgeward_core::revocation::{MAX_ORDER_BYTES, Order, Revocation, Revoked};
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::administrators::Administrator;
use super::body::json_body;
use super::clock;
use super::reply::{self, Refusal, Reply};
use super::router::Arrival;
use super::worker::WorkerState;
use crate::revocation::{RevocationStore, Revoking, StoreError};

/// The path of all revocations; one is below it.
pub const REVOCATIONS_PATH: &str = "/edgeward/v1/revocations";

/// What a path is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    All,
    One(String),
}

impl Place {
    pub(super) fn of(path: &str) -> Option<Self> {
        match path.strip_prefix(REVOCATIONS_PATH)? {
            "" => Some(Self::All),
            rest => rest.strip_prefix('/').map(|id| Self::One(id.to_owned())),
        }
    }
}

/// Answers an operator.
pub(super) async fn answer(
    worker: &Rc<WorkerState>,
    arrival: &Arrival,
    place: Place,
    request: Request<Incoming>,
) -> Reply {
    match act(worker, arrival, place, request).await {
        Ok(reply) => reply,
        Err(refusal) => {
            tracing::debug!(?refusal, "call about revocations refused");
            refusal.into()
        }
    }
}

async fn act(
    worker: &Rc<WorkerState>,
    arrival: &Arrival,
    place: Place,
    request: Request<Incoming>,
) -> Result<Reply, Refusal> {
    let store = Arc::clone(&worker.state().revocations);
    let who = worker.administrators().admit(
        request.headers(),
        arrival.client.as_ref(),
        &store.snapshot().revocations,
        clock::now(),
    )?;
    match (place, request.method()) {
        (Place::All, &Method::GET) => {
            let all = off_thread(move || store.list()).await?;
            let all: Vec<Value> = all.iter().map(Revocation::to_json).collect();
            Ok(reply::json(StatusCode::OK, &json!({ "revocations": all })))
        }
        (Place::All, &Method::POST) => {
            let body = json_body(worker, request, MAX_ORDER_BYTES).await?;
            let order =
                Order::parse(&body).map_err(|error| Refusal::BadRequest(error.to_string()))?;
            revoke(store, order, &who).await
        }
        (Place::One(id), &Method::GET) => {
            let one = off_thread(move || store.get(&id)).await?;
            let one = one.ok_or(Refusal::NoSuchRevocation)?;
            Ok(reply::json(StatusCode::OK, &one.to_json()))
        }
        (Place::One(id), &Method::DELETE) => {
            let undone = off_thread(move || store.undo(&id)).await?;
            let undone = undone.map_err(|error| refusal_of(&error))?;
            let undone = undone.ok_or(Refusal::NoSuchRevocation)?;
            record(&undone, "revocation undone", &who);
            Ok(reply::json(StatusCode::OK, &undone.to_json()))
        }
        (Place::All, _) => Err(Refusal::MethodNotAllowed("GET, POST")),
        (Place::One(_), _) => Err(Refusal::MethodNotAllowed("GET, DELETE")),
    }
}

async fn revoke(
    store: Arc<RevocationStore>,
    order: Order,
    who: &Administrator,
) -> Result<Reply, Refusal> {
    let warning = warning(&store, &order.revoked);
    let revoking = off_thread(move || store.revoke(order, clock::now())).await?;
    let Revoking { revocation, is_new } = revoking.map_err(|error| refusal_of(&error))?;
    record(&revocation, "revoked", who);
    let mut body = revocation.to_json();
    if let (Some(warning), Some(members)) = (warning, body.as_object_mut()) {
        members.insert("warning".to_owned(), warning.into());
    }
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(reply::json(status, &body))
}

/// An issuer that is spelt otherwise than in the configuration is revoked to no effect. (A trust
/// domain need not be there: Envoy checks the certificates of its workloads.)
fn warning(store: &RevocationStore, revoked: &Revoked) -> Option<String> {
    let (Revoked::Token { owner, .. }
    | Revoked::Key { owner, .. }
    | Revoked::Session { owner, .. }
    | Revoked::Owner(owner)) = revoked
    else {
        return None;
    };
    let issuer = owner.issuer()?;
    (!store.lifetimes().knows(owner)).then(|| {
        format!("issuer `{issuer}` is not configured here: mind its spelling, to the last slash")
    })
}

/// On a thread that may wait for the disk: this one has decisions to make.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Refusal::Broken)
}

fn refusal_of(error: &StoreError) -> Refusal {
    match error {
        StoreError::NotConfigured => Refusal::NoAdministrators,
        StoreError::Expiry(_) => Refusal::BadRequest(error.to_string()),
        StoreError::Full => Refusal::Full(error.to_string()),
        StoreError::Journal(_) => {
            tracing::error!(%error, "revocation refused");
            Refusal::Unavailable(error.to_string())
        }
    }
}

/// What was revoked or undone, and by whom, has to be found in the log later.
fn record(revocation: &Revocation, what: &'static str, who: &Administrator) {
    let (id, tag) = (revocation.revoked.id(), revocation.revoked.tag());
    let reason = revocation.reason.as_deref();
    let expires_at = format!("{:?}", revocation.expires_at);
    tracing::info!(target: "edgeward::revocation", id, tag, reason, expires_at, %who, "{what}");
}

//! The inventory at the doors: who asks is noted, requests are searched for static secrets, and operators are told
//! (`GET /edgeward/v1/inventory`).
//!
//! INVARIANT: nothing of it decides, or holds up, a request: a thread notes an identity once a second.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::rc::Rc;

use edgeward_core::credential::Field;
use edgeward_core::time::UnixSeconds;
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;

use super::asked::Asked;
use super::clock;
use super::reply::{self, Refusal, Reply};
use super::router::Arrival;
use super::worker::WorkerState;
use crate::inventory::Who;
use crate::inventory::secrets::{SecretKind, find_in_header, find_in_target};

/// Where operators are told.
pub const INVENTORY_PATH: &str = "/edgeward/v1/inventory";
/// The most identities that one thread remembers to have noted in this second.
const MAX_NOTED: usize = 4096;

/// Whom this thread noted, and when: what all threads share is not locked at each decision.
#[derive(Default)]
pub(super) struct Noted {
    hasher: RandomState,
    at: RefCell<HashMap<u64, UnixSeconds>>,
}

impl Noted {
    /// Whether it is time to note this one again.
    fn is_due(&self, asked: &Asked<'_>, now: UnixSeconds) -> bool {
        let who = self.hasher.hash_one((&asked.subject, &asked.issuer));
        let mut at = self.at.borrow_mut();
        if at.len() >= MAX_NOTED {
            at.clear();
        }
        at.insert(who, now) != Some(now)
    }
}

/// Notes who asked for a decision.
pub(super) fn note(worker: &WorkerState, asked: &Asked<'_>, now: UnixSeconds) {
    let Some(inventory) = &worker.state().inventory else {
        return;
    };
    if !asked.subject.is_empty() && worker.noted().is_due(asked, now) {
        let authority = asked.issuer.as_deref().or(asked.trust_domain.as_deref());
        inventory.decided(Who::new(&asked.subject, authority), now);
    }
}

/// Searches a request for static secrets. `target` is its path and query.
pub(super) fn search(
    worker: &WorkerState,
    (target, fields): (&str, &[Field]),
    subject: &str,
    service: &str,
) {
    let Some(inventory) = &worker.state().inventory else {
        return;
    };
    if !inventory.looks_for_secrets() {
        return;
    }
    let mut found: Vec<(SecretKind, String)> = Vec::new();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    for (place, text) in [("path", path), ("query", query)] {
        let kinds = find_in_target(text).into_iter();
        found.extend(kinds.map(|kind| (kind, place.to_owned())));
    }
    for (name, value) in fields {
        let kinds = find_in_header(name, value).into_iter();
        found.extend(kinds.map(|kind| (kind, format!("header {name}"))));
    }
    for (kind, place) in found {
        worker.state().metrics.inventory.noticed(kind);
        inventory.noticed((kind, &place), subject, service, clock::now());
    }
}

/// Answers an operator.
pub(super) async fn answer(
    worker: &Rc<WorkerState>,
    arrival: &Arrival,
    request: Request<Incoming>,
) -> Reply {
    report(worker, arrival, &request)
        .await
        .unwrap_or_else(Into::into)
}

async fn report(
    worker: &Rc<WorkerState>,
    arrival: &Arrival,
    request: &Request<Incoming>,
) -> Result<Reply, Refusal> {
    let state = worker.state();
    worker.administrators().admit(
        request.headers(),
        arrival.client.as_ref(),
        &state.revocations.snapshot().revocations,
        clock::now(),
    )?;
    if request.method() != Method::GET {
        return Err(Refusal::MethodNotAllowed("GET"));
    }
    let inventory = state.inventory.clone().ok_or(Refusal::NotFound)?;
    let configured: Vec<String> = state
        .token_service
        .iter()
        .flat_map(|service| service.workload_names())
        .collect();
    // Long, where there are many: not on a thread that decides.
    let made = tokio::task::spawn_blocking(move || {
        let report = inventory.report();
        json!({
            "identities": report.identities,
            "secrets": report.secrets,
            "dropped": report.dropped,
            "client_workloads": configured,
        })
    });
    let made = made.await.map_err(|_| Refusal::Broken)?;
    Ok(reply::json(StatusCode::OK, &made))
}

//! `AuthZEN` metadata: `GET /.well-known/authzen-configuration` (section 9).
//!
//! The identifier must be an `https` URL and equal the one the caller built the path from. So a
//! plaintext listener has metadata only where `public_url` is configured; without it a client gets
//! 404, and then falls back to the default paths, which are ours.

use std::rc::Rc;

use edgeward_core::authzen::{EVALUATION_PATH, EVALUATIONS_PATH};
use edgeward_core::request::Authority;
use http::header::HOST;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;

use super::reply::{self, Refusal, Reply};
use super::router::Arrival;
use super::search;
use super::worker::WorkerState;

pub(super) const PATH: &str = "/.well-known/authzen-configuration";

pub(super) fn answer(
    worker: &Rc<WorkerState>,
    arrival: &Arrival,
    request: &Request<Incoming>,
) -> Reply {
    let identifier = match worker.public_url() {
        Some(url) => Some(url.to_owned()),
        None if arrival.tls => asked_host(request).map(|host| format!("https://{host}")),
        None => None,
    };
    let Some(identifier) = identifier else {
        return Refusal::NoMetadata.into();
    };
    let mut document = json!({
        "policy_decision_point": identifier,
        "access_evaluation_endpoint": format!("{identifier}{EVALUATION_PATH}"),
        "access_evaluations_endpoint": format!("{identifier}{EVALUATIONS_PATH}"),
    });
    for kind in search::Kind::ALL {
        if let (Some(_), Some(members)) = (worker.searches().of(kind), document.as_object_mut()) {
            let endpoint = format!("search_{}_endpoint", kind.name());
            members.insert(endpoint, format!("{identifier}{}", kind.path()).into());
        }
    }
    reply::json(StatusCode::OK, &document)
}

fn asked_host(request: &Request<Incoming>) -> Option<String> {
    let header = request
        .headers()
        .get(HOST)
        .and_then(|value| value.to_str().ok());
    let text = request
        .uri()
        .authority()
        .map(http::uri::Authority::as_str)
        .or(header)?;
    Authority::parse(text)
        .ok()
        .map(|authority| authority.as_str().to_owned())
}

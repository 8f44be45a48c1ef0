//! The doors of gateways that ask over HTTP: 200 lets a request pass, anything else does not.
//!
//! What a gateway is to set on the request, and on its response, stands in the headers of the
//! answer; which of them it takes over is its own configuration. Only Envoy can be told to remove
//! something: with the others a request that would need it is refused.
//!
//! A deny is never a 5xx where the gateway would read that as an error, which `failure_mode_allow`
//! could turn into an allow.

use std::rc::Rc;

use edgeward_core::headers;
use edgeward_core::refusal::{Refusal, Reply as Denial};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use hyper::body::Incoming;

use super::ExtAuthzSettings;
use super::gateway::Gateway;
use super::ruling::{Changes, Ruling, refuse_call, rule};
use crate::service::payload::Payload;
use crate::service::reply::{self, Reply};
use crate::service::worker::WorkerState;

/// Where Envoy reads what it is to remove from the request (`ext_authz` with `http_service`).
const TO_REMOVE: &str = "x-envoy-auth-headers-to-remove";

/// Answers a call of `gateway`. Its body, which none of them needs, is not read.
pub(in crate::service) fn answer(
    worker: &Rc<WorkerState>,
    settings: &ExtAuthzSettings,
    gateway: Gateway,
    request: Request<Incoming>,
) -> Reply {
    let (call, _) = request.into_parts();
    let ruling = match gateway.told(&call) {
        Ok(told) => rule(worker, settings, &told),
        Err(error) => {
            tracing::warn!(?gateway, %error, "a gateway's call tells of no request");
            refuse_call(worker, Refusal::Unavailable, error.code())
        }
    };
    let answer = match &ruling {
        Ruling::Pass(changes) => pass(settings, changes),
        Ruling::Refuse(denial) => deny(denial, gateway),
    };
    answer.unwrap_or_else(|| {
        tracing::error!(?gateway, "a ruling cannot be written as a response");
        reply::empty(StatusCode::FORBIDDEN)
    })
}

/// Refuses a call of `gateway`, unread, for the reason `code`.
pub(in crate::service) fn refuse(
    worker: &WorkerState,
    gateway: Gateway,
    code: &'static str,
) -> Reply {
    let denied = match refuse_call(worker, Refusal::Unavailable, code) {
        Ruling::Refuse(denial) => deny(&denial, gateway),
        Ruling::Pass(_) => None,
    };
    denied.unwrap_or_else(|| reply::empty(StatusCode::FORBIDDEN))
}

fn pass(settings: &ExtAuthzSettings, changes: &Changes) -> Option<Reply> {
    // Names that the gateway takes over onto requests: by one of them, what is for the response would
    // tell the upstream something.
    let allowed = &settings.allowed_request_headers;
    let is_for_requests =
        |name: &str| headers::is_edgewards(name) || headers::may_be_obliged(name, allowed);
    let mut on_response = changes.on_response.iter();
    if on_response.any(|(name, _)| is_for_requests(&headers::normalize(name))) {
        return None;
    }
    let mut answer = reply::empty(StatusCode::OK);
    let headers = answer.headers_mut();
    for (name, value) in changes.set.iter().chain(&changes.on_response) {
        let name: HeaderName = name.parse().ok()?;
        let value: HeaderValue = value.parse().ok()?;
        // One for the request and one for its response, by one name: nobody could tell them apart.
        if headers
            .insert(name, value.clone())
            .is_some_and(|other| other != value)
        {
            return None;
        }
    }
    if !changes.remove.is_empty() {
        headers.insert(TO_REMOVE, changes.remove.join(",").parse().ok()?);
    }
    Some(answer)
}

fn deny(denial: &Denial, gateway: Gateway) -> Option<Reply> {
    let grpc_status = denial.refusal.grpc_status().to_string();
    let denial = &Denial {
        refusal: told_as(denial.refusal, gateway),
        ..denial.clone()
    };
    let status = u16::try_from(denial.refusal.status()).ok()?;
    let mut answer = reply::empty(StatusCode::from_u16(status).ok()?);
    for (name, value) in denial.headers() {
        answer.headers_mut().insert(name, value.parse().ok()?);
    }
    if denial.grpc {
        answer
            .headers_mut()
            .insert("grpc-status", grpc_status.parse().ok()?);
        answer.headers_mut().remove(http::header::CONTENT_TYPE);
    }
    let body = if denial.grpc {
        denial.grpc_message().into_bytes()
    } else {
        denial.body()
    };
    *answer.body_mut() = Payload::from(body);
    Some(answer)
}

/// What a gateway is told in place of a status that it would take for a fault of ours: Envoy any
/// 5xx, nginx anything but 401 and 403.
fn told_as(refusal: Refusal, gateway: Gateway) -> Refusal {
    match (gateway, refusal) {
        (Gateway::Nginx, Refusal::NotCanonical)
        | (Gateway::Nginx | Gateway::Envoy, Refusal::Unavailable) => Refusal::Denied,
        _ => refusal,
    }
}

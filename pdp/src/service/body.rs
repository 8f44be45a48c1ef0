//! The body of a call: declared as what the door reads, within a size, in time.
//!
//! What this is not: read; each door does that with the shape it knows.

use std::rc::Rc;

use bytes::Bytes;
use edgeward_core::authzen;
use http::Request;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::reply::Refusal;
use super::worker::WorkerState;

/// All of the body, which is at most `limit` bytes of JSON.
pub(super) async fn json_body(
    worker: &Rc<WorkerState>,
    request: Request<Incoming>,
    limit: usize,
) -> Result<Bytes, Refusal> {
    if !content_type(&request).is_some_and(authzen::is_json) {
        // Not 415: to AuthZEN's certification, whatever is no JSON is a malformed request.
        let message = "content-type must be application/json";
        return Err(Refusal::BadRequest(message.to_owned()));
    }
    whole_body(worker, request, limit).await
}

/// All of the body, which is at most `limit` bytes of the content type `kind`.
pub(super) async fn body_of(
    worker: &Rc<WorkerState>,
    request: Request<Incoming>,
    kind: &'static str,
    limit: usize,
) -> Result<Bytes, Refusal> {
    if content_type(&request) != Some(kind.as_bytes()) {
        let message = format!("content-type must be {kind}");
        return Err(Refusal::BadRequest(message));
    }
    whole_body(worker, request, limit).await
}

/// All of the body, whatever it is, which is at most `limit` bytes.
pub(super) async fn whole_body(
    worker: &Rc<WorkerState>,
    request: Request<Incoming>,
    limit: usize,
) -> Result<Bytes, Refusal> {
    let declared = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    if declared
        .and_then(|text| text.parse::<usize>().ok())
        .is_some_and(|length| length > limit)
    {
        return Err(Refusal::TooLarge(limit));
    }
    let body = Limited::new(request.into_body(), limit).collect();
    match timeout(worker.limits().request_timeout, body).await {
        Err(_) => Err(Refusal::TooSlow),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge(limit)),
        Ok(Err(_)) => Err(Refusal::BadRequest("body was cut off".to_owned())),
    }
}

/// The content type, where exactly one is said.
fn content_type(request: &Request<Incoming>) -> Option<&[u8]> {
    let mut values = request.headers().get_all(CONTENT_TYPE).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value.as_bytes()),
        _ => None,
    }
}

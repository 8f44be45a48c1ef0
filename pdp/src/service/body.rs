//! The body of a call: declared as JSON, within a size, in time.
//!
//! What this is not: read as JSON; each door does that with the shape it knows.

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

/// All of the body, which is at most `limit` bytes long.
pub(super) async fn json_body(
    worker: &Rc<WorkerState>,
    request: Request<Incoming>,
    limit: usize,
) -> Result<Bytes, Refusal> {
    if !is_json(&request) {
        // Not 415: to AuthZEN's certification, whatever is no JSON is a malformed request.
        let message = "content-type must be application/json";
        return Err(Refusal::BadRequest(message.to_owned()));
    }
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

fn is_json(request: &Request<Incoming>) -> bool {
    let mut values = request.headers().get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    authzen::is_json(value.as_bytes())
}

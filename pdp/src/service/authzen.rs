//! The decision door: `POST /access/v1/evaluation` (`AuthZEN` 1.0, section 6).
//!
//! A deny is a 200 with `decision: false`; a 4xx is about the call. `?compare=1` has the question
//! evaluated anew, on the whole input as well: a filter asks so now and then.

use std::rc::Rc;

use edgeward_core::authzen::{EvaluationResponse, PolicyReference, ResponseContext};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use hyper::body::Incoming;

use super::body::json_body;
use super::put::{Care, Put};
use super::reply::{self, Refusal, Reply};
use super::settle::{Settled, settle};
use super::worker::WorkerState;

/// The query of a question that is compared.
const COMPARE: &str = "compare=1";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers an evaluation request, and repeats its `X-Request-ID`.
pub(super) async fn answer(worker: &Rc<WorkerState>, request: Request<Incoming>) -> Reply {
    let request_id = request_id(&request);
    repeat(request_id, decide(worker, request).await)
}

/// By what the caller knows its call.
pub(super) fn request_id(request: &Request<Incoming>) -> Option<HeaderValue> {
    request.headers().get(&REQUEST_ID).cloned()
}

/// The reply, known by the same.
pub(super) fn repeat(request_id: Option<HeaderValue>, decided: Result<Reply, Refusal>) -> Reply {
    let mut reply = decided.unwrap_or_else(|refusal| {
        tracing::debug!(?refusal, "evaluation request refused");
        refusal.into()
    });
    if let Some(request_id) = request_id {
        reply.headers_mut().insert(REQUEST_ID, request_id);
    }
    reply
}

async fn decide(worker: &Rc<WorkerState>, request: Request<Incoming>) -> Result<Reply, Refusal> {
    let care = if request.uri().query() == Some(COMPARE) {
        Care::Compare
    } else {
        Care::Usual
    };
    let body = json_body(worker, request, worker.limits().body).await?;
    Ok(reply::json(StatusCode::OK, &evaluate(worker, &body, care)?))
}

/// Settles the question that `body` is, and says what is told of it.
pub(super) fn evaluate(
    worker: &WorkerState,
    body: &[u8],
    care: Care,
) -> Result<EvaluationResponse, Refusal> {
    let Settled {
        id,
        answer,
        revision,
        premises,
    } = settle(worker, Put::Whole(body, care))?;
    Ok(EvaluationResponse {
        decision: answer.allow,
        context: Some(ResponseContext {
            id: Some(id),
            reasons: answer.reasons,
            obligations: answer.obligations,
            valid_until: answer.valid_until,
            policy: Some(PolicyReference {
                revision: revision.to_string(),
            }),
            premises,
        }),
    })
}

//! The gRPC door: `envoy.service.auth.v3.Authorization/Check`, on the listeners of every other door.
//!
//! Unary gRPC over hyper is a prefix of five bytes and a trailer, written here. A gRPC server of
//! its own would bring its own accept loop, limits and threads, and could not decide on this one.
//!
//! Source: gRPC over HTTP/2, "Length-Prefixed-Message" and "Responses".

use std::rc::Rc;

use bytes::{Buf as _, Bytes};
use edgeward_core::refusal::{self, Refusal};
use envoy_types::ext_authz::v3::pb::{CheckRequest, CheckResponse};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use prost::Message as _;

use super::ruling::{Ruling, refuse_call, rule};
use super::{Dialect, ExtAuthzSettings, check_request, check_response, opa_envoy};
use crate::service::body::whole_body;
use crate::service::payload::Payload;
use crate::service::reply::{self, Reply};
use crate::service::trace;
use crate::service::worker::WorkerState;

/// The path of the one call.
pub(in crate::service) const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";

const GRPC: &str = "application/grpc";
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// Whether the message is compressed, and its length.
const PREFIX: usize = 5;

/// Answers a call. Whatever is wrong with it is told as a deny.
pub(in crate::service) async fn answer(
    worker: &Rc<WorkerState>,
    settings: &ExtAuthzSettings,
    request: Request<Incoming>,
) -> Reply {
    let content_type = request.headers().get(CONTENT_TYPE);
    if !content_type.is_some_and(|kind| refusal::is_grpc(kind.as_bytes())) {
        let message = "content-type must be application/grpc".to_owned();
        return reply::Refusal::BadRequest(message).into();
    }
    let response = match call(worker, request).await {
        Err(refusal) => check_response::write(refusal),
        Ok(check) => decided(worker, settings, check),
    };
    framed(&response)
}

/// Refuses a call, unread, for the reason `code`.
pub(in crate::service) fn refuse(worker: &WorkerState, code: &'static str) -> Reply {
    framed(&check_response::write(refuse_call(
        worker,
        Refusal::Unavailable,
        code,
    )))
}

/// The call that `request` is, or what is ruled where it is none.
async fn call(
    worker: &Rc<WorkerState>,
    request: Request<Incoming>,
) -> Result<CheckRequest, Ruling> {
    let body = match whole_body(worker, request, worker.limits().body).await {
        Ok(body) => body,
        Err(error) => {
            tracing::warn!(?error, "an ext_authz call did not arrive whole");
            let code = "ext-authz-call-incomplete";
            return Err(refuse_call(worker, Refusal::Unavailable, code));
        }
    };
    // A path or header that is not UTF-8 makes a call that cannot be read.
    let check = message(body).and_then(|message| CheckRequest::decode(message).ok());
    let code = "ext-authz-call-unreadable";
    check.ok_or_else(|| refuse_call(worker, Refusal::NotCanonical, code))
}

fn decided(
    worker: &WorkerState,
    settings: &ExtAuthzSettings,
    check: CheckRequest,
) -> CheckResponse {
    let is_plugins = matches!(settings.dialect, Dialect::OpaEnvoy { .. });
    let shown = is_plugins.then(|| check.clone());
    // The plugin's policies see joined headers in any case.
    match check_request::read(check, settings.joined_headers || is_plugins) {
        Ok(told) => trace::of_fields(&told.fields).in_scope(|| match shown {
            None => check_response::write(rule(worker, settings, &told)),
            Some(check) => opa_envoy::answer(worker, settings, check, &told),
        }),
        Err(untold) => {
            tracing::warn!(
                ?untold,
                "an ext_authz call tells of no request that can be decided"
            );
            let ruling = refuse_call(worker, Refusal::Unavailable, untold.code());
            check_response::write(ruling)
        }
    }
}

/// The one message of a unary call, uncompressed.
fn message(mut body: Bytes) -> Option<Bytes> {
    if body.len() < PREFIX || body.get_u8() != 0 {
        return None;
    }
    let length = usize::try_from(body.get_u32()).ok()?;
    (body.len() == length).then_some(body)
}

fn framed(response: &CheckResponse) -> Reply {
    let length = response.encoded_len();
    let mut message = Vec::with_capacity(PREFIX + length);
    message.push(0);
    message.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    message.extend(response.encode_to_vec());
    let trailers = HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("0"))]);
    let (parts, _) = reply::reply(StatusCode::OK, GRPC, Vec::new()).into_parts();
    Reply::from_parts(parts, Payload::from(message).ending_with(trailers))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_read_whole_or_not_at_all() {
        let body = |bytes: &'static [u8]| message(Bytes::from_static(bytes));
        assert_eq!(body(b"\0\0\0\0\x02ab").as_deref(), Some(&b"ab"[..]));
        assert_eq!(body(b"\0\0\0\0\0").as_deref(), Some(&b""[..]));
        for bytes in [
            &b""[..],
            b"\0\0\0\0",
            b"\x01\0\0\0\x02ab",
            b"\0\0\0\0\x03ab",
            b"\0\0\0\0\x01ab",
            b"\0\xff\xff\xff\xffab",
        ] {
            assert_eq!(body(bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(message) = message(bytes.into()) {
                let _ = CheckRequest::decode(message);
            }
        }
    }
}

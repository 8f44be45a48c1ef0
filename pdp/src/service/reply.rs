//! The few kinds of response there are, and the one table from refusal to status.
//!
//! A refusal is about the call (the standard's 4xx), never about the decision: a deny is a 200.

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::payload::Payload;

/// What every door answers with.
pub(super) type Reply = Response<Payload>;

/// Why a call is not answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The body is not a question; the text says why.
    BadRequest(String),
    /// No such path here.
    NotFound,
    /// No metadata here: without TLS nobody but `public_url` says by which `https` URL we are known.
    NoMetadata,
    /// The path exists, with this method.
    MethodNotAllowed(&'static str),
    /// The body is longer than it may be.
    TooLarge(usize),
    /// The body did not arrive in time.
    TooSlow,
    /// Nobody may: neither an admin token nor an operator is configured.
    NoAdministrators,
    /// The caller has not shown an admin token; the text says why its certificate does not let in.
    NotAuthenticated(String),
    /// Nothing is revoked under this id.
    NoSuchRevocation,
    /// The question is for another program than the one in force.
    AnotherProgram,
    /// There is no room for more; the text says of what.
    Full(String),
    /// It cannot be done now; the text says why.
    Unavailable(String),
    /// The caller asks for more than it may.
    TooMany,
    /// The PDP cannot name a decision, so it makes none.
    Broken,
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound | Self::NoMetadata | Self::NoSuchRevocation => StatusCode::NOT_FOUND,
            Self::NoAdministrators => StatusCode::FORBIDDEN,
            Self::NotAuthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::AnotherProgram => StatusCode::CONFLICT,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            Self::BadRequest(message) | Self::Full(message) | Self::Unavailable(message) => {
                message.clone()
            }
            Self::NoAdministrators => "nobody may revoke here: set `revocations.directory` and \
                 `revocations.admin_tokens_sha256` or `revocations.operators` in the PDP's configuration"
                .to_owned(),
            Self::NotAuthenticated(why) => format!(
                "show an admin token, `authorization: Bearer …`, or an operator's certificate: {why}"
            ),
            Self::NoSuchRevocation => "nothing is revoked under this id".to_owned(),
            Self::AnotherProgram => "another program is in force".to_owned(),
            Self::NotFound => "no such path".to_owned(),
            Self::NoMetadata => "no metadata: set `public_url`, or ask over TLS".to_owned(),
            Self::MethodNotAllowed(allowed) => format!("use {allowed}"),
            Self::TooLarge(limit) => format!("body is longer than {limit} bytes"),
            Self::TooMany => "more calls than `limits.rate` allows".to_owned(),
            Self::TooSlow => "body did not arrive in time".to_owned(),
            Self::Broken => "internal error".to_owned(),
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        // AuthZEN: the body of an error is a JSON string.
        let mut reply = json(refusal.status(), &refusal.message());
        if matches!(refusal, Refusal::NotAuthenticated(_)) {
            let scheme = HeaderValue::from_static("Bearer realm=\"edgeward\"");
            reply.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        if let Refusal::MethodNotAllowed(allowed) = refusal {
            reply
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(allowed));
        }
        reply
    }
}

/// `value` as JSON.
pub(super) fn json<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Reply {
    match serde_json::to_vec(value) {
        Ok(body) => reply(status, "application/json", body),
        Err(error) => {
            tracing::error!(%error, "response cannot be written");
            reply(
                StatusCode::INTERNAL_SERVER_ERROR,
                "application/json",
                Vec::new(),
            )
        }
    }
}

/// No content.
pub(super) fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Payload::default());
    *reply.status_mut() = status;
    reply
}

/// Bytes of a kind, which nobody may keep: answers are true at one instant.
pub(super) fn reply(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Reply {
    let mut reply = Response::new(Payload::from(body));
    *reply.status_mut() = status;
    reply
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

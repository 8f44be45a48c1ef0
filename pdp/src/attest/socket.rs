//! Serves the token of the moment on a Unix socket: `GET /token`, HTTP/1.1, JSON.
//!
//! Who may ask is who may open the socket: it is its owner's alone. What this is not: a way to a token that
//! was not asked for at the start.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use edgeward_core::time::UnixSeconds;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::exchange::Token;
use super::probe::Surroundings;

/// Connections that are served at once; more wait.
const MAX_CONNECTIONS: usize = 64;
/// The longest wait for the head of a request.
const HEAD: Duration = Duration::from_secs(5);

/// The token of the moment.
pub(crate) type Tokens = watch::Receiver<Option<Token>>;

/// Serves for ever.
pub(crate) async fn serve(listener: UnixListener, tokens: Tokens, audiences: Vec<String>) {
    let audiences: Arc<[String]> = audiences.into();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(seat) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let (tokens, audiences) = (tokens.clone(), Arc::clone(&audiences));
        connections.spawn(async move {
            serve_one(stream, tokens, audiences).await;
            drop(seat);
        });
    }
}

async fn serve_one(stream: UnixStream, tokens: Tokens, audiences: Arc<[String]>) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let token = tokens.borrow().clone();
        let (method, uri) = (request.method(), request.uri());
        let (path, query) = (uri.path(), uri.query().unwrap_or_default());
        let response = answer((method, path, query), token.as_ref(), &audiences);
        async move { Ok::<_, Infallible>(response) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended");
    }
}

fn answer(
    (method, path, query): (&Method, &str, &str),
    token: Option<&Token>,
    audiences: &[String],
) -> Response<Full<Bytes>> {
    if path != "/token" {
        let why = "there is only `/token`";
        return respond(StatusCode::NOT_FOUND, &refused("not_found", why));
    }
    if method != Method::GET {
        let body = refused("invalid_request", "ask by GET");
        let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, &body);
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET"));
        return response;
    }
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if name == "audience" && !audiences.iter().any(|ours| *ours == value) {
            let why =
                "the token was not asked for with this audience: see `edgeward attest --audience`";
            return respond(StatusCode::FORBIDDEN, &refused("invalid_target", why));
        }
    }
    let now = Surroundings::now();
    if let Some(token) = token.filter(|token| token.lifetime(now) > 0) {
        return respond(StatusCode::OK, &shown(token, now));
    }
    let why = "there is no token now: the log of `edgeward attest` says why";
    let body = refused("temporarily_unavailable", why);
    respond(StatusCode::SERVICE_UNAVAILABLE, &body)
}

/// A token for programs.
pub(crate) fn shown(token: &Token, now: UnixSeconds) -> Value {
    json!({
        "access_token": token.text,
        "token_type": token.scheme,
        "issued_token_type": token.issued_type,
        "audience": token.audiences,
        "expires_in": token.lifetime(now),
        "expires_at": token.expires_at.0,
    })
}

fn refused(error: &str, description: &str) -> Value {
    json!({ "error": error, "error_description": description })
}

fn respond(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!("{body}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

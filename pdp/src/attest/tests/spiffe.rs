//! The Workload API: a real gRPC server on a Unix socket, its messages written by hand.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::UnixListener;
use tokio::task::JoinSet;

use super::*;

/// A length-delimited field of protobuf, shorter than 128 bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    assert!(length < 128);
    [&[(number << 3) | 2, length], bytes].concat()
}

/// `JWTSVIDResponse { repeated JWTSVID svids = 1 }`, `JWTSVID { spiffe_id = 1; svid = 2 }`.
fn message(token: &str) -> Bytes {
    let svid = [
        field(1, b"spiffe://partner.test/w"),
        field(2, token.as_bytes()),
    ]
    .concat();
    let message = field(1, &svid);
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, &message].concat().into()
}

/// An agent that gives `token`, or ends with this status of gRPC.
fn agent(answer: Result<&'static str, u16>) -> (String, tempfile::TempDir, JoinSet<()>) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("agent.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.spawn(async move {
                let service = service_fn(move |request: Request<Incoming>| async move {
                    assert_eq!(request.uri().path(), "/SpiffeWorkloadAPI/FetchJWTSVID");
                    assert_eq!(request.headers()["workload.spiffe.io"], "true");
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let asked = String::from_utf8_lossy(&body).into_owned();
                    assert!(asked.contains(AUDIENCE), "{asked}");
                    let status = answer.err().unwrap_or(0);
                    let mut trailers = HeaderMap::new();
                    trailers.insert("grpc-status", status.into());
                    let data = answer.ok().map(|token| Frame::data(message(token)));
                    let frames = data.into_iter().chain([Frame::trailers(trailers)]);
                    let frames = frames.map(Ok::<_, Infallible>);
                    let body = StreamBody::new(futures_util::stream::iter(frames));
                    let response = Response::builder().header("content-type", "application/grpc");
                    Ok::<_, Infallible>(response.body(body).unwrap())
                });
                let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    (format!("unix:{}", socket.display()), directory, tasks)
}

#[tokio::test]
async fn the_agent_is_asked_for_a_jwt_svid_for_our_audience() {
    let (endpoint, _directory, _tasks) = agent(Ok("head.claims.sign"));
    let evidence = found(probe(Platform::Spiffe, &[("SPIFFE_ENDPOINT_SOCKET", &endpoint)]).await);
    assert_eq!(
        (evidence.text(), evidence.kind()),
        ("head.claims.sign", EvidenceType::Jwt)
    );
}

#[tokio::test]
async fn an_agent_that_denies_or_is_not_there_is_a_failure() {
    // PERMISSION_DENIED: nothing is registered for this workload.
    let (endpoint, _directory, _tasks) = agent(Err(7));
    let error = failed(probe(Platform::Spiffe, &[("SPIFFE_ENDPOINT_SOCKET", &endpoint)]).await);
    assert!(error.starts_with("SPIFFE Workload API: "), "{error}");
    for endpoint in ["unix:/nowhere/agent.sock", "ftp://x"] {
        failed(probe(Platform::Spiffe, &[("SPIFFE_ENDPOINT_SOCKET", endpoint)]).await);
    }
    let why = absent(probe(Platform::Spiffe, &[]).await);
    assert_eq!(why, "SPIFFE_ENDPOINT_SOCKET is not set");
}

//! Between Envoy and the PDP: passes every call on, keeps a copy of each evaluation asked, and
//! plays the broken PDP for the paths a test names. Sync and health pass untouched. Unless the
//! answer is to be late it knows whole questions only, as another vendor's PDP does, so that a test
//! sees all of what is asked.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use edgeward_core::decide::{DECIDE_PATH, read_questions};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::runtime;

type Body = BoxBody<Bytes, std::io::Error>;

/// What the PDP answers instead of its answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status with this body, as JSON.
    Answer(u16, Bytes),
    /// This content type with this body, status 200.
    Typed(&'static str, Bytes),
    /// The right answer, this late.
    Late(Duration),
    /// Half of an answer, then the stream breaks.
    Truncated,
    /// As the PDP answers, but this many bytes longer in a member of no meaning.
    Padded(usize),
}

/// A running tap.
#[derive(Debug, Clone)]
pub struct Tap {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pdp: Mutex<SocketAddr>,
    asked: Mutex<Vec<Value>>,
    faults: Mutex<HashMap<String, Fault>>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Tap {
    /// Starts on a free port, passing on to the PDP at `pdp`.
    pub fn start(pdp: SocketAddr) -> Self {
        let listener = runtime()
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            pdp: Mutex::new(pdp),
            asked: Mutex::default(),
            faults: Mutex::default(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        });
        runtime().spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared }
    }

    /// Where Envoy finds it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Passes on to another PDP from now on.
    pub fn redirect(&self, pdp: SocketAddr) {
        *self.shared.pdp.lock().expect("not poisoned") = pdp;
    }

    /// Answers evaluations whose path contains `part` with `fault`.
    pub fn break_for(&self, part: &str, fault: Fault) {
        self.shared
            .faults
            .lock()
            .expect("not poisoned")
            .insert(part.to_owned(), fault);
    }

    /// Answers every evaluation as the PDP does again.
    pub fn heal(&self, part: &str) {
        self.shared
            .faults
            .lock()
            .expect("not poisoned")
            .remove(part);
    }

    /// Every evaluation asked so far whose path contains `part`.
    pub fn asked(&self, part: &str) -> Vec<Value> {
        let asked = self.shared.asked.lock().expect("not poisoned");
        asked
            .iter()
            .filter(|question| path_of(question).contains(part))
            .cloned()
            .collect()
    }
}

/// The path an evaluation asks about.
fn path_of(question: &Value) -> &str {
    question["resource"]["properties"]["path"]
        .as_str()
        .unwrap_or_default()
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, Infallible>(answer(request, &shared).await) }
            });
            let mut builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            builder.http2().max_concurrent_streams(4096);
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(request: Request<Incoming>, shared: &Shared) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return reply(502, "application/json", Bytes::new());
    };
    let body = body.to_bytes();
    let mut fault = None;
    if head.uri.path() == DECIDE_PATH {
        return answer_short(head, body, shared).await;
    }
    if head.uri.path() == "/access/v1/evaluation" {
        let question: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let path = path_of(&question).to_owned();
        shared.asked.lock().expect("not poisoned").push(question);
        let faults = shared.faults.lock().expect("not poisoned");
        fault = faults
            .iter()
            .find(|(part, _)| path.contains(*part))
            .map(|(_, fault)| fault.clone());
    }
    match fault {
        None => pass_on(head, body, shared).await,
        Some(Fault::Answer(status, body)) => reply(status, "application/json", body),
        Some(Fault::Typed(kind, body)) => reply(200, kind, body),
        Some(Fault::Late(delay)) => {
            tokio::time::sleep(delay).await;
            pass_on(head, body, shared).await
        }
        Some(Fault::Truncated) => truncated(),
        Some(Fault::Padded(bytes)) => pad(pass_on(head, body, shared).await, bytes).await,
    }
}

/// To questions in the short form only where the answers to all are to be late alike: else the whole are wanted,
/// so that one test's patience is not another's.
async fn answer_short(head: http::request::Parts, body: Bytes, shared: &Shared) -> Response<Body> {
    let questions = read_questions(&body).unwrap_or_default();
    let mut questions: Vec<_> = questions.into_iter().map(|asked| asked.input).collect();
    let paths: Vec<String> = questions.iter().map(segments_of).collect();
    let delay = {
        let faults = shared.faults.lock().expect("not poisoned");
        let late = |path: &String| {
            let fault = faults.iter().find(|(part, _)| path.contains(*part));
            match fault {
                Some((_, Fault::Late(delay))) => Some(*delay),
                _ => None,
            }
        };
        let first = paths.first().and_then(late);
        first.filter(|first| paths.iter().all(|path| late(path) == Some(*first)))
    };
    let Some(delay) = delay else {
        return reply(404, "application/json", Bytes::new());
    };
    for (question, path) in questions.iter_mut().zip(paths) {
        question["resource"]["properties"]["path"] = path.into();
    }
    shared.asked.lock().expect("not poisoned").extend(questions);
    tokio::time::sleep(delay).await;
    pass_on(head, body, shared).await
}

/// The path as its segments tell it: a projection may have no other.
fn segments_of(question: &Value) -> String {
    let segments = &question["resource"]["properties"]["segments"];
    let segments = segments.as_array().into_iter().flatten();
    segments.fold(String::new(), |path, segment| {
        path + "/" + segment.as_str().unwrap_or_default()
    })
}

/// The call as it came, made of the PDP; 502 when it cannot be reached.
async fn pass_on(head: http::request::Parts, body: Bytes, shared: &Shared) -> Response<Body> {
    let pdp = *shared.pdp.lock().expect("not poisoned");
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = head.method;
    *request.uri_mut() = format!("http://{pdp}{path}").parse().expect("a URI");
    *request.headers_mut() = head.headers;
    request.headers_mut().remove(http::header::HOST);
    match shared.client.request(request).await {
        Ok(response) => {
            let (mut head, body) = response.into_parts();
            head.headers.remove(http::header::TRANSFER_ENCODING);
            head.version = http::Version::HTTP_11;
            Response::from_parts(head, body.map_err(std::io::Error::other).boxed())
        }
        Err(error) => {
            eprintln!("tap: {pdp}{path}: {error:?}");
            reply(502, "application/json", Bytes::from_static(b"{}"))
        }
    }
}

fn reply(status: u16, kind: &str, body: Bytes) -> Response<Body> {
    let body = Full::new(body).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    let kind = kind.parse().expect("a content type");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, kind);
    response
}

fn truncated() -> Response<Body> {
    let frames = [
        Ok(Frame::data(Bytes::from_static(
            br#"{"decision":true,"context":{"id":"#,
        ))),
        Err(std::io::Error::other("broken on purpose")),
    ];
    let body = StreamBody::new(futures_util::stream::iter(frames)).boxed();
    let mut response = Response::new(body);
    let kind = http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, kind);
    response
}

async fn pad(response: Response<Body>, bytes: usize) -> Response<Body> {
    let body = response
        .into_body()
        .collect()
        .await
        .map(|body| body.to_bytes());
    let mut answer: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    answer["context"]["padding"] = Value::String("x".repeat(bytes));
    reply(200, "application/json", answer.to_string().into())
}

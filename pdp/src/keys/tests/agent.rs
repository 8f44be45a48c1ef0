//! The Workload API: a real gRPC server on a Unix socket, its messages written by hand.

use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use edgeward_core::token::TokenRules;
use http::{HeaderMap, Request, Response};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::UnixListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::{accepts_svid, audiences, eventually, last_error, signer, status};
use crate::crypto::{KeyPurpose, Signer};
use crate::keys::{BundleSource, KeySettings, Keyring, TrustDomainSettings};

const WORKLOAD: &str = "spiffe://example.org/w";

/// What the agent streams: messages, and a gRPC status to end with.
#[derive(Clone)]
enum Say {
    Bundles(Vec<(&'static str, String)>),
    Status(u16),
}

/// Length-delimited protobuf: `JWTBundlesResponse { map<string, bytes> bundles = 1 }`.
fn message(bundles: &[(&str, String)]) -> Bytes {
    let field = |number: u8, bytes: &[u8]| {
        let mut field = vec![(number << 3) | 2];
        let mut length = bytes.len();
        while length >= 0x80 {
            field.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        field.push(u8::try_from(length).unwrap());
        field.extend_from_slice(bytes);
        field
    };
    let entries: Vec<u8> = bundles
        .iter()
        .flat_map(|(name, jwks)| {
            field(
                1,
                &[field(1, name.as_bytes()), field(2, jwks.as_bytes())].concat(),
            )
        })
        .collect();
    let mut framed = vec![0];
    framed.extend_from_slice(&u32::try_from(entries.len()).unwrap().to_be_bytes());
    framed.extend_from_slice(&entries);
    framed.into()
}

struct Stream(mpsc::UnboundedReceiver<Frame<Bytes>>);

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|frame| frame.map(Ok))
    }
}

/// Answers `FetchJWTBundles` with the present state and every later one.
fn answer(request: &Request<Incoming>, mut says: watch::Receiver<Say>) -> Response<Stream> {
    assert_eq!(request.uri().path(), "/SpiffeWorkloadAPI/FetchJWTBundles");
    assert_eq!(request.headers()["workload.spiffe.io"], "true");
    let (frames, stream) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let say = says.borrow_and_update().clone();
            let frame = match &say {
                Say::Bundles(bundles) => Frame::data(message(bundles)),
                Say::Status(status) => {
                    let mut trailers = HeaderMap::new();
                    trailers.insert("grpc-status", (*status).into());
                    Frame::trailers(trailers)
                }
            };
            let over = matches!(say, Say::Status(_));
            if frames.send(frame).is_err() || over || says.changed().await.is_err() {
                return;
            }
        }
    });
    let mut response = Response::new(Stream(stream));
    response
        .headers_mut()
        .insert("content-type", "application/grpc".parse().unwrap());
    response
}

struct Agent {
    says: watch::Sender<Say>,
    socket: PathBuf,
    _directory: tempfile::TempDir,
    _tasks: JoinSet<()>,
}

impl Agent {
    fn start(say: Say) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("agent.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let (says, heard) = watch::channel(say);
        let heard = Arc::new(heard);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let heard = Arc::clone(&heard);
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let heard = heard.as_ref().clone();
                        async move { Ok::<_, Infallible>(answer(&request, heard)) }
                    });
                    let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            says,
            socket,
            _directory: directory,
            _tasks: tasks,
        }
    }

    fn keyring(&self) -> Keyring {
        let endpoint = format!("unix://{}", self.socket.display());
        let settings = KeySettings {
            trust_domains: vec![TrustDomainSettings {
                name: "example.org".parse().unwrap(),
                rules: TokenRules::for_trust_domain(audiences()),
                source: BundleSource::WorkloadApi { endpoint },
            }],
            ..KeySettings::default()
        };
        Keyring::open(settings).unwrap()
    }
}

/// As agents send it: `use` is left out.
fn bundle(key: &Signer) -> String {
    let mut jwk = key.public_jwk(KeyPurpose::JwtSvid);
    jwk.remove("use");
    json!({"keys": [jwk]}).to_string()
}

#[tokio::test]
async fn bundles_of_the_agent_are_followed_as_they_change() {
    let (old, new, foreign) = (signer("old"), signer("new"), signer("foreign"));
    let both = |key: &Signer| {
        Say::Bundles(vec![
            ("spiffe://other.org", bundle(&foreign)),
            ("spiffe://example.org", bundle(key)),
        ])
    };
    let agent = Agent::start(both(&old));
    let keyring = agent.keyring();
    let _tasks = keyring.start();
    eventually("the first bundle", || {
        accepts_svid(&keyring, WORKLOAD, &old)
    })
    .await;
    assert!(!accepts_svid(&keyring, WORKLOAD, &foreign));
    agent.says.send_replace(both(&new));
    eventually("the new key", || accepts_svid(&keyring, WORKLOAD, &new)).await;
    assert!(!accepts_svid(&keyring, WORKLOAD, &old));

    // What a message leaves out is revoked.
    agent
        .says
        .send_replace(Say::Bundles(vec![("spiffe://other.org", bundle(&foreign))]));
    eventually("the end", || !accepts_svid(&keyring, WORKLOAD, &new)).await;
    agent.says.send_replace(both(&new));
    eventually("the return", || accepts_svid(&keyring, WORKLOAD, &new)).await;
}

#[tokio::test]
async fn a_denial_takes_the_keys_back_but_an_outage_does_not() {
    let key = signer("k");
    let good = Say::Bundles(vec![("spiffe://example.org", bundle(&key))]);
    let agent = Agent::start(good.clone());
    let keyring = agent.keyring();
    let _tasks = keyring.start();
    eventually("keys", || accepts_svid(&keyring, WORKLOAD, &key)).await;
    // 14 is Unavailable, 7 is PermissionDenied.
    agent.says.send_replace(Say::Status(14));
    eventually("an error", || !last_error(&keyring).is_empty()).await;
    assert!(accepts_svid(&keyring, WORKLOAD, &key));
    agent.says.send_replace(Say::Status(7));
    eventually("the denial", || !accepts_svid(&keyring, WORKLOAD, &key)).await;
    agent.says.send_replace(good);
    eventually("the return", || accepts_svid(&keyring, WORKLOAD, &key)).await;
}

#[tokio::test]
async fn a_command_asks_the_agent_once() {
    let key = signer("k");
    let agent = Agent::start(Say::Bundles(vec![("spiffe://example.org", bundle(&key))]));
    let keyring = agent.keyring();
    keyring.fetch_all().await;
    assert!(accepts_svid(&keyring, WORKLOAD, &key));
    agent.says.send_replace(Say::Status(7));
    keyring.fetch_all().await;
    assert!(!accepts_svid(&keyring, WORKLOAD, &key));
    assert_eq!(status(&keyring).keys, 0);
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_a_named_error() {
    let agent = Agent::start(Say::Status(14));
    std::fs::remove_file(&agent.socket).unwrap();
    let keyring = agent.keyring();
    keyring.fetch_all().await;
    assert!(
        last_error(&keyring).contains("Workload API"),
        "{}",
        last_error(&keyring)
    );
    assert!(!keyring.is_ready());
}

//! A server of one policy bundle over https, with what OPA's clients know: `ETag` and 304, waiting for
//! news (`Prefer: wait=…`), deltas (`Prefer: modes=…`), and a bearer token that it wants to see.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use aws_lc_rs::digest;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::ca::{Authority, Leaf};
use crate::{https, runtime};

/// The token that it wants to see.
pub const TOKEN: &str = "s3cret-of-the-bundle-server";

/// The path of the bundle.
const RESOURCE: &str = "bundles/authz.tar.gz";

/// The type by which it says that it lets askers wait.
const AWAITED: &str = "application/vnd.openpolicyagent.bundles";

/// What is served.
#[derive(Clone)]
struct Published {
    whole: Bytes,
    /// For those who have the bundle of this tag and take deltas.
    delta: Option<(String, Bytes)>,
}

/// A server that runs, or was killed and can run again at the same address.
pub struct BundleServer {
    address: SocketAddr,
    leaf: Leaf,
    bundle: watch::Sender<Published>,
    requests: watch::Sender<Vec<HeaderMap>>,
    folder: TempDir,
    running: Option<JoinHandle<()>>,
}

impl BundleServer {
    /// Starts on a free port, serving `bundle`.
    pub fn start(bundle: Vec<u8>) -> Self {
        let authority = Authority::new("bundles.test");
        let folder = TempDir::with_prefix("edgeward-bundles").expect("a temporary folder");
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("a file is written");
        std::fs::write(folder.path().join("token"), format!("{TOKEN}\n")).expect("a token");
        let leaf = authority.issue(&["spiffe://bundles.test/server"]);
        let mut server = Self {
            address: crate::pdp::free_address(),
            leaf,
            bundle: watch::Sender::new(Published {
                whole: bundle.into(),
                delta: None,
            }),
            requests: watch::Sender::new(Vec::new()),
            folder,
            running: None,
        };
        server.run();
        server
    }

    /// Runs (again), at the same address.
    pub fn run(&mut self) {
        let listener = runtime()
            .block_on(TcpListener::bind(self.address))
            .expect("the address is free");
        let (bundle, requests) = (self.bundle.clone(), self.requests.clone());
        let answered = move |request: Request<Incoming>| {
            requests.send_modify(|seen| seen.push(request.headers().clone()));
            let bundle = bundle.subscribe();
            async move { answer(&request, bundle).await }
        };
        self.running = Some(https::serve(listener, &self.leaf, answered));
    }

    /// Kills it, with all that is asked of it.
    pub fn crash(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            let _ = runtime().block_on(running);
        }
    }

    /// Where the bundle is.
    pub fn url(&self) -> String {
        let (origin, resource) = self.url_in_two();
        format!("{origin}/{resource}")
    }

    /// The same as OPA's configuration has it: the service, and the resource there.
    pub fn url_in_two(&self) -> (String, &'static str) {
        let origin = format!("https://localhost:{}", self.address.port());
        (origin, RESOURCE)
    }

    /// The authority that vouches for this server.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A file with the token that it wants to see.
    pub fn token_file(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    /// Serves `bundle` from now on.
    pub fn publish(&self, bundle: Vec<u8>) {
        self.bundle.send_replace(Published {
            whole: bundle.into(),
            delta: None,
        });
    }

    /// Serves `whole` from now on: as `delta` to those who have what was served before and take deltas.
    pub fn publish_change(&self, whole: Vec<u8>, delta: Vec<u8>) {
        let base = tag_of(&self.bundle.borrow().whole);
        self.bundle.send_replace(Published {
            whole: whole.into(),
            delta: Some((base, delta.into())),
        });
    }

    /// The headers of every request so far.
    pub fn requests(&self) -> Vec<HeaderMap> {
        self.requests.borrow().clone()
    }
}

async fn answer(
    request: &Request<Incoming>,
    mut bundle: watch::Receiver<Published>,
) -> Response<Full<Bytes>> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let reply = |status, tag: &str, body| {
        Response::builder()
            .status(status)
            .header("etag", tag)
            .header("content-type", AWAITED)
            .body(Full::new(body))
            .expect("a response")
    };
    if header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return reply(StatusCode::UNAUTHORIZED, "", Bytes::new());
    }
    let prefer = header("prefer").unwrap_or_default();
    let wait = prefer.split_once("wait=");
    let wait = wait.and_then(|(_, seconds)| seconds.parse().ok());
    let takes_deltas = prefer.split(';').any(|part| part == "modes=snapshot,delta");
    let known = header("if-none-match");
    let news = |current: &Published| {
        let tag = tag_of(&current.whole);
        let delta = current.delta.as_ref().filter(|_| takes_deltas);
        match delta.filter(|(base, _)| known == Some(base)) {
            Some((_, delta)) => reply(StatusCode::OK, &tag, delta.clone()),
            None => reply(StatusCode::OK, &tag, current.whole.clone()),
        }
    };
    let current = bundle.borrow_and_update().clone();
    let tag = tag_of(&current.whole);
    if known != Some(&tag) {
        return news(&current);
    }
    let wait = Duration::from_secs(wait.unwrap_or_default());
    match tokio::time::timeout(wait, bundle.changed()).await {
        Ok(Ok(())) => news(&bundle.borrow()),
        _ => reply(StatusCode::NOT_MODIFIED, &tag, Bytes::new()),
    }
}

fn tag_of(bundle: &Bytes) -> String {
    let digest = digest::digest(&digest::SHA256, bundle);
    format!("\"{}\"", crate::mint::encode(digest))
}

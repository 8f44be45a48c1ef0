//! A server of keys over https, as an issuer or a bundle endpoint has one: it publishes what it is
//! told to, counts who comes for it, and says nothing of when to come again.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use crate::ca::Authority;
use crate::runtime;

/// A running server of one document. It serves until the test process ends.
#[derive(Debug)]
pub struct Issuer {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    serving: AbortHandle,
    folder: TempDir,
}

#[derive(Debug)]
struct Shared {
    document: Value,
    fetches: u64,
    is_down: bool,
}

impl Issuer {
    /// Starts on a free port, publishing `document`.
    pub fn start(document: Value) -> Self {
        let authority = Authority::new("issuer.test");
        let folder = TempDir::with_prefix("edgeward-issuer").expect("a temporary folder");
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("a file is written");
        let server = authority.issue(&["spiffe://issuer.test/keys"]);
        let acceptor = TlsAcceptor::from(Arc::new(server.server_config()));
        let listener = runtime()
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Mutex::new(Shared {
            document,
            fetches: 0,
            is_down: false,
        }));
        let serving = runtime().spawn(accept(listener, acceptor, Arc::clone(&shared)));
        Self {
            address,
            shared,
            serving: serving.abort_handle(),
            folder,
        }
    }

    /// Where the document is.
    pub fn url(&self) -> String {
        format!("https://localhost:{}/keys", self.address.port())
    }

    /// The authority that vouches for this server.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Publishes `document` from now on.
    pub fn publish(&self, document: Value) {
        self.shared.lock().expect("not poisoned").document = document;
    }

    /// Answers with 503 from now on (`true`), or as before.
    pub fn set_down(&self, down: bool) {
        self.shared.lock().expect("not poisoned").is_down = down;
    }

    /// Answers no new connection any more.
    pub fn stop(&self) {
        self.serving.abort();
    }

    /// How often the document was fetched.
    pub fn fetches(&self) -> u64 {
        self.shared.lock().expect("not poisoned").fetches
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Mutex<Shared>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = service_fn(move |_| {
                let answer = answer(&shared);
                async move { Ok::<_, Infallible>(answer) }
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn answer(shared: &Mutex<Shared>) -> Response<Full<Bytes>> {
    let mut shared = shared.lock().expect("not poisoned");
    shared.fetches += 1;
    let mut response = Response::new(Full::new(shared.document.to_string().into()));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    if shared.is_down {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

//! A real TLS server that says what the test wants, also what no proper server would say.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::fetch::{Plaintext, SourceUrl};

/// What is said for one path: the bytes of a whole HTTP/1.1 answer, in two parts with a pause.
#[derive(Clone, Default)]
pub(super) struct Reply {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
    /// Before anything is said.
    pub(super) pause: Duration,
}

impl Reply {
    pub(super) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::ok(body, "content-type: application/json\r\n")
    }

    pub(super) fn ok(body: impl Into<Vec<u8>>, headers: &str) -> Self {
        Self::status(200, body, headers)
    }

    pub(super) fn status(status: u16, body: impl Into<Vec<u8>>, headers: &str) -> Self {
        let body = body.into();
        let length = body.len();
        Self::raw(
            &format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n"),
            body,
        )
    }

    pub(super) fn redirect(status: u16, location: &str) -> Self {
        Self::status(status, "", &format!("location: {location}\r\n"))
    }

    pub(super) fn raw(head: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            head: head.to_owned(),
            body: body.into(),
            pause: Duration::ZERO,
        }
    }

    pub(super) fn after(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }
}

#[derive(Default)]
struct Script {
    replies: BTreeMap<String, Reply>,
    hits: BTreeMap<String, usize>,
}

/// The server; dropping it closes everything.
pub(super) struct TestServer {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    config: Arc<Mutex<Arc<ServerConfig>>>,
    _tasks: JoinSet<()>,
}

impl TestServer {
    pub(super) async fn start(config: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let config = Arc::new(Mutex::new(Arc::new(config)));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&script), Arc::clone(&config)));
        Self {
            address,
            script,
            config,
            _tasks: tasks,
        }
    }

    pub(super) fn say(&self, path: &str, reply: Reply) {
        self.script
            .lock()
            .unwrap()
            .replies
            .insert(path.to_owned(), reply);
    }

    /// Shows another certificate from now on.
    pub(super) fn become_server(&self, config: ServerConfig) {
        *self.config.lock().unwrap() = Arc::new(config);
    }

    pub(super) fn hits(&self, path: &str) -> usize {
        self.script
            .lock()
            .unwrap()
            .hits
            .get(path)
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn origin(&self) -> String {
        format!("https://{}", self.address)
    }

    pub(super) fn url(&self, path: &str) -> SourceUrl {
        SourceUrl::parse(&format!("{}{path}", self.origin()), Plaintext::Refused).unwrap()
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }
}

async fn serve(
    listener: TcpListener,
    script: Arc<Mutex<Script>>,
    config: Arc<Mutex<Arc<ServerConfig>>>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = TlsAcceptor::from(Arc::clone(&config.lock().unwrap()));
        let script = Arc::clone(&script);
        connections.spawn(async move {
            // A client that refuses the certificate is what some tests want.
            if let Ok(stream) = acceptor.accept(stream).await {
                answer(stream, &script).await;
            }
        });
    }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, script: &Mutex<Script>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let reply = {
        let mut script = script.lock().unwrap();
        *script.hits.entry(path.clone()).or_default() += 1;
        let missing = || Reply::status(404, "", "");
        script.replies.get(&path).cloned().unwrap_or_else(missing)
    };
    tokio::time::sleep(reply.pause).await;
    // The client may be gone by now, which is fine.
    let _ = stream.write_all(reply.head.as_bytes()).await;
    let _ = stream.write_all(&reply.body).await;
    let _ = stream.shutdown().await;
}

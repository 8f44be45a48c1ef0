//! A PDP on a port of its own, and a client so plain that it can misbehave.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::fixtures::{copy, key_settings, write_decision};
use crate::atoms::{AtomSettings, Atoms};
use crate::cache::{CacheSettings, DecisionCache};
use crate::config::DEFAULT_ENTRYPOINT;
use crate::keys::Keyring;
use crate::policy::{PolicySettings, PolicyStore};
use crate::revocation::{Lifetimes, RevocationStore};
use crate::service::metrics::Metrics;
use crate::service::{
    Administrators, BoundAddress, Ended, Limits, ListenAddress, Listener, Searches, ServeError,
    ServiceSettings, ServiceState, bind,
};

pub(super) struct Pdp {
    pub(super) folder: TempDir,
    pub(super) store: Arc<PolicyStore>,
    pub(super) revocations: Arc<RevocationStore>,
    pub(super) addresses: Vec<BoundAddress>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<Ended, ServeError>>>,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
    pub(super) bytes: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

pub(super) fn settings() -> ServiceSettings {
    let address = ListenAddress::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)));
    ServiceSettings {
        listeners: vec![Listener::plain(address)],
        admin: None,
        workers: NonZeroUsize::new(2).unwrap(),
        limits: Limits {
            body: 64 * 1024,
            connections: 64,
            head_timeout: Duration::from_millis(400),
            request_timeout: Duration::from_millis(800),
            idle_timeout: Duration::from_mins(1),
            drain: Duration::from_secs(2),
            ..Limits::default()
        },
        cache: CacheSettings::default(),
        sync_max_wait: Duration::from_millis(500),
        public_url: None,
        administrators: Administrators::default(),
        ext_authz: None,
        opa_api: None,
        searches: Searches::default(),
    }
}

impl Pdp {
    /// With the example policies.
    pub(super) fn start(settings: ServiceSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies"),
            folder.path(),
        );
        Self::start_in(folder, settings)
    }

    /// With one policy, whose entry point is `decision`.
    pub(super) fn deciding(decision: &str) -> Self {
        Self::deciding_with(decision, settings())
    }

    /// The same, with these settings.
    pub(super) fn deciding_with(decision: &str, settings: ServiceSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_decision(folder.path(), decision);
        Self::start_in(folder, settings)
    }

    /// The same, told atoms by these settings.
    pub(super) fn deciding_by(decision: &str, atoms: &AtomSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_decision(folder.path(), decision);
        let atoms = Atoms::open(atoms).unwrap();
        Self::start_with(folder, settings(), atoms, DEFAULT_ENTRYPOINT)
    }

    fn start_in(folder: TempDir, settings: ServiceSettings) -> Self {
        let atoms = Atoms::open(&AtomSettings::default()).unwrap();
        Self::start_with(folder, settings, atoms, DEFAULT_ENTRYPOINT)
    }

    pub(super) fn start_with(
        folder: TempDir,
        settings: ServiceSettings,
        atoms: Atoms,
        entry_point: &str,
    ) -> Self {
        let store = Arc::new(
            PolicyStore::open(PolicySettings {
                directory: Some(folder.path().to_owned()),
                entry_point: entry_point.to_owned(),
                // A loaded machine may take a test's thread away for longer than the default.
                evaluation_timeout: Duration::from_secs(1),
                ..PolicySettings::default()
            })
            .unwrap(),
        );
        let keys = Arc::new(Keyring::open(key_settings(folder.path())).unwrap());
        let cache = Arc::new(DecisionCache::new(&settings.cache));
        let metrics = Metrics::new(store.subscribe(), keys.clone(), cache.clone());
        let (keyring, now) = (keys.clone(), crate::service::clock::now());
        let kept = folder.path().join(".revocations");
        let revocations = RevocationStore::open(&kept, Lifetimes::default(), now);
        let revocations = Arc::new(revocations.unwrap());
        let state = ServiceState {
            atoms: Arc::new(atoms),
            policies: store.subscribe(),
            keys,
            cache,
            revocations: revocations.clone(),
            bundles: None,
            token_service: None,
            inventory: None,
            metrics: Arc::new(metrics),
        };
        let bound = bind(settings, state).unwrap();
        let addresses = bound.addresses().to_vec();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let _tasks = keyring.start();
                bound
                    .serve(async {
                        let _ = stopped.await;
                    })
                    .await
            })
        });
        let pdp = Self {
            folder,
            store,
            revocations,
            addresses,
            stop: Some(stop),
            thread: Some(thread),
        };
        for _ in 0..500 {
            let BoundAddress::Tcp(address) = &pdp.addresses[0] else {
                break;
            };
            let mut stream = TcpStream::connect(address).unwrap();
            let hello = b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
            stream.write_all(hello).unwrap();
            let mut answer = Vec::new();
            if stream.read_to_end(&mut answer).is_ok() && !answer.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        pdp
    }

    pub(super) fn address(&self) -> SocketAddr {
        match &self.addresses[0] {
            BoundAddress::Tcp(address) => *address,
            BoundAddress::Unix(path) => panic!("{}", path.display()),
        }
    }

    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        exchange(self.connect(), "GET", path, &[], b"")
    }

    pub(super) fn ask(&self, body: &str) -> Answer {
        self.post(&[("content-type", "application/json")], body.as_bytes())
    }

    pub(super) fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        exchange(
            self.connect(),
            "POST",
            "/access/v1/evaluation",
            headers,
            body,
        )
    }

    /// Stops it and starts another where it was.
    pub(super) fn restart(mut self, settings: ServiceSettings) -> Self {
        self.stop();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        drop(self);
        Self::start_in(folder, settings)
    }

    /// Stops it; the drain has its deadline.
    pub(super) fn stop(&mut self) -> Ended {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap().unwrap()
    }

    pub(super) fn begin_stop(&mut self) {
        drop(self.stop.take());
    }
}

impl Drop for Pdp {
    fn drop(&mut self) {
        if self.thread.is_some() && !std::thread::panicking() {
            self.stop();
        }
    }
}

/// One request on a stream of its own.
pub(super) fn exchange(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let headers: Vec<String> = headers
        .iter()
        .map(|(n, v)| format!("{n}: {v}\r\n"))
        .collect();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: pdp.test\r\nconnection: close\r\ncontent-length: {}\r\n{}\r\n",
        body.len(),
        headers.concat()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // An oversize body is refused before it is read: the rest may meet a closed connection.
    let _ = stream.write_all(body);
    read_answer(&mut stream)
}

/// Everything until the peer closes.
pub(super) fn read_answer(stream: &mut impl Read) -> Answer {
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(length) => bytes.extend_from_slice(&chunk[..length]),
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let begin = head.len() + 4;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
        bytes: bytes.get(begin..).unwrap_or_default().to_vec(),
    }
}

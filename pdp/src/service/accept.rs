//! The accept loop of one listener on one worker.
//!
//! An accept error never ends it and never spins; above the connection limit a newcomer is closed
//! at once, so that its PEP fails fast instead of waiting.

use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection;
use super::listen::Listening;
use super::router::{Arrival, Role};
use super::throttle::Caller;
use super::worker::WorkerState;

const BACKOFF_MIN: Duration = Duration::from_millis(5);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener),
}

enum Stream {
    Tcp(tokio::net::TcpStream, IpAddr),
    Unix(tokio::net::UnixStream),
}

/// A listener of this worker and what its connections are for.
pub(super) struct Door {
    pub(super) listening: Listening,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) role: Role,
}

/// Accepts until `stop`; returns the connections that are still open.
pub(super) async fn run(
    door: Door,
    worker: Rc<WorkerState>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<JoinSet<()>> {
    let acceptor = match door.listening {
        Listening::Tcp(listener) => Acceptor::Tcp(TcpListener::from_std(listener)?),
        Listening::Unix(listener) => Acceptor::Unix(UnixListener::from_std(listener)?),
    };
    let arrival = Arrival {
        role: door.role,
        tls: door.tls.is_some(),
        client: None,
        caller: Caller::Local,
    };
    let mut connections = JoinSet::new();
    let mut backoff = BACKOFF_MIN;
    let connection_stop = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = acceptor.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return Ok(connections),
        };
        while connections.try_join_next().is_some() {}
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) if is_the_peers_fault(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, ?backoff, "cannot accept, waiting");
                tokio::time::sleep(backoff).await;
                backoff = (backoff * 2).min(BACKOFF_MAX);
                continue;
            }
        };
        backoff = BACKOFF_MIN;
        let Some(slot) = worker.take_slot() else {
            continue;
        };
        let (tls, worker, stop) = (door.tls.clone(), worker.clone(), connection_stop.clone());
        let mut arrival = arrival.clone();
        connections.spawn_local(async move {
            match stream {
                Stream::Tcp(stream, address) => {
                    arrival.caller = Caller::at(Some(address));
                    connection::serve(stream, tls, arrival, worker, stop).await;
                }
                Stream::Unix(stream) => connection::serve(stream, tls, arrival, worker, stop).await,
            }
            drop(slot);
        });
    }
}

impl Acceptor {
    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // A decision is one small write; waiting to fill a segment only delays it.
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream, address.ip()))
            }
            Self::Unix(listener) => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }
}

fn is_the_peers_fault(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NotConnected
            | io::ErrorKind::InvalidInput
    )
}

//! Sockets: opened, shared among workers, cleaned up.
//!
//! TCP listeners are one per worker with `SO_REUSEPORT`, so that the kernel spreads connections.
//! A Unix socket is one, accepted on by all. This file accepts nothing.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use socket2::{Domain, Protocol, SockAddr, Type};
use thiserror::Error;

use super::router::Role;

/// Connections the kernel keeps while nobody accepts.
const BACKLOG: i32 = 1024;

/// One place to listen.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Where.
    pub address: ListenAddress,
    /// TLS, and with client authorities in it mTLS; see [`super::tls::load`].
    pub tls: Option<Arc<ServerConfig>>,
    /// Whether it is for workloads of other trust domains, and so for the token service alone.
    pub is_for_tokens: bool,
}

impl Listener {
    /// Without TLS.
    pub fn plain(address: ListenAddress) -> Self {
        Self {
            address,
            tls: None,
            is_for_tokens: false,
        }
    }
}

/// An address of either family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// TCP; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix {
        /// Its path.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

/// Why a listener cannot be opened.
#[derive(Debug, Error)]
pub enum BindError {
    /// The system refused.
    #[error("cannot listen on {address}: {source}")]
    Refused {
        /// As configured.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another process serves the Unix socket.
    #[error("cannot listen on {}: another process serves this socket", .0.display())]
    SocketInUse(PathBuf),
    /// The path of the Unix socket is taken by something that is not ours to remove.
    #[error("cannot listen on {}: the path exists and is not a socket: remove it or choose another path", .0.display())]
    NotASocket(PathBuf),
}

/// Where a listener really listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoundAddress {
    /// TCP, with the port the system chose.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for BoundAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// One listener of one worker.
#[derive(Debug)]
pub(super) enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// One configured listener, as many times as there are workers.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) address: BoundAddress,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) role: Role,
    pub(super) listening: Vec<Listening>,
    cleanup: Option<SocketFile>,
}

impl Socket {
    pub(super) fn open(
        address: &ListenAddress,
        tls: Option<Arc<ServerConfig>>,
        role: Role,
        workers: NonZeroUsize,
    ) -> Result<Self, BindError> {
        let (address, listening, cleanup) = match address {
            ListenAddress::Tcp(address) => {
                let refused = |source| BindError::Refused {
                    address: address.to_string(),
                    source,
                };
                let (bound, listening) = open_tcp(*address, workers).map_err(refused)?;
                (BoundAddress::Tcp(bound), listening, None)
            }
            ListenAddress::Unix { path, mode } => {
                make_way(path)?;
                let refused = |source| BindError::Refused {
                    address: path.display().to_string(),
                    source,
                };
                let (listening, file) = open_unix(path, *mode, workers).map_err(refused)?;
                (BoundAddress::Unix(path.clone()), listening, Some(file))
            }
        };
        Ok(Self {
            address,
            tls,
            role,
            listening,
            cleanup,
        })
    }

    /// Takes the listeners out, one a worker, and leaves what removes the socket file at the end.
    pub(super) fn into_parts(self) -> (Vec<Listening>, Option<SocketFile>) {
        (self.listening, self.cleanup)
    }
}

fn open_tcp(
    address: SocketAddr,
    workers: NonZeroUsize,
) -> io::Result<(SocketAddr, Vec<Listening>)> {
    // With SO_REUSEPORT a second PDP would share the port in silence. Without it the system says
    // that the port is taken.
    if address.port() != 0 {
        drop(tcp(address, false)?);
    }
    let first = tcp(address, true)?;
    let bound = first.local_addr()?;
    let mut listening = vec![Listening::Tcp(first)];
    for _ in 1..workers.get() {
        listening.push(Listening::Tcp(tcp(bound, true)?));
    }
    Ok((bound, listening))
}

fn tcp(address: SocketAddr, reuse_port: bool) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(reuse_port)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A socket file that nobody serves is left over from a PDP that was killed.
fn make_way(path: &Path) -> Result<(), BindError> {
    let refused = |source| BindError::Refused {
        address: path.display().to_string(),
        source,
    };
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(refused(error)),
        Ok(found) if !found.file_type().is_socket() => Err(BindError::NotASocket(path.to_owned())),
        Ok(_) if UnixStream::connect(path).is_ok() => Err(BindError::SocketInUse(path.to_owned())),
        Ok(_) => std::fs::remove_file(path).map_err(refused),
    }
}

fn open_unix(
    path: &Path,
    mode: u32,
    workers: NonZeroUsize,
) -> io::Result<(Vec<Listening>, SocketFile)> {
    let (first, file) = bind_unix(path, mode)?;
    let mut listening = Vec::with_capacity(workers.get());
    for _ in 1..workers.get() {
        listening.push(Listening::Unix(first.try_clone()?));
    }
    listening.push(Listening::Unix(first));
    Ok((listening, file))
}

fn bind_unix(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let file = SocketFile {
        inode: std::fs::metadata(path)?.ino(),
        path: path.to_owned(),
    };
    // Before it listens: nobody gets in by the mode that it was made with.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    socket.set_nonblocking(true)?;
    socket.listen(BACKLOG)?;
    Ok((socket.into(), file))
}

/// A Unix socket for other rooms: what a killed process left there makes way.
pub(crate) fn open_socket(path: &Path, mode: u32) -> Result<(UnixListener, SocketFile), BindError> {
    make_way(path)?;
    bind_unix(path, mode).map_err(|source| BindError::Refused {
        address: path.display().to_string(),
        source,
    })
}

/// Removes the socket file when dropped, unless it is another's by then.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.ino() == self.inode);
        if ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "socket file left behind");
        }
    }
}

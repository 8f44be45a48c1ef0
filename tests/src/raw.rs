//! A client that sends exactly the bytes it is given: malformed paths and headers are really sent.
//!
//! It speaks HTTP/1.1 over anything readable and writable; it is no general client (it follows
//! nothing, reuses a connection only when told to, and trusts `content-length` and `chunked`).

use std::fmt::Write as _;
use std::io::{self, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::reply::Reply;

/// How long any answer may take.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// A request being written.
#[derive(Debug, Clone)]
pub struct Request {
    target: Vec<u8>,
    method: String,
    host: Option<String>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// A request for `target`, sent as it is.
    pub fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        Self {
            target: target.as_ref().to_vec(),
            method: method.to_owned(),
            host: Some("shop.test".to_owned()),
            headers: Vec::new(),
            body: None,
        }
    }

    /// `GET target`.
    pub fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    /// Sets the `Host` line.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// Sends no `Host` line.
    #[must_use]
    pub fn without_host(mut self) -> Self {
        self.host = None;
        self
    }

    /// Adds a header line, its bytes as they are.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// Adds `Authorization: Bearer token`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    /// Adds a body and its `Content-Length`.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Some(body.as_ref().to_vec());
        self
    }

    /// The bytes on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = self.method.clone().into_bytes();
        head.push(b' ');
        head.extend(&self.target);
        head.extend(b" HTTP/1.1\r\n");
        if let Some(host) = &self.host {
            head.extend(format!("Host: {host}\r\n").into_bytes());
        }
        for (name, value) in &self.headers {
            head.extend(name);
            head.extend(b": ");
            head.extend(value);
            head.extend(b"\r\n");
        }
        let mut length = String::new();
        if let Some(body) = &self.body {
            let _ = write!(length, "Content-Length: {}\r\n", body.len());
        }
        head.extend(length.into_bytes());
        head.extend(b"\r\n");
        head.extend(self.body.iter().flatten());
        head
    }

    /// Sends it on a fresh connection to `address` and reads the answer.
    ///
    /// # Panics
    /// When no answer comes: a test that expects none uses [`exchange`].
    pub fn send(&self, address: SocketAddr) -> Reply {
        let stream = connect(address).expect("the listener accepts");
        exchange(stream, &self.bytes()).expect("an HTTP answer")
    }
}

/// A connection with a deadline on every read and write.
///
/// # Errors
/// What the system says.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// As [`connect`], from the address `source` of this machine.
///
/// # Errors
/// What the system says.
pub fn connect_from(source: IpAddr, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((source, 0)).into())?;
    socket.connect_timeout(&address.into(), PATIENCE)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Writes `bytes` and reads one answer.
///
/// # Errors
/// When the peer closes, times out, or answers something that is not HTTP/1.1.
pub fn exchange<S: io::Read + Write>(mut stream: S, bytes: &[u8]) -> io::Result<Reply> {
    // A peer that refuses early may close before it has read everything: its answer still counts.
    let written = stream.write_all(bytes).and_then(|()| stream.flush());
    let reply = Reply::read(&mut BufReader::new(stream));
    written.or_else(|cause| if reply.is_ok() { Ok(()) } else { Err(cause) })?;
    reply
}

/// `GET path` with nothing else, as for an admin port.
///
/// # Errors
/// As [`exchange`].
pub fn get(address: SocketAddr, path: &str) -> io::Result<Reply> {
    exchange(
        connect(address)?,
        &Request::get(path).header("Connection", "close").bytes(),
    )
}

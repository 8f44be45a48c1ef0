//! Waiting: for a free port, for a server to answer, for a variant to answer as it must. One plain
//! HTTP/1.1 request per question, no client library.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::Outcome;

/// A TCP port on loopback that was free a moment ago.
pub fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Asks `path` once. Returns status and body.
pub fn get(port: u16, path: &str, authorization: Option<&str>) -> Outcome<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let authorization = authorization.map_or(String::new(), |token| {
        format!("authorization: Bearer {token}\r\n")
    });
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: bench.test\r\n{authorization}connection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer
        .split_whitespace()
        .nth(1)
        .ok_or("an empty answer")?
        .parse()?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((status, body.to_owned()))
}

/// Asks until the status is `expected`, for at most `patience`.
pub fn wait_for(
    port: u16,
    path: &str,
    authorization: Option<&str>,
    expected: u16,
    patience: Duration,
) -> Outcome<()> {
    let deadline = Instant::now() + patience;
    loop {
        let last = match get(port, path, authorization) {
            Ok((status, _)) if status == expected => return Ok(()),
            Ok((status, body)) => format!("{status} {body}"),
            Err(error) => error.to_string(),
        };
        if Instant::now() > deadline {
            return Err(format!("port {port} {path}: not {expected} but: {last}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

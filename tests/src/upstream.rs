//! The upstream: it answers every request with a JSON report of the very bytes it was sent, and
//! remembers them. It parses no more of HTTP/1.1 than Envoy, its only client, writes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::runtime;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `METHOD target HTTP/1.1`, bytes as received.
    pub line: Vec<u8>,
    /// Header lines in order, names as received.
    pub headers: Vec<(String, Vec<u8>)>,
    /// How long the body was.
    pub body_bytes: usize,
}

/// A running upstream. It serves until the test process ends.
#[derive(Debug, Clone)]
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    delay_ms: AtomicU64,
}

impl Upstream {
    /// Starts on a free port.
    pub fn start() -> Self {
        let listener = runtime()
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let accepted = Arc::clone(&shared);
        runtime().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&accepted);
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    while serve_one(&mut stream, &shared).await.is_some() {}
                });
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests have arrived.
    pub fn count(&self) -> usize {
        self.shared.seen.lock().expect("not poisoned").len()
    }

    /// Every request whose line contains `part`.
    pub fn seen(&self, part: &str) -> Vec<Seen> {
        let seen = self.shared.seen.lock().expect("not poisoned");
        let matches = |request: &&Seen| request.line().contains(part);
        seen.iter().filter(matches).cloned().collect()
    }

    /// Makes every later answer wait for `delay`.
    pub fn answer_after(&self, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).expect("a delay of sense");
        self.shared.delay_ms.store(millis, Ordering::Relaxed);
    }
}

impl Seen {
    /// The request line as text.
    pub fn line(&self) -> String {
        String::from_utf8_lossy(&self.line).into_owned()
    }

    /// The request target, byte for byte.
    pub fn target(&self) -> &[u8] {
        self.line
            .split(|byte| *byte == b' ')
            .nth(1)
            .unwrap_or_default()
    }

    /// Every value of header `name`, in any case.
    pub fn header(&self, name: &str) -> Vec<String> {
        let named = self
            .headers
            .iter()
            .filter(|(header, _)| header.eq_ignore_ascii_case(name));
        named
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    fn report(&self) -> Value {
        let headers = self.headers.iter().map(|(name, value)| {
            json!([
                name,
                value
                    .iter()
                    .map(|byte| char::from(*byte))
                    .collect::<String>()
            ])
        });
        json!({
            "line": self.line.iter().map(|byte| char::from(*byte)).collect::<String>(),
            "headers": headers.collect::<Vec<_>>(),
            "body_bytes": self.body_bytes,
        })
    }
}

/// Serves one request; `None` when the connection is done with.
async fn serve_one(stream: &mut BufReader<TcpStream>, shared: &Shared) -> Option<()> {
    let line = read_line(stream).await?;
    let mut headers = Vec::new();
    loop {
        let header = read_line(stream).await?;
        if header.is_empty() {
            break;
        }
        let colon = header.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8_lossy(header.get(..colon)?).into_owned();
        headers.push((name, header.get(colon + 1..)?.trim_ascii_start().to_vec()));
    }
    let mut seen = Seen {
        line,
        headers,
        body_bytes: 0,
    };
    seen.body_bytes = drain_body(stream, &seen).await?;
    let body = seen.report().to_string();
    shared.seen.lock().expect("not poisoned").push(seen);
    let delay = shared.delay_ms.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(delay)).await;
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()
}

async fn drain_body(stream: &mut BufReader<TcpStream>, seen: &Seen) -> Option<usize> {
    if let Some(length) = seen.header("content-length").first() {
        let length: usize = length.parse().ok()?;
        stream.read_exact(&mut vec![0; length]).await.ok()?;
        return Some(length);
    }
    let mut total = 0;
    while !seen.header("transfer-encoding").is_empty() {
        let size = String::from_utf8(read_line(stream).await?).ok()?;
        let size = usize::from_str_radix(&size, 16).ok()?;
        stream.read_exact(&mut vec![0; size]).await.ok()?;
        read_line(stream).await?;
        if size == 0 {
            break;
        }
        total += size;
    }
    Some(total)
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await.ok()?;
    line.strip_suffix(b"\r\n").map(<[u8]>::to_vec)
}

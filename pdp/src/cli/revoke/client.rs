//! One call to a PDP's doors, over loopback, TLS or a Unix socket.
//!
//! INVARIANT: the admin token is never sent in the clear beyond this machine. How TLS is set up is in
//! `tls`.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::tls::Tls;
use crate::cli::Failure;

/// The longest that a call may take; writing to a slow disk is part of it.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer: ten thousand revocations, each of the longest names.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Where a PDP listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A TCP address, as a URL.
    Url(Url),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Endpoint {
    /// Whether TLS is spoken there.
    pub(super) fn is_tls(&self) -> bool {
        matches!(self, Self::Url(url) if url.scheme() == "https")
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(path.trim_start_matches("//").into()));
        }
        let url: Url = text
            .parse()
            .map_err(|error| format!("is no URL: {error}"))?;
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match url.scheme() {
            "https" => Ok(Self::Url(url)),
            "http" if is_here => Ok(Self::Url(url)),
            "http" => Err("would send the admin token in the clear: use `https://`".to_owned()),
            _ => Err("must begin with `http://`, `https://` or `unix:`".to_owned()),
        }
    }
}

/// What a PDP answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

/// Whoever calls.
pub(super) struct Client {
    pub(super) endpoint: Endpoint,
    pub(super) tls: Tls,
    /// Left out, the client certificate has to do.
    pub(super) token: Option<String>,
}

impl Client {
    /// Calls and reads the answer.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        let answer = timeout(PATIENCE, self.connect_and_call(method, path, body)).await;
        answer.unwrap_or_else(|_| Err(Failure::new("the PDP did not answer within 30 s")))
    }

    async fn connect_and_call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        let request = self.request(method, path, body)?;
        let unreachable = |error: std::io::Error| {
            Failure::new(format!("the PDP cannot be reached: {error}: see --pdp"))
        };
        match &self.endpoint {
            Endpoint::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(unreachable)?;
                exchange(stream, request).await
            }
            Endpoint::Url(url) => {
                let host = url.host_str().unwrap_or_default().to_owned();
                let bare = host
                    .trim_start_matches('[')
                    .trim_end_matches(']')
                    .to_owned();
                let port = url.port_or_known_default().unwrap_or(443);
                let stream = TcpStream::connect((bare.as_str(), port));
                let stream = stream.await.map_err(unreachable)?;
                if url.scheme() == "http" {
                    return exchange(stream, request).await;
                }
                let name = ServerName::try_from(bare)
                    .map_err(|error| Failure::new(format!("`{host}`: {error}")))?;
                let connector = TlsConnector::from(Arc::new(self.tls.config()?));
                let stream = connector.connect(name, stream).await.map_err(|error| {
                    Failure::new(format!("TLS with the PDP failed: {error}: see --ca-file"))
                })?;
                exchange(stream, request).await
            }
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let host = match &self.endpoint {
            Endpoint::Url(url) => url.authority(),
            Endpoint::Unix(_) => "localhost",
        };
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let mut builder = Request::builder();
        if let Some(token) = &self.token {
            builder = builder.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        builder
            .method(method)
            .uri(path)
            .header(HOST, host)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            // The error does not repeat what it could not take.
            .map_err(|_| Failure::new("the admin token has characters that no header may have"))
    }
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(format!(
            "the PDP gave no answer that could be read: {error}"
        ))
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await;
    let response = response.map_err(|error| failed(&error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect();
    let body = body.await.map_err(|error| failed(&error))?.to_bytes();
    connection.abort();
    // A proxy's page is no JSON; its status still says something.
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| {
        let text: String = String::from_utf8_lossy(&body).chars().take(200).collect();
        Value::String(text)
    });
    Ok(Answer { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_admin_token_is_never_sent_in_the_clear_beyond_this_machine() {
        for good in [
            "http://127.0.0.1:8181",
            "http://localhost:8181",
            "http://[::1]:8181",
            "https://pdp.example.org",
            "unix:/run/edgeward/pdp.sock",
        ] {
            assert!(good.parse::<Endpoint>().is_ok(), "{good}");
        }
        for bad in [
            "http://pdp.example.org",
            "http://10.0.0.1:8181",
            "http://localhost.evil.test",
            "ftp://x",
            "pdp",
        ] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}

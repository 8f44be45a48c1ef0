//! One call to a running PDP's doors, over loopback, TLS or a Unix socket: what the subcommands use that
//! speak to a PDP.
//!
//! What this is not: how documents are fetched that are not trusted yet (`crate::fetch`). Whom to call
//! is the word of whoever types the command.

mod endpoint;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderMap};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub(crate) use self::endpoint::Endpoint;
pub(crate) use self::tls::{Identity, Tls, TlsError};

/// The longest that a call may take; writing to a slow disk is part of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whom to call, and how.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) endpoint: Endpoint,
    pub(crate) tls: Tls,
    /// The longest answer that is read, in bytes.
    pub(crate) max_bytes: usize,
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct Call<'c> {
    pub(crate) method: Method,
    /// Begins with `/`.
    pub(crate) path: &'c str,
    pub(crate) content_type: &'static str,
    /// More headers, which may say who calls.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What a PDP answered.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum ClientError {
    /// Nothing in time.
    #[error("did not answer within {0:?}")]
    Timeout(Duration),
    /// No connection.
    #[error("cannot be reached: {0}")]
    Unreachable(std::io::Error),
    /// No TLS.
    #[error("does not agree on TLS: {0}: see --ca-file")]
    Handshake(std::io::Error),
    /// No TLS client.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A host that no certificate can name.
    #[error("is called `{0}`, which no certificate can say")]
    Name(String),
    /// Not HTTP, or more than is read.
    #[error("gave no answer that could be read: {0}")]
    Answer(String),
}

impl Client {
    /// Calls and reads the answer, whatever its status.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Reply, ClientError> {
        timeout(PATIENCE, self.connect_and_call(call))
            .await
            .unwrap_or(Err(ClientError::Timeout(PATIENCE)))
    }

    async fn connect_and_call(&self, call: Call<'_>) -> Result<Reply, ClientError> {
        let request = self.request(call)?;
        match &self.endpoint {
            Endpoint::Unix(path) => {
                let stream = UnixStream::connect(path).await;
                let stream = stream.map_err(ClientError::Unreachable)?;
                self.exchange(stream, request).await
            }
            Endpoint::Url(url) => {
                let host = url.host_str().unwrap_or_default();
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                let port = url.port_or_known_default().unwrap_or(443);
                let stream = TcpStream::connect((bare, port)).await;
                let stream = stream.map_err(ClientError::Unreachable)?;
                if url.scheme() == "http" {
                    return self.exchange(stream, request).await;
                }
                let name = ServerName::try_from(bare.to_owned())
                    .map_err(|_| ClientError::Name(host.to_owned()))?;
                let connector = TlsConnector::from(Arc::new(self.tls.config()?));
                let stream = connector.connect(name, stream).await;
                let stream = stream.map_err(ClientError::Handshake)?;
                self.exchange(stream, request).await
            }
        }
    }

    fn request(&self, call: Call<'_>) -> Result<Request<Full<Bytes>>, ClientError> {
        let host = match &self.endpoint {
            Endpoint::Url(url) => url.authority(),
            Endpoint::Unix(_) => "localhost",
        };
        let built = Request::builder()
            .method(call.method)
            .uri(call.path)
            .header(HOST, host)
            .header(CONTENT_TYPE, HeaderValue::from_static(call.content_type))
            .body(Full::from(call.body));
        let mut request = built.map_err(|error| ClientError::Answer(error.to_string()))?;
        request.headers_mut().extend(call.headers);
        Ok(request)
    }

    async fn exchange<S>(
        &self,
        stream: S,
        request: Request<Full<Bytes>>,
    ) -> Result<Reply, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let failed = |error: &dyn std::fmt::Display| ClientError::Answer(error.to_string());
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| failed(&error))?;
        // Dropping the set ends the connection, also when the time is up.
        let mut driving = JoinSet::new();
        driving.spawn(async move { drop(connection.await) });
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| failed(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), self.max_bytes).collect();
        let body = body.await.map_err(|error| failed(&error))?.to_bytes();
        Ok(Reply { status, body })
    }
}

//! Asks a metadata service: plain HTTP to this machine, this link, or one of the clouds' own addresses,
//! and to no other. No redirect is followed, no proxy is asked.
//!
//! These addresses are the ones that `crate::fetch` refuses by design. They are allowed here, on the
//! workload, for questions that probes write themselves.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::{Host, Url};

use super::probe::ProbeError;

/// The longest wait for a connection, name look-up included: such a service is a hop away.
const CONNECT: Duration = Duration::from_millis(500);
/// The longest wait for an answer by which a platform is known.
pub(super) const PRESENCE: Duration = Duration::from_secs(1);
/// The longest wait for evidence, for which the platform may have to ask somebody.
pub(super) const EVIDENCE: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// Beside loopback and link-local ones: the metadata services of EC2, EKS pod identity and GCP.
const CLOUDS: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254),
];

/// A metadata service.
#[derive(Debug, Clone)]
pub(super) struct Metadata(Url);

/// One question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'q> {
    pub(super) method: &'q Method,
    /// With the query; begins with `/`.
    pub(super) path: &'q str,
    pub(super) headers: &'q [(&'static str, &'q str)],
    pub(super) patience: Duration,
}

/// An answer, whatever its status.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum MetadataError {
    /// Nobody is there.
    #[error("`{0}` cannot be reached: {1}")]
    Nobody(String, std::io::Error),
    /// Nobody speaks in time.
    #[error("`{0}` does not answer within {1:?}")]
    Silent(String, Duration),
    /// Another machine.
    #[error("`{0}` is at {1}, which is neither this machine nor a metadata service's address")]
    Elsewhere(String, IpAddr),
    /// Not HTTP, or too much.
    #[error("`{0}` gives no answer that can be read")]
    Answer(String),
}

impl MetadataError {
    /// Whether it says no more than that the platform is not here.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, Self::Nobody(..) | Self::Silent(..))
    }
}

impl Metadata {
    /// The service at `text`, a URL or `host:port`, which stands in `variable` or is the platform's own.
    pub(super) fn at(text: &str, variable: &'static str) -> Result<Self, ProbeError> {
        let wrong = |reason: String| ProbeError::Variable {
            name: variable,
            reason,
        };
        let whole = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let url: Url = whole.parse().map_err(|error| wrong(format!("{error}")))?;
        let is_bare = url.username().is_empty() && url.password().is_none();
        if url.scheme() != "http" || !is_bare || url.host().is_none() {
            return Err(wrong("must be `http://` and a host".to_owned()));
        }
        Ok(Self(url))
    }

    /// The path and query that stand in its own URL.
    pub(super) fn path_and_query(&self) -> String {
        let path = self.0.path();
        self.0
            .query()
            .map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
    }

    /// Asks and reads the answer.
    pub(super) async fn ask(&self, question: Question<'_>) -> Result<Answer, MetadataError> {
        let name = || self.0.authority().to_owned();
        let connected = timeout(CONNECT, self.connect()).await;
        let stream = connected.unwrap_or_else(|_| Err(MetadataError::Silent(name(), CONNECT)))?;
        let answered = timeout(question.patience, self.exchange(stream, question)).await;
        answered.unwrap_or_else(|_| Err(MetadataError::Silent(name(), question.patience)))
    }

    async fn connect(&self) -> Result<TcpStream, MetadataError> {
        let name = || self.0.authority().to_owned();
        let port = self.0.port_or_known_default().unwrap_or(80);
        let nobody = |error| MetadataError::Nobody(name(), error);
        let addresses: Vec<SocketAddr> = match self.0.host() {
            Some(Host::Ipv4(address)) => vec![(address, port).into()],
            Some(Host::Ipv6(address)) => vec![(address, port).into()],
            Some(Host::Domain(host)) => {
                let found = tokio::net::lookup_host((host, port)).await;
                found.map_err(nobody)?.collect()
            }
            None => Vec::new(),
        };
        let mut failure = std::io::Error::other("no address");
        for address in addresses {
            if !is_near(address.ip()) {
                return Err(MetadataError::Elsewhere(name(), address.ip()));
            }
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            }
        }
        Err(nobody(failure))
    }

    async fn exchange(
        &self,
        stream: TcpStream,
        question: Question<'_>,
    ) -> Result<Answer, MetadataError> {
        // What went wrong may repeat what was sent, which may be a secret.
        let failed = || MetadataError::Answer(self.0.authority().to_owned());
        let mut request = Request::builder()
            .method(question.method)
            .uri(question.path)
            .header(HOST, self.0.authority())
            .header(USER_AGENT, concat!("edgeward/", env!("CARGO_PKG_VERSION")));
        for (name, value) in question.headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|_| failed())?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|_| failed())?;
        // Dropping the set ends the connection, also when the time is up.
        let mut driving = JoinSet::new();
        driving.spawn(async move { drop(connection.await) });
        let response = sender.send_request(request).await.map_err(|_| failed())?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_BYTES).collect().await;
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.map_err(|_| failed())?.to_bytes(),
        })
    }
}

impl Answer {
    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text, without the white space around it.
    pub(super) fn text(&self) -> Option<&str> {
        Some(std::str::from_utf8(&self.body).ok()?.trim())
    }

    /// A text member of a body that is a JSON object.
    pub(super) fn member(&self, name: &str) -> Option<String> {
        let mut members = edgeward_core::json::parse_object(&self.body).ok()?;
        match members.remove(name)? {
            serde_json::Value::String(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

/// Whether a metadata service may be at `address`.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.is_loopback() || mapped.is_link_local(),
            None => address.is_loopback() || CLOUDS.contains(&address),
        },
    }
}

/// A value as it stands in a query.
pub(super) fn encoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metadata_service_is_on_this_machine_or_this_link_or_at_a_cloud_s_address() {
        for near in [
            "127.0.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "169.254.130.4",
            "::1",
            "::ffff:169.254.169.254",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
        ] {
            assert!(is_near(near.parse().unwrap()), "{near}");
        }
        for far in [
            "10.0.0.1",
            "192.168.1.1",
            "93.184.216.34",
            "100.100.100.200",
            "0.0.0.0",
            "fd00:ec2::1",
            "fe80::1",
            "2606:4700::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_near(far.parse().unwrap()), "{far}");
        }
    }

    #[test]
    fn a_place_is_plain_http_without_a_user() {
        for good in [
            "169.254.169.254",
            "metadata.google.internal:80",
            "http://[fd00:ec2::254]/",
        ] {
            assert!(Metadata::at(good, "X").is_ok(), "{good}");
        }
        for bad in [
            "https://169.254.169.254",
            "ftp://h",
            "http://u@h",
            "http://",
            "h h",
        ] {
            let error = Metadata::at(bad, "GCE_METADATA_HOST")
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("GCE_METADATA_HOST: "), "{bad}: {error}");
        }
    }

    #[tokio::test]
    async fn nothing_is_asked_of_another_machine() {
        let elsewhere = Metadata::at("http://192.0.2.1:9", "X").unwrap();
        let question = Question {
            method: &Method::GET,
            path: "/",
            headers: &[],
            patience: PRESENCE,
        };
        let error = elsewhere.ask(question).await.err().unwrap();
        assert!(matches!(error, MetadataError::Elsewhere(..)), "{error}");
        assert!(!error.is_absence());
    }
}

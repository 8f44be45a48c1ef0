//! Fetches one document over https, trusting nothing: bounded in time and size, only from allowed
//! addresses, never led to another host but for what proves itself.
//!
//! What this is not: a general HTTP client. It sends a GET, or what `Ask` says that is posted, and takes
//! a 200, a 201 where something is to be made of what it posts, or a 304 where it told what it has; all else is an error.

mod address;
mod ask;
mod exchange;
mod freshness;
mod pace;
mod settings;
mod svid;
mod tls;
mod url;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use ::url::Host;

pub use self::ask::BearerError;
pub(crate) use self::ask::{Ask, Credential, Kind, Modes};
pub(crate) use self::exchange::Redirects;
pub(crate) use self::pace::Pace;
pub use self::settings::{AddressRule, FetchSettings, RefreshSettings};
pub use self::tls::TlsError;
pub(crate) use self::tls::{Server, roots_of_file};
pub use self::url::{Plaintext, SourceUrl, SourceUrlError};

/// The most redirects followed for one document.
const MAX_REDIRECTS: usize = 3;

/// A document as the server sent it.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The whole body.
    pub(crate) body: Vec<u8>,
    /// How long the server says it stays fresh.
    pub(crate) fresh_for: Option<Duration>,
    /// Its `ETag`, by which the server knows it again.
    pub(crate) tag: Option<String>,
    /// Whether the server is one that lets askers wait for news ([`Ask::wait`]).
    pub(crate) is_awaited: bool,
}

/// What the server said to an [`Ask`].
#[derive(Debug)]
pub(crate) enum Got {
    /// A document.
    Document(Fetched),
    /// 304: it is still the one that we told of.
    Unchanged {
        /// As in [`Fetched`].
        is_awaited: bool,
    },
}

/// Why a document could not be fetched.
#[derive(Debug, Error)]
pub enum FetchError {
    /// Not done within `fetch.timeout`.
    #[error("no complete answer within {0:?}")]
    Timeout(Duration),
    /// The name does not resolve.
    #[error("`{host}` does not resolve: {error}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        error: std::io::Error,
    },
    /// All addresses are forbidden ones.
    #[error("`{host}` resolves to {address}, {reason}: nothing is fetched from there")]
    ForbiddenAddress {
        /// The name.
        host: String,
        /// The first address it resolved to.
        address: std::net::IpAddr,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No TCP or TLS connection.
    #[error("cannot connect to `{host}`: {error}")]
    Connect {
        /// The name.
        host: String,
        /// What failed.
        error: std::io::Error,
    },
    /// No TLS client can be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// There is no token of ours to show.
    #[error("token: {0}")]
    Token(#[from] BearerError),
    /// The connection broke, or what came over it is not HTTP.
    #[error("HTTP: {0}")]
    Http(#[from] hyper::Error),
    /// A SPIFFE endpoint without TLS: nothing would prove who it is.
    #[error("a SPIFFE bundle endpoint must be https")]
    PlaintextEndpoint,
    /// Any status but 200 and the redirects that are followed.
    #[error("server answered with status {0}")]
    Status(u16),
    /// 401: what the server wants to see (`WWW-Authenticate`).
    #[error("server answered with status 401")]
    Unauthorized(String),
    /// Led to what is no URL that is fetched from.
    #[error(transparent)]
    Url(#[from] SourceUrlError),
    /// A redirect that is not followed.
    #[error("server redirects to `{location}`: {reason}")]
    Redirect {
        /// The `Location` header, as far as it can be shown.
        location: String,
        /// Why it is not followed.
        reason: String,
    },
    /// Larger than `fetch.max_bytes`.
    #[error("document is larger than {0} bytes")]
    TooLarge(usize),
    /// Not JSON by its `Content-Type`, or compressed though we asked for it plain.
    #[error("`{header}` is `{value}`, which is not read here")]
    ContentType {
        /// The header's name.
        header: &'static str,
        /// Its value, as far as it can be shown.
        value: String,
    },
}

/// Fetches the JSON document at `url` from a server that `server` vouches for.
pub(crate) async fn get(
    url: &SourceUrl,
    server: Server<'_>,
    redirects: Redirects,
    settings: &FetchSettings,
) -> Result<Fetched, FetchError> {
    let token_file = settings.token_file.as_deref();
    let credential = token_file.map(Credential::bearer_in).transpose()?;
    let question = Ask {
        credential: credential.as_ref(),
        ..Ask::JSON
    };
    match ask(url, server, redirects, settings, &question).await? {
        Got::Document(document) => Ok(document),
        // Nothing was told of that it could be.
        Got::Unchanged { .. } => Err(FetchError::Status(304)),
    }
}

/// Asks for what stands at `url`, of a server that `server` vouches for. Where the asker waits for
/// news, `fetch.timeout` begins when the wait ends.
pub(crate) async fn ask(
    url: &SourceUrl,
    server: Server<'_>,
    redirects: Redirects,
    settings: &FetchSettings,
    ask: &Ask<'_>,
) -> Result<Got, FetchError> {
    let limit = settings.timeout + ask.wait.unwrap_or_default();
    tokio::time::timeout(limit, follow(url, server, redirects, settings, ask))
        .await
        .unwrap_or(Err(FetchError::Timeout(limit)))
}

async fn follow(
    url: &SourceUrl,
    server: Server<'_>,
    redirects: Redirects,
    settings: &FetchSettings,
    ask: &Ask<'_>,
) -> Result<Got, FetchError> {
    let (mut at, mut ask) = (url.clone(), *ask);
    // What is posted is for one server only.
    let redirects = if ask.body.is_some() {
        Redirects::None
    } else {
        redirects
    };
    for _ in 0..=MAX_REDIRECTS {
        match get_one(&at, server, settings, &ask).await? {
            exchange::Answer::Got(got) => return Ok(got),
            exchange::Answer::Redirect { status, location } => {
                at = redirects.target(&at, status, &location)?;
                // Nor is who asks told again where another host leads back.
                ask.credential = ask.credential.filter(|_| at.same_origin(url));
            }
        }
    }
    Err(FetchError::Redirect {
        location: exchange::without_query(&at.to_string()).to_owned(),
        reason: format!("more than {MAX_REDIRECTS} redirects"),
    })
}

async fn get_one(
    url: &SourceUrl,
    server: Server<'_>,
    settings: &FetchSettings,
    ask: &Ask<'_>,
) -> Result<exchange::Answer, FetchError> {
    if !url.is_https() && matches!(server, Server::Spiffe { .. }) {
        return Err(FetchError::PlaintextEndpoint);
    }
    let stream = connect(url, settings).await?;
    if !url.is_https() {
        return exchange::run(
            stream,
            exchange::Version::Http1,
            (url, ask),
            settings.max_bytes,
        )
        .await;
    }
    let connector = TlsConnector::from(Arc::new(tls::client(server)?));
    let failed = |error| FetchError::Connect {
        host: url.authority().to_owned(),
        error,
    };
    let name = server_name(url)
        .ok_or_else(|| failed(std::io::Error::other("not a name that TLS can check")))?;
    let stream = connector.connect(name, stream).await.map_err(failed)?;
    let version = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => exchange::Version::Http2,
        _ => exchange::Version::Http1,
    };
    exchange::run(stream, version, (url, ask), settings.max_bytes).await
}

/// Connects to the first allowed address that answers.
async fn connect(url: &SourceUrl, settings: &FetchSettings) -> Result<TcpStream, FetchError> {
    let host = url.authority().to_owned();
    let mut failure = None;
    for address in resolve(url).await? {
        if let Some(reason) = address::refusal(address.ip(), settings.addresses) {
            let (host, address) = (host.clone(), address.ip());
            failure.get_or_insert(FetchError::ForbiddenAddress {
                host,
                address,
                reason,
            });
            continue;
        }
        // Half of the time for one address, so that a dead first one leaves time for a second.
        let attempt = tokio::time::timeout(settings.timeout / 2, TcpStream::connect(address));
        match attempt
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
        {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                failure = Some(FetchError::Connect {
                    host: host.clone(),
                    error,
                });
            }
        }
    }
    Err(failure.unwrap_or_else(|| FetchError::Resolve {
        host,
        error: std::io::Error::other("no address"),
    }))
}

async fn resolve(url: &SourceUrl) -> Result<Vec<SocketAddr>, FetchError> {
    let port = url.as_url().port_or_known_default().unwrap_or(443);
    match url.as_url().host() {
        Some(Host::Ipv4(address)) => Ok(vec![(address, port).into()]),
        Some(Host::Ipv6(address)) => Ok(vec![(address, port).into()]),
        Some(Host::Domain(name)) => match tokio::net::lookup_host((name, port)).await {
            Ok(addresses) => Ok(addresses.collect()),
            Err(error) => Err(FetchError::Resolve {
                host: name.to_owned(),
                error,
            }),
        },
        None => Ok(Vec::new()),
    }
}

fn server_name(url: &SourceUrl) -> Option<ServerName<'static>> {
    match url.as_url().host()? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).ok(),
        Host::Ipv4(address) => Some(ServerName::from(std::net::IpAddr::from(address))),
        Host::Ipv6(address) => Some(ServerName::from(std::net::IpAddr::from(address))),
    }
}

//! One HTTP request and its answer on a connection that is already trusted.

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use http::header::{
    CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH, LOCATION, USER_AGENT, WWW_AUTHENTICATE,
};
use http::response::Parts;
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use super::ask::{Ask, BUNDLES, Kind};
use super::{FetchError, Fetched, Got, SourceUrl, freshness};

/// The most bytes of an answer's headers.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// The most characters of a server's words that go into a message.
const MAX_SHOWN: usize = 200;

/// The version of HTTP that was agreed on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Version {
    Http1,
    Http2,
}

/// What the server said.
pub(super) enum Answer {
    Got(Got),
    Redirect { status: u16, location: String },
}

/// Which redirects are followed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Redirects {
    /// None.
    None,
    /// All, over https: of what proves itself by its digest. Another host is not told who asks.
    AnyOrigin,
    /// All within the origin.
    SameOrigin,
    /// Only temporary ones (SPIFFE Federation section 5.2): 302, 303, 307.
    SameOriginTemporary,
}

impl Redirects {
    /// Where `location`, seen at `at`, leads, when it may be followed.
    pub(super) fn target(
        self,
        at: &SourceUrl,
        status: u16,
        location: &str,
    ) -> Result<SourceUrl, FetchError> {
        let refused = |reason: String| FetchError::Redirect {
            location: shown(without_query(location)),
            reason,
        };
        if matches!(self, Self::None) {
            return Err(refused("it is not followed".to_owned()));
        }
        if matches!(self, Self::SameOriginTemporary) && matches!(status, 301 | 308) {
            return Err(refused("permanent redirects are not followed".to_owned()));
        }
        let target = at.join(location).map_err(|_| {
            // What is shown of it here has no query either.
            let why = at.join(without_query(location)).err();
            refused(why.map_or_else(|| "it is no URL".to_owned(), |why| shown(&why.to_string())))
        })?;
        if !matches!(self, Self::AnyOrigin) && !target.same_origin(at) {
            return Err(refused(
                "it is another host, which is never followed".to_owned(),
            ));
        }
        Ok(target)
    }
}

/// Sends the request and reads the answer. The connection ends with the returned future.
pub(super) async fn run<S>(
    stream: S,
    version: Version,
    (url, ask): (&SourceUrl, &Ask<'_>),
    max_bytes: usize,
) -> Result<Answer, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    // Dropping the set ends the connection, also when the caller's time is up.
    let mut connection = JoinSet::new();
    let response = match version {
        Version::Http1 => {
            let (mut sender, driver) = http1::Builder::new()
                .max_buf_size(MAX_HEADER_BYTES)
                .handshake(io)
                .await?;
            connection.spawn(async move { drop(driver.await) });
            sender.send_request(request(url, ask, version)).await?
        }
        Version::Http2 => {
            let (mut sender, driver) = http2::Builder::new(TokioExecutor::new())
                .max_header_list_size(u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX))
                .handshake(io)
                .await?;
            connection.spawn(async move { drop(driver.await) });
            sender.send_request(request(url, ask, version)).await?
        }
    };
    read(response, ask, max_bytes).await
}

fn request(url: &SourceUrl, ask: &Ask<'_>, version: Version) -> Request<Full<Bytes>> {
    let body = ask.body.map(Bytes::copy_from_slice);
    let mut request = Request::new(Full::new(body.unwrap_or_default()));
    if ask.body.is_some() {
        *request.method_mut() = Method::POST;
    }
    let target = match version {
        Version::Http1 => {
            let path = url.as_url().path();
            url.as_url()
                .query()
                .map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
        }
        Version::Http2 => url.to_string(),
    };
    // Both are checked URLs; were one not a URI, the request would ask for `/` and be refused.
    *request.uri_mut() = target.parse().unwrap_or_default();
    let headers = request.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    };
    if matches!(version, Version::Http1) {
        set(HOST, url.authority());
    }
    set(ACCEPT, ask.kind.accepted());
    set(ACCEPT_ENCODING, "identity");
    set(USER_AGENT, concat!("edgeward/", env!("CARGO_PKG_VERSION")));
    if let Some(tag) = ask.known {
        set(IF_NONE_MATCH, tag);
    }
    if let Some(preference) = ask.preference() {
        set(HeaderName::from_static("prefer"), &preference);
    }
    if let Some(credential) = ask.credential {
        let all = credential.headers();
        headers.extend(
            all.iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    request
}

async fn read(
    response: Response<Incoming>,
    ask: &Ask<'_>,
    max_bytes: usize,
) -> Result<Answer, FetchError> {
    let (parts, mut body) = response.into_parts();
    let is_awaited = text(&parts.headers, &CONTENT_TYPE) == Some(BUNDLES);
    if parts.status == StatusCode::NOT_MODIFIED {
        return Ok(Answer::Got(Got::Unchanged { is_awaited }));
    }
    if !(ask.makes && parts.status == StatusCode::CREATED)
        && let Some(redirect) = redirect(&parts)?
    {
        return Ok(redirect);
    }
    check_type(&parts.headers, ask.kind)?;
    let announced = text(&parts.headers, &CONTENT_LENGTH).and_then(|length| length.parse().ok());
    if announced.is_some_and(|length: usize| length > max_bytes) {
        return Err(FetchError::TooLarge(max_bytes));
    }
    let mut document = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if document.len() + data.len() > max_bytes {
            return Err(FetchError::TooLarge(max_bytes));
        }
        document.extend_from_slice(&data);
    }
    let fresh_for = freshness::of_headers(&parts.headers);
    Ok(Answer::Got(Got::Document(Fetched {
        body: document,
        fresh_for,
        tag: text(&parts.headers, &ETAG).map(str::to_owned),
        is_awaited,
    })))
}

fn redirect(parts: &Parts) -> Result<Option<Answer>, FetchError> {
    let status = parts.status.as_u16();
    match (status, text(&parts.headers, &LOCATION)) {
        (200, _) => Ok(None),
        (301 | 302 | 303 | 307 | 308, Some(location)) => Ok(Some(Answer::Redirect {
            status,
            location: location.to_owned(),
        })),
        (401, _) => Err(match text(&parts.headers, &WWW_AUTHENTICATE) {
            Some(challenge) => FetchError::Unauthorized(challenge.to_owned()),
            None => FetchError::Status(status),
        }),
        _ => Err(FetchError::Status(status)),
    }
}

/// JSON by its media type (RFC 6839 section 3.1), or no type at all; never compressed. A bundle is
/// compressed itself, which some servers say of the transfer: its bytes are taken as they come.
fn check_type(headers: &HeaderMap, kind: Kind) -> Result<(), FetchError> {
    if kind == Kind::Json
        && let Some(value) = headers.get(CONTENT_TYPE)
    {
        let value = value.to_str().unwrap_or("unreadable");
        let essence = value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        if essence != "application/json" && !essence.ends_with("+json") {
            return Err(FetchError::ContentType {
                header: "content-type",
                value: shown(value),
            });
        }
    }
    match text(headers, &CONTENT_ENCODING) {
        None | Some("identity") => Ok(()),
        Some("gzip") if kind == Kind::Bundle => Ok(()),
        Some(value) => Err(FetchError::ContentType {
            header: "content-encoding",
            value: shown(value),
        }),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// A URL without what may be as good as a password: presigned URLs have it in their query.
pub(super) fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(before, _)| before)
}

fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::url::Plaintext;

    #[test]
    fn what_is_said_of_a_redirect_has_no_query() {
        let at = SourceUrl::parse("https://registry.test/v2/x", Plaintext::Refused).unwrap();
        for (redirects, location) in [
            (
                Redirects::AnyOrigin,
                "http://cdn.test/x?X-Amz-Signature=secret",
            ),
            (Redirects::AnyOrigin, "https://[/x?X-Amz-Signature=secret"),
            (
                Redirects::SameOrigin,
                "https://cdn.test/x?X-Amz-Signature=secret",
            ),
            (Redirects::None, "/y?X-Amz-Signature=secret"),
        ] {
            let refused = redirects.target(&at, 307, location).unwrap_err();
            let said = format!("{refused} {refused:?}");
            assert!(!said.contains("secret"), "{said}");
        }
    }
}

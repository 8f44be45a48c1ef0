//! What is asked of a server beside the URL: which kind of document, what we have already, how long
//! we would wait for another, who we are, and, where it is not a mere GET, what is posted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use thiserror::Error;

/// The type by which a server says that it lets askers wait (OPA, "Bundle service API").
pub(super) const BUNDLES: &str = "application/vnd.openpolicyagent.bundles";
/// The most bytes of a file with a token.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// A question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) kind: Kind,
    /// The `ETag` of what we have.
    pub(crate) known: Option<&'a str>,
    /// Which kinds of bundles the server may answer with; none where it is no server of bundles.
    pub(crate) modes: Option<Modes>,
    /// How long the server may wait for news before it says that there are none.
    pub(crate) wait: Option<Duration>,
    /// Who we are; sent only to the URL's own scheme, host and port.
    pub(crate) credential: Option<&'a Credential>,
    /// What is posted, with a type that `credential` tells; none for a GET.
    pub(crate) body: Option<&'a [u8]>,
    /// Whether something is made of what is posted: the answer is then a 201.
    pub(crate) makes: bool,
}

/// Kinds of bundles (OPA, "Bundle service API").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Modes {
    /// Whole ones.
    Snapshot,
    /// Also changes to the one whose tag was told.
    Both,
}

/// Which documents are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only what says that it is JSON.
    Json,
    /// Bytes, whatever they are called: a policy bundle proves itself.
    Bundle,
    /// What is asked for by this media type, whatever it is called then.
    Named(&'static str),
}

impl Kind {
    /// The `Accept` header.
    pub(super) fn accepted(self) -> &'static str {
        match self {
            Self::Json => "application/json, application/jwk-set+json",
            Self::Bundle => {
                "application/vnd.openpolicyagent.bundles, application/gzip, application/octet-stream"
            }
            Self::Named(kind) => kind,
        }
    }
}

impl Ask<'_> {
    /// The `Prefer` header (RFC 7240), as OPA writes it.
    pub(super) fn preference(&self) -> Option<String> {
        let modes = match self.modes? {
            Modes::Snapshot => "modes=snapshot",
            Modes::Both => "modes=snapshot,delta",
        };
        let wait = self.wait.map(|wait| format!(";wait={}", wait.as_secs()));
        Some(format!("{modes}{}", wait.unwrap_or_default()))
    }

    /// A JSON document.
    pub(crate) const JSON: Self = Self {
        kind: Kind::Json,
        known: None,
        modes: None,
        wait: None,
        credential: None,
        body: None,
        makes: false,
    };
    /// A policy bundle.
    pub(crate) const BUNDLE: Self = Self {
        kind: Kind::Bundle,
        known: None,
        modes: None,
        wait: None,
        credential: None,
        body: None,
        makes: false,
    };
}

/// Why there is no token.
#[derive(Debug, Error)]
pub enum BearerError {
    /// The operating system said no.
    #[error("`{}`: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: std::io::Error,
    },
    /// Not one token.
    #[error("`{}`: must hold one token, in one line of visible characters", path.display())]
    Content {
        /// The file.
        path: PathBuf,
    },
}

/// Headers that say who we are, marked so that nobody prints them.
#[derive(Debug, Clone)]
pub(crate) struct Credential(HeaderMap);

impl Credential {
    /// These headers; none where one of them cannot be.
    pub(crate) fn of<'h>(headers: impl IntoIterator<Item = (&'h str, String)>) -> Option<Self> {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let mut value = HeaderValue::try_from(value).ok()?;
            value.set_sensitive(true);
            all.insert(HeaderName::try_from(name).ok()?, value);
        }
        Some(Self(all))
    }

    /// These, and one more; none where it cannot be.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Option<Self> {
        let (name, value) = (HeaderName::try_from(name).ok()?, value.parse().ok()?);
        self.0.insert(name, value);
        Some(self)
    }

    /// A bearer token; none where the text is none.
    pub(crate) fn bearer(token: &str) -> Option<Self> {
        let is_token = !token.is_empty()
            && token.len() <= MAX_TOKEN_BYTES
            && token.bytes().all(|byte| byte.is_ascii_graphic());
        let header = is_token.then(|| (AUTHORIZATION.as_str(), format!("Bearer {token}")));
        Self::of([header?])
    }

    /// The bearer token of a file, without the white space around it.
    pub(crate) fn bearer_in(path: &Path) -> Result<Self, BearerError> {
        let text = std::fs::read_to_string(path).map_err(|error| BearerError::Io {
            path: path.to_owned(),
            error,
        })?;
        Self::bearer(text.trim()).ok_or_else(|| BearerError::Content {
            path: path.to_owned(),
        })
    }

    /// User name and password (RFC 7617); none where they cannot be sent.
    pub(crate) fn basic(username: &str, password: &str) -> Option<Self> {
        let both = STANDARD.encode(format!("{username}:{password}"));
        Self::of([(AUTHORIZATION.as_str(), format!("Basic {both}"))])
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.0
    }
}

//! Gets the document of one source, once.
//!
//! What this is not: when to get it ([`super::tasks`]) or what happens to it ([`super::state`]).

use std::path::Path;
use std::time::Duration;

use edgeward_core::spiffe::{SpiffeId, TrustDomain};
use thiserror::Error;

use super::KeyOwner;
use super::discovery::{self, DiscoveryError};
use super::document::{Document, DocumentError, DocumentKind};
use super::source::{Origin, Source};
use super::workload_api::{self, StreamError};
use crate::fetch::{self, FetchError, FetchSettings, Fetched, Redirects, Server, SourceUrl};

/// The largest file of keys, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Why a source gave no keys.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A document could not be fetched.
    #[error("`{url}`: {error}")]
    Fetch {
        /// From where.
        url: String,
        /// What went wrong.
        error: FetchError,
    },
    /// The discovery document does not lead to keys.
    #[error("`{url}`: {error}")]
    Discovery {
        /// From where.
        url: String,
        /// What is wrong with it.
        error: DiscoveryError,
    },
    /// A file cannot be read.
    #[error("file `{path}`: {error}")]
    File {
        /// The file.
        path: String,
        /// What the operating system said.
        error: std::io::Error,
    },
    /// What was got is not a key document.
    #[error("`{origin}`: {error}")]
    Document {
        /// From where.
        origin: String,
        /// What is wrong with it.
        error: DocumentError,
    },
    /// A bundle older than the one we have.
    #[error("`spiffe_sequence` went back from {had} to {got}: the bundle is not used")]
    SequenceWentBack {
        /// The highest seen.
        had: u64,
        /// The one refused.
        got: u64,
    },
    /// The Workload API.
    #[error(transparent)]
    WorkloadApi(#[from] StreamError),
}

/// A document, and when the server would like to be asked again.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) document: Document,
    pub(super) hint: Option<Duration>,
}

impl Source {
    /// Gets the document. `current` is the one in force: it vouches for a SPIFFE endpoint.
    pub(super) async fn load(&self, current: Option<&Document>) -> Result<Loaded, LoadError> {
        match &self.origin {
            Origin::Inline(text) => self.parse("inline", text.clone().into_bytes(), None),
            Origin::File(path) => self.parse(&path.display().to_string(), read(path)?, None),
            Origin::Own(own) => self.parse("token service", own.text(), None),
            Origin::Discovery {
                configuration,
                jwks_hosts,
                fetch,
            } => self.discover(configuration, jwks_hosts, fetch).await,
            Origin::Url {
                url,
                redirects,
                fetch,
            } => {
                let server = Server::WebPki(fetch.ca_file.as_deref());
                let fetched = get(url, server, *redirects, fetch).await?;
                self.parse(url.as_str(), fetched.body, fetched.fresh_for)
            }
            Origin::SpiffeEndpoint {
                url,
                id,
                initial,
                fetch,
            } => {
                self.load_from_endpoint(url, id, initial, fetch, current)
                    .await
            }
            Origin::WorkloadApi { endpoint } => match &self.owner {
                KeyOwner::TrustDomain(name) => self.load_from_agent(endpoint, name).await,
                KeyOwner::Issuer(_) => Err(StreamError::NotATrustDomain.into()),
            },
        }
    }

    async fn discover(
        &self,
        configuration: &SourceUrl,
        jwks_hosts: &[String],
        fetch: &FetchSettings,
    ) -> Result<Loaded, LoadError> {
        let server = Server::WebPki(fetch.ca_file.as_deref());
        let found = get(configuration, server, Redirects::SameOrigin, fetch).await?;
        let issuer = self.owner.issuer().ok_or_else(|| LoadError::Discovery {
            url: configuration.to_string(),
            error: DiscoveryError::Member("issuer"),
        })?;
        let url = discovery::jwks_url(
            &found.body,
            issuer,
            configuration,
            jwks_hosts,
            fetch.plaintext,
        )
        .map_err(|error| LoadError::Discovery {
            url: configuration.to_string(),
            error,
        })?;
        let fetched = get(&url, server, Redirects::SameOrigin, fetch).await?;
        self.parse(url.as_str(), fetched.body, fetched.fresh_for)
    }

    async fn load_from_endpoint(
        &self,
        url: &SourceUrl,
        id: &SpiffeId,
        initial: &Path,
        fetch: &FetchSettings,
        current: Option<&Document>,
    ) -> Result<Loaded, LoadError> {
        let vouches_for_itself = self.owner.trust_domain() == Some(&id.trust_domain());
        let initial_bundle;
        let anchor = match current {
            Some(bundle) if vouches_for_itself => bundle,
            _ => {
                initial_bundle = read_bundle(initial)?;
                &initial_bundle
            }
        };
        let server = Server::Spiffe {
            id,
            authorities: &anchor.x509_authorities,
        };
        let fetched = get(url, server, Redirects::SameOriginTemporary, fetch).await?;
        let loaded = self.parse(url.as_str(), fetched.body, fetched.fresh_for)?;
        match (anchor.sequence, loaded.document.sequence) {
            (Some(had), Some(got)) if vouches_for_itself && got < had => {
                Err(LoadError::SequenceWentBack { had, got })
            }
            _ => Ok(loaded),
        }
    }

    async fn load_from_agent(
        &self,
        endpoint: &str,
        name: &TrustDomain,
    ) -> Result<Loaded, LoadError> {
        let document = workload_api::fetch_once(endpoint, name).await?;
        Ok(Loaded {
            document,
            hint: None,
        })
    }

    /// A bundle's own refresh hint goes before the server's.
    fn parse(
        &self,
        origin: &str,
        bytes: Vec<u8>,
        fresh_for: Option<Duration>,
    ) -> Result<Loaded, LoadError> {
        let document =
            Document::parse(self.kind(), bytes).map_err(|error| LoadError::Document {
                origin: origin.to_owned(),
                error,
            })?;
        let hint = document.refresh_hint.map(Duration::from_secs).or(fresh_for);
        Ok(Loaded { document, hint })
    }
}

/// The bundle in a file.
pub(super) fn read_bundle(path: &Path) -> Result<Document, LoadError> {
    Document::parse(DocumentKind::Bundle, read(path)?).map_err(|error| LoadError::Document {
        origin: path.display().to_string(),
        error,
    })
}

async fn get(
    url: &SourceUrl,
    server: Server<'_>,
    redirects: Redirects,
    settings: &FetchSettings,
) -> Result<Fetched, LoadError> {
    fetch::get(url, server, redirects, settings)
        .await
        .map_err(|error| LoadError::Fetch {
            url: url.to_string(),
            error,
        })
}

/// Files are local and small: read in place.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .and_then(|length| {
            let fits = u64::try_from(length).is_ok_and(|length| length <= MAX_FILE_BYTES);
            if fits {
                Ok(())
            } else {
                Err(std::io::ErrorKind::FileTooLarge.into())
            }
        })
        .map_err(|error| LoadError::File {
            path: path.display().to_string(),
            error,
        })?;
    Ok(bytes)
}

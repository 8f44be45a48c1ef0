//! The checked settings of this room: where each issuer's and trust domain's keys come from.
//!
//! The config room builds these from YAML; tests build them by hand. A value of one of these types
//! is already well-formed (URLs have an allowed scheme, names parse). What this is not: proof that
//! files exist or servers answer; `Keyring::open` checks the files, fetching the servers.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use edgeward_core::spiffe::{SpiffeId, TrustDomain};
use edgeward_core::token::{Issuer, TokenRules};

use tokio::sync::watch;

use crate::fetch::{FetchSettings, SourceUrl};

/// Everything the key room needs to know.
#[derive(Debug, Clone, Default)]
pub struct KeySettings {
    /// Issuers of OpenID Connect and other JWTs. Each identifier at most once.
    pub issuers: Vec<IssuerSettings>,
    /// SPIFFE trust domains. Each name at most once.
    pub trust_domains: Vec<TrustDomainSettings>,
    /// How long keys that could not be confirmed stay good, and where they outlive a restart.
    pub cache: CacheSettings,
}

/// One issuer: its name, what its tokens must be like, and where its keys come from.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// The exact value of `iss`.
    pub issuer: Issuer,
    /// What its tokens must be like.
    pub rules: TokenRules,
    /// Where its keys come from.
    pub source: IssuerSource,
}

/// Where an issuer's JWK Set comes from.
#[derive(Debug, Clone)]
pub enum IssuerSource {
    /// OpenID Connect Discovery 1.0 section 4: `<issuer>/.well-known/openid-configuration` names
    /// the `jwks_uri`. The issuer must then be an https URL; `Keyring::open` checks it.
    Discovery {
        /// Hosts besides the issuer's own on which `jwks_uri` may be: `host` (on port 443) or
        /// `host:port`, exact names in lower case. Google, for one, serves its keys from
        /// `www.googleapis.com`.
        jwks_hosts: Vec<String>,
        /// How both documents are fetched.
        fetch: FetchSettings,
    },
    /// A JWK Set at a fixed URL.
    JwksUrl {
        /// The URL.
        url: SourceUrl,
        /// How it is fetched.
        fetch: FetchSettings,
    },
    /// A JWK Set in a file, read again whenever the file changes.
    File(PathBuf),
    /// A JWK Set in the configuration itself, as JSON text. Never grows old.
    Inline(String),
}

impl IssuerSource {
    /// How it is fetched, where it is.
    pub(crate) fn fetch_mut(&mut self) -> Option<&mut FetchSettings> {
        match self {
            Self::Discovery { fetch, .. } | Self::JwksUrl { fetch, .. } => Some(fetch),
            Self::File(_) | Self::Inline(_) => None,
        }
    }
}

/// One trust domain: its name, what its JWT-SVIDs must be like, and where its bundle comes from.
#[derive(Debug, Clone)]
pub struct TrustDomainSettings {
    /// The trust domain.
    pub name: TrustDomain,
    /// What its JWT-SVIDs must be like.
    pub rules: TokenRules,
    /// Where its bundle comes from.
    pub source: BundleSource,
}

/// Where a trust domain's SPIFFE bundle comes from.
#[derive(Debug, Clone)]
pub enum BundleSource {
    /// A bundle in a file, read again whenever the file changes.
    File(PathBuf),
    /// A bundle in the configuration itself, as JSON text. Never grows old.
    Inline(String),
    /// A bundle endpoint with Web PKI (SPIFFE Federation section 5.2.1).
    HttpsWeb {
        /// The endpoint.
        url: SourceUrl,
        /// How it is fetched.
        fetch: FetchSettings,
    },
    /// A bundle endpoint that shows an X.509-SVID (SPIFFE Federation section 5.2.2). `ca_file` of
    /// `fetch` is not used: only the bundle can vouch for the server.
    HttpsSpiffe {
        /// The endpoint; https only.
        url: SourceUrl,
        /// The SPIFFE ID the server must have.
        endpoint_id: SpiffeId,
        /// A file with a bundle of the endpoint's own trust domain. Where that is the trust domain
        /// being fetched, each bundle fetched takes its place; else the file is read every time.
        initial_bundle: PathBuf,
        /// How it is fetched.
        fetch: FetchSettings,
    },
    /// This process's own token service.
    TokenService(OwnBundle),
    /// The SPIFFE Workload API of a local agent.
    WorkloadApi {
        /// `unix:///absolute/path` or `tcp://ip:port`, as in `SPIFFE_ENDPOINT_SOCKET`.
        endpoint: String,
    },
}

impl BundleSource {
    /// How it is fetched, where it is.
    pub(crate) fn fetch_mut(&mut self) -> Option<&mut FetchSettings> {
        match self {
            Self::HttpsWeb { fetch, .. } | Self::HttpsSpiffe { fetch, .. } => Some(fetch),
            Self::File(_) | Self::Inline(_) | Self::TokenService(_) | Self::WorkloadApi { .. } => {
                None
            }
        }
    }
}

/// The bundle of this process's own token service, as it changes.
#[derive(Debug, Clone)]
pub struct OwnBundle(watch::Receiver<Bytes>);

impl OwnBundle {
    /// What `published` says: the text of a bundle.
    pub fn of(published: watch::Receiver<Bytes>) -> Self {
        Self(published)
    }

    /// Of a process that has no token service, such as a command: nothing verifies.
    pub fn absent() -> Self {
        Self(watch::channel(Bytes::from_static(br#"{"keys":[]}"#)).1)
    }

    /// The text, now.
    pub(super) fn text(&self) -> Vec<u8> {
        self.0.borrow().to_vec()
    }

    /// Waits for another text; for ever where there will be none.
    pub(super) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl KeySettings {
    /// With the bundle of this process's own token service, wherever that is trusted.
    #[must_use]
    pub fn with_own_bundle(mut self, own: &OwnBundle) -> Self {
        for domain in &mut self.trust_domains {
            if let BundleSource::TokenService(bundle) = &mut domain.source {
                *bundle = own.clone();
            }
        }
        self
    }
}

/// How long keys stay good without being confirmed, and where they are kept.
#[derive(Debug, Clone)]
pub struct CacheSettings {
    /// Where the last known good keys outlive a restart; `None` means in memory only.
    pub directory: Option<PathBuf>,
    /// Keys not confirmed by their source for this long verify nothing any more.
    pub max_age: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            directory: None,
            max_age: Duration::from_hours(24),
        }
    }
}

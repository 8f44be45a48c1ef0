//! One source of keys: whose they are and where they come from.
//!
//! What this is not: the getting of them ([`super::load`]).

use std::path::PathBuf;

use edgeward_core::spiffe::SpiffeId;
use edgeward_core::token::TokenRules;

use super::discovery;
use super::document::DocumentKind;
use super::{BundleSource, IssuerSettings, IssuerSource, KeyOwner, OwnBundle, TrustDomainSettings};
use crate::fetch::{FetchSettings, Redirects, SourceUrl, SourceUrlError};

/// How a source's document is got.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    Inline(String),
    File(PathBuf),
    Discovery {
        configuration: SourceUrl,
        jwks_hosts: Vec<String>,
        fetch: FetchSettings,
    },
    Url {
        url: SourceUrl,
        redirects: Redirects,
        fetch: FetchSettings,
    },
    SpiffeEndpoint {
        url: SourceUrl,
        id: SpiffeId,
        initial: PathBuf,
        fetch: FetchSettings,
    },
    WorkloadApi {
        endpoint: String,
    },
    Own(OwnBundle),
}

/// One issuer's or trust domain's source.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) owner: KeyOwner,
    pub(super) rules: TokenRules,
    pub(super) origin: Origin,
}

impl Source {
    pub(super) fn of_issuer(settings: IssuerSettings) -> Result<Self, SourceUrlError> {
        let origin = match settings.source {
            IssuerSource::Inline(text) => Origin::Inline(text),
            IssuerSource::File(path) => Origin::File(path),
            IssuerSource::JwksUrl { url, fetch } => Origin::Url {
                url,
                redirects: Redirects::SameOrigin,
                fetch,
            },
            IssuerSource::Discovery { jwks_hosts, fetch } => {
                let configuration =
                    discovery::configuration_url(&settings.issuer, fetch.plaintext)?;
                Origin::Discovery {
                    configuration,
                    jwks_hosts,
                    fetch,
                }
            }
        };
        let owner = KeyOwner::Issuer(settings.issuer);
        Ok(Self {
            owner,
            rules: settings.rules,
            origin,
        })
    }

    pub(super) fn of_trust_domain(settings: TrustDomainSettings) -> Self {
        let origin = match settings.source {
            BundleSource::Inline(text) => Origin::Inline(text),
            BundleSource::File(path) => Origin::File(path),
            BundleSource::HttpsWeb { url, fetch } => Origin::Url {
                url,
                redirects: Redirects::SameOriginTemporary,
                fetch,
            },
            BundleSource::HttpsSpiffe {
                url,
                endpoint_id,
                initial_bundle,
                fetch,
            } => Origin::SpiffeEndpoint {
                url,
                id: endpoint_id,
                initial: initial_bundle,
                fetch,
            },
            BundleSource::WorkloadApi { endpoint } => Origin::WorkloadApi { endpoint },
            BundleSource::TokenService(own) => Origin::Own(own),
        };
        let owner = KeyOwner::TrustDomain(settings.name);
        Self {
            owner,
            rules: settings.rules,
            origin,
        }
    }

    pub(super) fn kind(&self) -> DocumentKind {
        match self.owner {
            KeyOwner::Issuer(_) => DocumentKind::JwkSet,
            KeyOwner::TrustDomain(_) => DocumentKind::Bundle,
        }
    }

    /// The settings by which it is fetched, where it is.
    pub(super) fn fetch_settings(&self) -> Option<&FetchSettings> {
        match &self.origin {
            Origin::Discovery { fetch, .. }
            | Origin::Url { fetch, .. }
            | Origin::SpiffeEndpoint { fetch, .. } => Some(fetch),
            Origin::Inline(_) | Origin::File(_) | Origin::WorkloadApi { .. } | Origin::Own(_) => {
                None
            }
        }
    }

    /// Whether its keys outlive a restart on disk: those that come from elsewhere do.
    pub(super) fn is_remote(&self) -> bool {
        !matches!(
            self.origin,
            Origin::Inline(_) | Origin::File(_) | Origin::Own(_)
        )
    }

    /// Where the keys come from, in one line; also what ties a file on disk to this source.
    pub(super) fn describe(&self) -> String {
        match &self.origin {
            Origin::Inline(_) => "inline".to_owned(),
            Origin::File(path) => format!("file {}", path.display()),
            Origin::Discovery { configuration, .. } => format!("discovery {configuration}"),
            Origin::Url { url, .. } => format!("url {url}"),
            Origin::SpiffeEndpoint { url, id, .. } => format!("https_spiffe {url} as {id}"),
            Origin::WorkloadApi { endpoint } => format!("workload API {endpoint}"),
            Origin::Own(_) => "token service".to_owned(),
        }
    }
}

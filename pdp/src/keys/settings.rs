//! The checked settings of this room: where each issuer's and trust domain's keys come from.
//!
//! The config room builds these from YAML; tests build them by hand. A value of one of these types
//! is already well-formed (URLs have an allowed scheme, names parse). What this is not: proof that
//! files exist or servers answer; `Keyring::open` checks the files, fetching the servers.

use std::path::PathBuf;
use std::time::Duration;

use edgeward_core::spiffe::{SpiffeId, TrustDomain};
use edgeward_core::token::{Issuer, TokenRules};

use super::{Plaintext, SourceUrl};

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
    /// The SPIFFE Workload API of a local agent.
    WorkloadApi {
        /// `unix:///absolute/path` or `tcp://ip:port`, as in `SPIFFE_ENDPOINT_SOCKET`.
        endpoint: String,
    },
}

/// How one source is fetched over the network.
#[derive(Debug, Clone)]
pub struct FetchSettings {
    /// PEM certificates of the only authorities that may vouch for the server; `None` means those
    /// the operating system trusts. Read again at every fetch.
    pub ca_file: Option<PathBuf>,
    /// The longest a fetch may take, from name look-up to last byte.
    pub timeout: Duration,
    /// The largest document, in bytes.
    pub max_bytes: usize,
    /// How often.
    pub refresh: RefreshSettings,
    /// Which addresses may be connected to.
    pub addresses: AddressRule,
    /// Whether URLs that a discovery document or an issuer's name give may be plain http. For
    /// development only; needs [`AddressRule::allow_loopback`] too.
    pub plaintext: Plaintext,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            ca_file: None,
            timeout: Duration::from_secs(5),
            max_bytes: 512 * 1024,
            refresh: RefreshSettings::default(),
            addresses: AddressRule::default(),
            plaintext: Plaintext::Refused,
        }
    }
}

/// How often a source is fetched.
#[derive(Debug, Clone)]
pub struct RefreshSettings {
    /// When the server gives no hint (SPIFFE Federation section 4.1.2 recommends 5 minutes).
    pub interval: Duration,
    /// The server's hint (`Cache-Control: max-age`, `spiffe_refresh_hint`) is not followed below…
    pub shortest: Duration,
    /// …nor above these bounds. A withdrawn key lives at most this long where the server answers.
    pub longest: Duration,
    /// The longest wait between attempts while the server fails; the first is a second.
    pub longest_backoff: Duration,
    /// The shortest time between two fetches caused by tokens with an unknown `kid`.
    pub unknown_key_interval: Duration,
}

impl Default for RefreshSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_mins(5),
            shortest: Duration::from_secs(30),
            longest: Duration::from_hours(1),
            longest_backoff: Duration::from_mins(1),
            unknown_key_interval: Duration::from_secs(10),
        }
    }
}

/// Which addresses may be connected to. Unspecified, multicast, broadcast and the clouds' metadata
/// addresses never; private ones (10/8, `fc00::/7` …) always: issuers in a cluster live there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AddressRule {
    /// 127.0.0.0/8 and `::1`.
    pub allow_loopback: bool,
    /// 169.254.0.0/16 and `fe80::/10`, still without the metadata addresses.
    pub allow_link_local: bool,
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

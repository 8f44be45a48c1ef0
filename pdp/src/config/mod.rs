//! The configuration: one YAML file, read in two stages.
//!
//! 1. `read`: bytes → [`RawConfig`], exactly what was written; unknown and duplicate keys are
//!    errors.
//! 2. `check`: [`RawConfig`] → [`Config`], every value of its final type, combinations judged,
//!    paths resolved against the file's folder; all problems are reported at once.
//!
//! Nothing after start-up sees a `RawConfig`, and nothing of a refused file is ever applied. What
//! this is not: proof that the files named exist and are sound; `edgeward check` goes on to that.

mod check;
mod lines;
mod problem;
mod raw;
mod raw_atoms;
mod raw_attestation;
mod raw_bundles;
mod raw_evidence;
mod raw_ext_authz;
mod raw_text;
mod raw_trust;
mod read;
mod schema;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use problem::{ConfigError, Field, Problem};
pub use raw::RawConfig;
pub use read::MAX_CONFIG_BYTES;
pub use schema::json_schema;

use crate::atoms::AtomSettings;
use crate::bundle::BundlesSettings;
use crate::cache::CacheSettings;
use crate::inventory::InventorySettings;
use crate::keys::KeySettings;
use crate::policy::{BuiltinErrors, EngineChoice, PolicySettings, Quantum};
use crate::service::{Administrators, ExtAuthzSettings, Limits, OpaApi, Searches};
use crate::token_service::TokenServiceSettings;

/// The rule that decides where the file names none.
pub const DEFAULT_ENTRYPOINT: &str = "data.edgeward.authz.decision";

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// What may be relaxed.
    pub environment: Environment,
    /// Where the PDP listens; never empty.
    pub listeners: Vec<Listener>,
    /// A listener of its own for health and metrics.
    pub admin: Option<SocketAddr>,
    /// The `https` URL by which callers know this PDP.
    pub public_url: Option<String>,
    /// How many threads decide.
    pub workers: NonZeroUsize,
    /// The policies.
    pub policies: Policies,
    /// Bounds on what callers may ask for.
    pub limits: Limits,
    /// How decisions are remembered.
    pub cache: CacheSettings,
    /// Where revocations are kept, and who may make them.
    pub revocations: Option<Revocations>,
    /// OPA's REST API; none where it is not served.
    pub opa_api: Option<OpaApi>,
    /// Who may be found.
    pub searches: Searches,
    /// The longest a feed request may wait for news.
    pub sync_max_wait: Duration,
    /// The doors for proxies without a filter of ours.
    pub ext_authz: Option<ExtAuthzSettings>,
    /// Networks, routes, schedules and countries.
    pub atoms: AtomSettings,
    /// Whom we believe and where their keys come from.
    pub keys: KeySettings,
    /// Tokens of our own; none where none are issued.
    pub token_service: Option<TokenServiceSettings>,
    /// Who was seen; none where nobody is noted.
    pub inventory: Option<InventorySettings>,
}

/// Whether what is only fit for a laptop is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// Nothing is relaxed.
    Production,
    /// Keys over plain http from this machine, plaintext listeners, `edgeward token mint`.
    Development,
}

/// One place to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listener {
    /// TCP, with TLS or without.
    Tcp {
        /// Address and port; port 0 lets the system choose.
        address: SocketAddr,
        /// The certificate to serve.
        tls: Option<TlsFiles>,
    },
    /// A Unix socket.
    Unix {
        /// Its path.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

/// The files of a TLS listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the certificate chain, leaf first.
    pub certificate: PathBuf,
    /// PEM: the private key.
    pub key: PathBuf,
    /// PEM: the authorities of client certificates, which are then mandatory.
    pub client_ca: Option<PathBuf>,
    /// Whether X.509-SVIDs of the trust providers are mandatory, and only tokens are served.
    pub client_svids: bool,
}

/// Revocations: where they are kept, and who may make them.
#[derive(Debug, Clone)]
pub struct Revocations {
    /// A folder that only this PDP writes to.
    pub directory: PathBuf,
    /// Who may revoke; somebody may.
    pub administrators: Administrators,
}

/// The policies, and how they are evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies {
    /// Where they come from.
    pub source: PolicySource,
    /// The rule that decides, such as [`DEFAULT_ENTRYPOINT`].
    pub entrypoint: String,
    /// Whether the folder is watched.
    pub watch: bool,
    /// The longest an evaluation may take.
    pub evaluation_timeout: Duration,
    /// How long `time.now_ns()` stands still; from `cache`, where answers that rest on it are the point.
    pub clock_quantum: Option<Quantum>,
    /// What evaluates them.
    pub engine: EngineChoice,
}

/// Where policies come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// The example embedded in the program.
    Example,
    /// A folder.
    Directory(PathBuf),
    /// Policy bundles.
    Bundles(BundlesSettings),
}

impl Policies {
    /// Whether `text` is a path of plain names below `data`: an entry point is never parsed as Rego.
    pub fn is_entrypoint(text: &str) -> bool {
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        text.strip_prefix("data.")
            .is_some_and(|path| path.split('.').all(is_name))
    }

    /// The bundles, where policies come from some.
    pub fn bundles(&self) -> Option<&BundlesSettings> {
        match &self.source {
            PolicySource::Bundles(bundles) => Some(bundles),
            PolicySource::Example | PolicySource::Directory(_) => None,
        }
    }

    /// As the policy room takes them. Of bundles it knows nothing: for those nothing is to be loaded.
    pub fn settings(&self) -> PolicySettings {
        let directory = match &self.source {
            PolicySource::Directory(path) => Some(path.clone()),
            PolicySource::Example | PolicySource::Bundles(_) => None,
        };
        PolicySettings {
            directory,
            entry_point: self.entrypoint.clone(),
            evaluation_timeout: self.evaluation_timeout,
            clock_quantum: self.clock_quantum,
            engine: self.engine,
            builtin_errors: BuiltinErrors::Fail,
        }
    }
}

impl Config {
    /// Reads and checks `file`. Relative paths in it are relative to its folder.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = read::read_text(file)?;
        let base = file.parent().unwrap_or(Path::new(""));
        Self::parse(&text, base).map_err(|problems| ConfigError::Refused {
            file: file.to_owned(),
            problems,
        })
    }

    /// Checks YAML `text` whose relative paths are relative to `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, Vec<Problem>> {
        let raw = read::parse(text).map_err(|problem| vec![problem])?;
        check::check(raw, base).map_err(|mut problems| {
            let lines = lines::Lines::of(text);
            for problem in &mut problems {
                problem.line = lines.of_field(&problem.field);
            }
            problems
        })
    }

    /// What `edgeward` runs with when no file is given: loopback, the embedded example policy, no
    /// issuer and no trust domain.
    pub fn standalone() -> Result<Self, Vec<Problem>> {
        check::check(RawConfig::default(), Path::new(""))
    }
}

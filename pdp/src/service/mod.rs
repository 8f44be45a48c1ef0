//! The PDP as a service: sockets in, decisions out.
//!
//! [`bind`] opens every listener and says where; [`Bound::serve`] answers until told to stop and
//! then drains. One thread a worker, each with a runtime and a policy engine of its own; they share
//! immutable state and meet on no lock.
//!
//! Order of reading: `worker` (threads, accept loop), `connection` (one connection and its
//! deadlines), `router` (path → door), then the doors: `authzen` (and `decide`, one decision),
//! `ext_authz`, `opa` (OPA's API), `sync`, `unknown_keys`, `revocations` (and `administrators`, whom it
//! lets in), `health`, `metrics`.
//!
//! What this is not: it decides nothing itself (`crate::policy`) and fetches no keys
//! (`crate::keys`).

mod accept;
mod activity;
mod administrators;
mod asked;
mod authzen;
mod body;
mod bundle_metrics;
mod cache_metrics;
mod clock;
mod connection;
mod decide;
mod evaluations;
mod ext_authz;
mod health;
mod histogram;
mod identifiers;
pub mod in_process;
mod inventory;
mod inventory_metrics;
mod listen;
mod metadata;
pub mod metrics;
mod opa;
mod payload;
mod place;
mod policy_metrics;
mod projected;
mod put;
mod question;
mod question_key;
mod reading;
mod reply;
mod revocations;
mod revoked;
mod router;
mod search;
mod serving;
mod settle;
mod striped;
mod supplied;
mod svid_clients;
mod sync;
mod throttle;
pub mod tls;
mod token;
mod trace;
mod unknown_keys;
mod worker;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use administrators::{Administrators, OperatorId, OperatorIdError};
pub use ext_authz::{Dialect, ExtAuthzSettings, Gateway, PeerSettings, TokenSettings};
pub use inventory::INVENTORY_PATH;
pub(crate) use listen::open_socket;
pub use listen::{BindError, BoundAddress, ListenAddress, Listener};
pub use opa::{Authorization, OpaApi};
pub use question::read_input;
pub use revocations::REVOCATIONS_PATH;
pub use search::Searches;
pub use throttle::Rate;
pub use token::TOKEN_PATH;

use self::listen::Socket;
use self::metrics::Metrics;
use crate::atoms::Atoms;
use crate::bundle::Bundles;
use crate::cache::{CacheSettings, DecisionCache};
use crate::inventory::Inventory;
use crate::keys::Keyring;
use crate::policy::{LoadError, PolicyState};
use crate::revocation::RevocationStore;
use crate::token_service::TokenService;

/// Checked settings of the service; `crate::config` converts into this.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// Where decisions are asked for; never empty.
    pub listeners: Vec<Listener>,
    /// A listener of its own for health and metrics; without it they are on every listener.
    pub admin: Option<SocketAddr>,
    /// Threads that decide.
    pub workers: NonZeroUsize,
    /// Bounds on what callers may ask for.
    pub limits: Limits,
    /// How decisions are remembered.
    pub cache: CacheSettings,
    /// The longest a sync feed request waits for news.
    pub sync_max_wait: Duration,
    /// `https` identifier of this PDP for its `AuthZEN` metadata; without it a TLS listener answers
    /// with the host it is asked by, and a plaintext one has no metadata.
    pub public_url: Option<String>,
    /// Who may revoke.
    pub administrators: Administrators,
    /// What holds at the doors of proxies without a filter of ours; none, and there is no such door.
    pub ext_authz: Option<ExtAuthzSettings>,
    /// OPA's REST API; none where it is not served.
    pub opa_api: Option<OpaApi>,
    /// Who may be found.
    pub searches: Searches,
}

/// Bounds on what callers may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest request body, in bytes.
    pub body: usize,
    /// The most connections at once, on all listeners together.
    pub connections: usize,
    /// The longest a TLS handshake or the head of a request may take to arrive.
    pub head_timeout: Duration,
    /// The longest a request body may take to arrive, or a response to be taken.
    pub request_timeout: Duration,
    /// How long a connection may lie idle; [`Limits::head_timeout`] once three quarters of
    /// `connections` are taken. Longer than Envoy's own (an hour), so that Envoy closes first and
    /// no request meets a closing connection.
    pub idle_timeout: Duration,
    /// How long a stopping PDP waits for requests in flight.
    pub drain: Duration,
    /// What one caller may ask; none for as much as it likes.
    pub rate: Option<Rate>,
    /// The most calls in flight at once; none for as many as there are connections for.
    pub in_flight: Option<NonZeroUsize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1024 * 1024,
            connections: 1024,
            head_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_mins(65),
            drain: Duration::from_secs(10),
            rate: None,
            in_flight: None,
        }
    }
}

/// What the service serves from.
#[derive(Clone)]
pub struct ServiceState {
    /// From [`crate::policy::PolicyStore::subscribe`].
    pub policies: watch::Receiver<PolicyState>,
    /// Told to filters by the sync feed; whoever made it has started it.
    pub keys: Arc<Keyring>,
    /// What tells questions their atoms.
    pub atoms: Arc<Atoms>,
    /// The decisions remembered.
    pub cache: Arc<DecisionCache>,
    /// What is revoked; whoever opened it lets it expire.
    pub revocations: Arc<RevocationStore>,
    /// The policy bundles; none where policies come from elsewhere.
    pub bundles: Option<Arc<Bundles>>,
    /// What issues tokens; none where none are issued.
    pub token_service: Option<Arc<TokenService>>,
    /// Who was seen; none where nobody is noted.
    pub inventory: Option<Arc<Inventory>>,
    /// Where everything is counted.
    pub metrics: Arc<Metrics>,
}

/// Listeners that are open but not yet served.
pub struct Bound {
    settings: ServiceSettings,
    state: ServiceState,
    sockets: Vec<Socket>,
    addresses: Vec<BoundAddress>,
}

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every request in flight was answered.
    Drained,
    /// The drain deadline passed with so many connections open.
    CutOff(usize),
}

/// Why serving could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The policy engine of a worker could not be built.
    #[error("cannot build a worker's policy engine: {0}")]
    Policy(#[from] LoadError),
    /// The system gave no thread or runtime.
    #[error("cannot start a worker: {0}")]
    Worker(std::io::Error),
    /// A worker ended on its own.
    #[error("a worker ended unexpectedly")]
    Ended,
}

/// Opens every listener.
pub fn bind(settings: ServiceSettings, state: ServiceState) -> Result<Bound, BindError> {
    let mut sockets = Vec::new();
    for listener in &settings.listeners {
        let role = if listener.is_for_tokens {
            router::Role::Tokens
        } else if settings.admin.is_some() {
            router::Role::Decide
        } else {
            router::Role::Both
        };
        sockets.push(Socket::open(
            &listener.address,
            listener.tls.clone(),
            role,
            settings.workers,
        )?);
    }
    if let Some(admin) = settings.admin {
        let address = ListenAddress::Tcp(admin);
        sockets.push(Socket::open(
            &address,
            None,
            router::Role::Admin,
            settings.workers,
        )?);
    }
    let addresses = sockets
        .iter()
        .map(|socket| socket.address.clone())
        .collect();
    Ok(Bound {
        settings,
        state,
        sockets,
        addresses,
    })
}

impl Bound {
    /// Where it listens, in the order of the settings, the admin listener last.
    pub fn addresses(&self) -> &[BoundAddress] {
        &self.addresses
    }

    /// Answers until `until` is done, then drains.
    pub async fn serve(self, until: impl Future<Output = ()>) -> Result<Ended, ServeError> {
        serving::serve(self.settings, self.state, self.sockets, until).await
    }
}

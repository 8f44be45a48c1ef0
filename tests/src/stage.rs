//! All parts together: client → Envoy with the filter → upstream, and the PDP behind the tap.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use crate::envoy::{Envoy, Launch};
use crate::keys::Keys;
use crate::pdp::Pdp;
use crate::process::wait_for;
use crate::raw::{self, Request};
use crate::reply::Reply;
use crate::setup::Setup;
use crate::tap::Tap;
use crate::upstream::Upstream;

/// How long the filter may need to be told keys and policy after the PDP is ready.
const FEED: Duration = Duration::from_secs(20);

/// A running whole.
pub struct Stage {
    /// Who exists.
    pub keys: Arc<Keys>,
    /// The PDP.
    pub pdp: Pdp,
    /// What sits before it.
    pub tap: Tap,
    /// What Envoy forwards to.
    pub upstream: Upstream,
    /// Envoy.
    pub envoy: Envoy,
}

impl Stage {
    /// The plain setup, ready to decide.
    pub fn local() -> Self {
        Self::with(Setup::local(), &Launch::default())
    }

    /// `setup` on these parts, ready to decide.
    pub fn with(setup: Setup, launch: &Launch) -> Self {
        Self::with_keys(Arc::new(Keys::generate()), setup, launch)
    }

    /// The setup with client certificates, ready to decide, after `change`.
    pub fn mtls(change: impl FnOnce(Setup) -> Setup) -> (Self, TempDir) {
        let keys = Arc::new(Keys::generate());
        let folder = TempDir::with_prefix("edgeward-tls").expect("a temporary folder");
        let server = keys.authority.issue(&["spiffe://example.org/edge/envoy"]);
        keys.authority.write_server(&server, folder.path());
        std::fs::write(folder.path().join("other.pem"), keys.other_authority.pem())
            .expect("a file is written");
        let setup = change(Setup::mtls(folder.path()));
        (
            Self::without_waiting(keys, setup, &Launch::default()),
            folder,
        )
    }

    /// `setup` with these keys, ready to decide.
    pub fn with_keys(keys: Arc<Keys>, setup: Setup, launch: &Launch) -> Self {
        let stage = Self::without_waiting(keys, setup, launch);
        stage.wait_until_ready();
        stage
    }

    /// Starts everything; the filter may still be waiting for its first feed.
    pub fn without_waiting(keys: Arc<Keys>, setup: Setup, launch: &Launch) -> Self {
        let pdp = Pdp::start(&keys);
        let tap = Tap::start(pdp.address());
        let upstream = Upstream::start();
        let setup = setup
            .cluster("edgeward_pdp", tap.address())
            .cluster("upstream", upstream.address());
        let envoy = Envoy::launch(&setup, launch);
        Self {
            keys,
            pdp,
            tap,
            upstream,
            envoy,
        }
    }

    /// Waits until every worker's filter has been told keys and policy.
    ///
    /// # Panics
    /// With Envoy's last answer and log when that takes more than 20 seconds.
    pub fn wait_until_ready(&self) {
        let mut last = Reply::default();
        let ready = wait_for(FEED, || {
            // The kernel spreads connections over the workers: enough of them reach each one.
            (0..16)
                .all(|_| {
                    last = Request::get("/is-it-ready").send(self.envoy.address());
                    last.status == 401
                })
                .then_some(())
        });
        assert!(
            ready.is_some(),
            "the filter did not become ready: {} {}\n{}",
            last.status,
            last.text(),
            crate::envoy::tail(&self.envoy.log())
        );
    }

    /// Sends a request on a fresh plain connection.
    pub fn send(&self, request: &Request) -> Reply {
        request.send(self.envoy.address())
    }

    /// `GET target` by the frontend, which the tests' policy allows.
    pub fn allowed(&self, target: impl AsRef<[u8]>) -> Request {
        Request::get(target).bearer(&self.keys.jwt_svid(crate::keys::FRONTEND))
    }

    /// A fresh TCP connection to Envoy.
    pub fn connect(&self) -> std::net::TcpStream {
        raw::connect(self.envoy.address()).expect("the listener accepts")
    }
}

/// A folder of the tests' own policies.
pub fn policy_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("policy")
}

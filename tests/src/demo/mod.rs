//! The demo: the whole path on one machine, with the shipped policies and both Envoy setups.
//!
//! Its parts are the tests' own; what is particular to it is `cases` and how they are shown.

mod cases;
mod table;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::built;
use crate::envoy::{Envoy, Launch};
use crate::keys::Keys;
use crate::pdp::Pdp;
use crate::process::wait_for;
use crate::raw::{self, Request};
use crate::reply::Reply;
use crate::setup::Setup;
use crate::upstream::Upstream;

use cases::{Case, Way};

/// The demo's trust domain, as `policies/data` knows it.
const TRUST_DOMAIN: &str = "demo.edgeward.dev";
const ISSUER: &str = "https://issuer.demo.edgeward.dev";
const FRONTEND: &str = "spiffe://demo.edgeward.dev/ns/shop/sa/frontend";
const BATCH: &str = "spiffe://demo.edgeward.dev/ns/shop/sa/batch";
const PIPELINE: &str = "repo:acme/shop:ref:refs/heads/main";

/// The running demo.
pub struct Demo {
    keys: Arc<Keys>,
    pdp: Pdp,
    upstream: Upstream,
    plain: Envoy,
    mtls: Envoy,
    folder: TempDir,
}

impl Demo {
    /// Starts all parts, saying what it does.
    ///
    /// # Panics
    /// With the log of the part that does not start.
    pub fn start() -> Self {
        let step = Progress::new();
        let (filter, binary) = (built::filter(), built::edgeward());
        step.done(&format!("filter {}, PDP {}", size(filter), size(binary)));
        let keys = Arc::new(Keys::of(TRUST_DOMAIN, ISSUER));
        let folder = TempDir::with_prefix("edgeward-demo").expect("a temporary folder");
        let server = keys
            .authority
            .issue(&["spiffe://demo.edgeward.dev/edge/envoy"]);
        keys.authority.write_server(&server, folder.path());
        step.done("keys of one trust domain, one issuer and one certificate authority");
        let pdp = Pdp::start_with(&keys, &built::workspace().join("policies"));
        step.done(&format!("PDP on {} with policies/", pdp.address()));
        let upstream = Upstream::start();
        step.done(&format!("sample upstream on {}", upstream.address()));
        let parts = |setup: Setup| {
            let setup = setup
                .cluster("edgeward_pdp", pdp.address())
                .cluster("upstream", upstream.address());
            Envoy::launch(&setup, &Launch::default())
        };
        let plain = parts(Setup::local());
        step.done(&format!("Envoy on {} (envoy/local)", plain.address()));
        let mtls = parts(Setup::mtls(folder.path()).trust_domain(TRUST_DOMAIN));
        step.done(&format!(
            "Envoy with client certificates on {} (envoy/mtls)",
            mtls.address()
        ));
        let demo = Self {
            keys,
            pdp,
            upstream,
            plain,
            mtls,
            folder,
        };
        demo.wait_until_ready();
        step.done("both filters have their keys");
        demo
    }

    /// Sends every case and prints the table; how many lines are not as they must be.
    pub fn show(&self) -> usize {
        println!();
        let mut table = table::Table::new();
        for case in cases::all(&self.keys) {
            let before = self.upstream.count();
            let started = Instant::now();
            let reply = self.send(&case);
            let micros = started.elapsed().as_micros();
            let passed = self.upstream.count() > before;
            table.line(&case, reply.as_ref().ok(), passed, micros);
        }
        table.end()
    }

    /// Prints what to try by hand, with fresh tokens.
    pub fn invite(&self) {
        let write = |name: &str, text: String| {
            let path = self.folder.path().join(name);
            std::fs::write(&path, text).expect("a file is written");
            path.display().to_string()
        };
        let frontend = write("frontend.jwt", self.keys.jwt_svid(FRONTEND));
        let leaf = self.keys.authority.issue(&[FRONTEND]);
        let certificate = write("frontend.pem", leaf.pem());
        let key = write("frontend.key", leaf.key_pem());
        let bundle = self.folder.path().join("bundle.pem");
        println!(
            "\nEverything stays up; end it with Ctrl-C. Tokens are good for five minutes. Try:\n"
        );
        println!(
            "  curl -si -H \"Authorization: Bearer $(cat {frontend})\" http://{}/orders",
            self.plain.address()
        );
        println!(
            "  curl -si -H \"Authorization: Bearer $(cat {frontend})\" http://{}/reports/today",
            self.plain.address()
        );
        println!(
            "  curl -si --path-as-is http://{}/orders/../reports",
            self.plain.address()
        );
        println!(
            "  curl -si --cacert {} --cert {certificate} --key {key} \\\n       --connect-to localhost:443:{} https://localhost/orders",
            bundle.display(),
            self.mtls.address()
        );
        println!("  curl -s http://{}/health/ready", self.pdp.address());
        println!(
            "  curl -s http://{}/stats?filter=edgeward",
            self.plain.admin()
        );
    }

    fn wait_until_ready(&self) {
        let probe = Case::probe();
        let ready = wait_for(Duration::from_secs(30), || {
            let ready = |_| {
                let over_mtls = Case {
                    way: Way::Mtls(self.keys.authority.issue(&[BATCH])),
                    ..Case::probe()
                };
                self.send(&probe).is_ok_and(|reply| reply.status == 401)
                    && self.send(&over_mtls).is_ok_and(|reply| reply.status == 403)
            };
            (0..8).all(ready).then_some(())
        });
        assert!(
            ready.is_some(),
            "the filters were not told keys and policy:\n{}\n{}",
            self.pdp.log(),
            crate::envoy::tail(&self.plain.log())
        );
    }

    fn send(&self, case: &Case) -> std::io::Result<Reply> {
        match &case.way {
            Way::Plain => exchange(self.plain.address(), &case.request),
            Way::Mtls(leaf) => {
                let stream = raw::connect(self.mtls.address())?;
                let tls = self.keys.authority.connect(stream, Some(leaf));
                raw::exchange(tls.map_err(std::io::Error::other)?, &case.request.bytes())
            }
        }
    }
}

fn exchange(address: SocketAddr, request: &Request) -> std::io::Result<Reply> {
    raw::exchange(raw::connect(address)?, &request.bytes())
}

fn size(file: &std::path::Path) -> String {
    let bytes = std::fs::metadata(file).map_or(0, |about| about.len());
    format!("{} kB", bytes / 1000)
}

/// Says what has been done and how long it took.
struct Progress {
    since: std::cell::Cell<Instant>,
}

impl Progress {
    fn new() -> Self {
        Self {
            since: Instant::now().into(),
        }
    }

    fn done(&self, what: &str) {
        let took = self.since.replace(Instant::now()).elapsed();
        println!("{:>6.2} s  {what}", took.as_secs_f32());
    }
}

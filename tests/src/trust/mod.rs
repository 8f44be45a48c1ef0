//! Workloads that get in by what their platforms vouch for: the parts of `./just demo-trust` and of its
//! tests. Real Envoys, the real filter, the real PDP with its token service, and platforms whose keys are
//! fetched over https.
//!
//! What this is not: the platforms themselves. Their tokens have the shape of the real ones, and keys of
//! our own.

pub mod cases;
mod configuration;
pub mod platforms;

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::built;
use crate::ca::{Authority, Leaf};
use crate::envoy::{Envoy, Launch};
use crate::pdp::{Pdp, free_address};
use crate::process::wait_for;
use crate::raw::Request;
use crate::reply::Reply;
use crate::setup::Setup;
use crate::upstream::Upstream;

use self::cases::{Ask, Case, Outcome};
use self::configuration::configuration;
use self::platforms::Platforms;

/// The trust domain of the token service.
pub const TRUST_DOMAIN: &str = "prod.demo";

/// The running parts.
pub struct Trust {
    /// Where workloads run.
    pub platforms: Platforms,
    /// The PDP with its token service.
    pub pdp: Pdp,
    /// Issues client certificates.
    pub authority: Authority,
    over_tls: SocketAddr,
    for_svids: SocketAddr,
    for_partners: SocketAddr,
    /// The proxy in front of the services.
    pub envoy: Envoy,
    mtls: Envoy,
    upstream: Upstream,
    folder: TempDir,
}

impl Trust {
    /// Starts all parts and waits until they are ready.
    ///
    /// # Panics
    /// With the log of the part that does not start.
    pub fn start() -> Self {
        Self::with(&json!({}))
    }

    /// The same, with members of `token_service` as given.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn with(token_service: &Value) -> Self {
        Self::of(&json!({ "token_service": token_service }))
    }

    /// The same, with parts of the configuration as given.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn of(changes: &Value) -> Self {
        let folder = TempDir::with_prefix("edgeward-trust").expect("a temporary folder");
        let authority = Authority::new(TRUST_DOMAIN);
        let server = authority.issue(&["spiffe://prod.demo/edge"]);
        authority.write_server(&server, folder.path());
        let platforms = Platforms::start();
        let over_tls = free_address();
        let mut config = configuration(&platforms, &folder);
        merge(&mut config, changes);
        let policies = built::workspace().join("tests/policy-trust");
        let mut pdp = Pdp::prepare(&config, &policies);
        let tls = json!({
            "certificate": folder.path().join("server.pem"),
            "key": folder.path().join("server.key"),
            "client_ca": folder.path().join("bundle.pem"),
        });
        pdp.listen_too(&json!({ "tcp": over_tls.to_string(), "tls": tls }));
        let for_partners = free_address();
        let tls = json!({
            "certificate": folder.path().join("server.pem"),
            "key": folder.path().join("server.key"),
        });
        pdp.listen_too(&json!({ "tcp": for_partners.to_string(), "tls": tls }));
        let for_svids = free_address();
        let mut providers = config["trust_providers"].as_array().into_iter().flatten();
        if providers.any(|provider| provider.get("spiffe").is_some()) {
            let tls = json!({
                "certificate": folder.path().join("server.pem"),
                "key": folder.path().join("server.key"),
                "client_svids": true,
            });
            pdp.listen_too(&json!({ "tcp": for_svids.to_string(), "tls": tls }));
        }
        pdp.run();
        let upstream = Upstream::start();
        let parts = |setup: Setup| {
            let setup = setup
                .cluster("edgeward_pdp", pdp.address())
                .cluster("upstream", upstream.address());
            Envoy::launch(&setup, &Launch::default())
        };
        let envoy = parts(Setup::local());
        let mtls = parts(Setup::mtls(folder.path()).trust_domain(TRUST_DOMAIN));
        let trust = Self {
            platforms,
            pdp,
            authority,
            over_tls,
            for_svids,
            for_partners,
            envoy,
            mtls,
            upstream,
            folder,
        };
        trust.wait_until_ready();
        trust
    }

    /// Asks the token service, in plain, or over TLS with a certificate.
    pub fn ask(&self, form: &[(&str, &str)], certificate: Option<&Leaf>) -> Reply {
        let request = Request::new("POST", "/edgeward/v1/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encoded(form));
        match certificate {
            None => request.send(self.pdp.address()),
            Some(leaf) => self.over_tls(leaf, self.over_tls, &request),
        }
    }

    /// Where the token service listens with TLS, and asks for certificates.
    pub fn tls_address(&self) -> SocketAddr {
        self.over_tls
    }

    /// How a partner's PDP trusts the tokens that are issued here: by the bundle's door, over https.
    pub fn as_trust_domain(&self, audiences: &[&str]) -> Value {
        let port = self.for_partners.port();
        json!({
            "name": TRUST_DOMAIN, "audiences": audiences,
            "bundle": { "https_web": { "url": format!("https://localhost:{port}/edgeward/v1/bundle.json") } },
            "fetch": {
                "ca_file": self.folder.path().join("bundle.pem"), "allow_loopback": true, "refresh": "1s",
            },
        })
    }

    /// Sends a request to the listener for X.509-SVIDs, with that one; the default where TLS lets nobody in.
    pub fn send_by_svid(&self, svid: Option<&Leaf>, request: &Request) -> Reply {
        self.authority.send(self.for_svids, svid, request)
    }

    /// Sends a request through Envoy, with a client certificate or without.
    pub fn call(&self, path: &str, token: &str, certificate: Option<&Leaf>) -> Reply {
        let request = Request::get(path).bearer(token);
        match certificate {
            None => request.send(self.envoy.address()),
            Some(leaf) => self.over_tls(leaf, self.mtls.address(), &request),
        }
    }

    fn over_tls(&self, leaf: &Leaf, address: SocketAddr, request: &Request) -> Reply {
        self.authority.send(address, Some(leaf), request)
    }

    /// Plays a case: what came of it.
    pub fn play(&self, case: &Case) -> Outcome {
        let (token, shown_with) = match &case.ask {
            Ask::Show { token, certificate } => (token.clone(), certificate.as_ref()),
            Ask::Exchange { form, certificate } => {
                let form: Vec<(&str, &str)> = form
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                let reply = self.ask(&form, certificate.as_ref());
                let answer = reply.json();
                let Some(token) = answer["access_token"].as_str() else {
                    let code = answer["code"].as_str().unwrap_or("no answer");
                    return Outcome::NoToken(code.to_owned());
                };
                (token.to_owned(), certificate.as_ref())
            }
        };
        let before = self.upstream.count();
        let reply = self.call(case.path, &token, shown_with);
        let passed = self.upstream.count() > before;
        if reply.status == 200 && passed {
            return Outcome::Passed;
        }
        Outcome::Denied(reply.status, reply.code())
    }

    fn wait_until_ready(&self) {
        let probe = |certificate| self.call("/probe", "", certificate).status == 401;
        let leaf = self.authority.issue(&["spiffe://prod.demo/batch"]);
        let ready = wait_for(Duration::from_secs(30), || {
            (0..8)
                .all(|_| probe(None) && probe(Some(&leaf)))
                .then_some(())
        });
        assert!(ready.is_some(), "not ready:\n{}", self.pdp.log());
    }
}

/// Sets what `other` has, member by member.
pub(crate) fn merge(value: &mut Value, other: &Value) {
    match (value.as_object_mut(), other.as_object()) {
        (Some(members), Some(others)) => {
            for (name, other) in others {
                merge(members.entry(name).or_insert(Value::Null), other);
            }
        }
        _ => *value = other.clone(),
    }
}

/// A form as browsers and OAuth clients write it.
pub(crate) fn encoded(form: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in form {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    text
}

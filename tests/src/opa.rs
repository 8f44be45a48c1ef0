//! The real OPA as a server, following a bundle of a [`BundleServer`]: what it makes of a bundle is what
//! the PDP must make of it.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::built;
use crate::bundle_server::{BundleServer, TOKEN};
use crate::pdp::free_address;
use crate::process::{Process, wait_for};
use crate::raw;
use crate::registry::Registry;

/// A running OPA.
pub struct Opa {
    process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Opa {
    /// Starts it as a follower of `server`'s bundle, which it calls `authz`; none where there is no OPA
    /// (`./just setup-opa`).
    pub fn following(server: &BundleServer) -> Option<Self> {
        let (origin, resource) = server.url_in_two();
        let service = json!({
            "url": origin,
            "credentials": { "bearer": { "token": TOKEN } },
            "tls": { "ca_cert": server.ca_file() },
        });
        Self::start(&service, resource)
    }

    /// The same of an artifact of this tag in `registry`.
    pub fn pulling(registry: &Registry, tag: &str) -> Option<Self> {
        let resource = registry.reference(&format!(":{tag}"));
        let resource = resource.trim_start_matches("oci://");
        let (host, _) = resource.split_once('/').expect("a registry");
        let service = json!({
            "url": format!("https://{host}"),
            "type": "oci",
            "tls": { "ca_cert": registry.ca_file() },
        });
        Self::start(&service, resource)
    }

    fn start(service: &Value, resource: &str) -> Option<Self> {
        let program = built::opa()?;
        let folder = TempDir::with_prefix("edgeward-opa").expect("a temporary folder");
        let config = json!({
            "services": { "bundles": service },
            "persistence_directory": folder.path().join("kept"),
            "bundles": { "authz": {
                "service": "bundles",
                "resource": resource,
                "polling": { "min_delay_seconds": 1, "max_delay_seconds": 1 },
            }},
        });
        let file = folder.path().join("opa.json");
        std::fs::write(&file, config.to_string()).expect("a file is written");
        let address = free_address();
        let mut command = Command::new(program);
        command
            .args(["run", "--server", "--disable-telemetry", "--addr"])
            .arg(address.to_string())
            .arg("--config-file")
            .arg(file);
        let log = folder.path().join("opa.log");
        let process = Process::start(command, &log).expect("OPA starts");
        Some(Self {
            process,
            address,
            _folder: folder,
        })
    }

    /// What stands at this path below `data`; null where nothing does.
    pub fn data(&self, path: &str) -> Value {
        let reply = raw::get(self.address, &format!("/v1/data/{path}"));
        reply.map_or(Value::Null, |reply| reply.json()["result"].clone())
    }

    /// Waits until the bundle of this revision is in force.
    ///
    /// # Panics
    /// When that takes too long, with OPA's log.
    #[track_caller]
    pub fn until_revision(&self, revision: &str) {
        let path = "system/bundles/authz/manifest/revision";
        let is_there = || (self.data(path) == revision).then_some(());
        let found = wait_for(Duration::from_secs(20), is_there);
        assert!(found.is_some(), "{revision}: {}", self.process.log());
    }
}

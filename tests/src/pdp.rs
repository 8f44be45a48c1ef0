//! The real PDP, run as its users run it: the `edgeward` binary with a configuration file.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::built;
use crate::keys::Keys;
use crate::process::{Process, wait_for};
use crate::raw;

const START: Duration = Duration::from_secs(30);

/// A PDP that runs, or has been stopped and can run again at the same address.
#[derive(Debug)]
pub struct Pdp {
    process: Option<Process>,
    address: SocketAddr,
    folder: TempDir,
}

impl Pdp {
    /// Starts with these keys and the tests' own policy.
    ///
    /// # Panics
    /// With the PDP's log when it does not become ready within 30 seconds.
    pub fn start(keys: &Keys) -> Self {
        Self::start_with(keys, &Path::new(env!("CARGO_MANIFEST_DIR")).join("policy"))
    }

    /// Starts with these keys and the policies in `folder`.
    pub fn start_with(keys: &Keys, policies: &Path) -> Self {
        let mut pdp = Self::prepare(&keys.pdp_config(), policies);
        pdp.run();
        pdp
    }

    /// A PDP that has a configuration and an address but does not run yet.
    pub fn prepare(trust: &Value, policies: &Path) -> Self {
        let folder = TempDir::with_prefix("edgeward-pdp").expect("a temporary folder");
        let address = free_address();
        // Time enough for each evaluation on a machine that runs a thousand of them at once.
        let mut config = json!({
            "listen": [{ "tcp": address.to_string() }],
            "workers": 2,
            "environment": "development",
            "policies": { "directory": policies, "watch": true, "evaluation_timeout": "5s" },
        });
        let (Some(config), Some(trust)) = (config.as_object_mut(), trust.as_object()) else {
            panic!("the configuration is an object");
        };
        config.extend(trust.clone());
        let text = serde_json::to_string_pretty(config).expect("JSON");
        std::fs::write(folder.path().join("config.yaml"), text)
            .expect("the configuration is written");
        Self {
            process: None,
            address,
            folder,
        }
    }

    /// Has it listen at one more place, from the next start on.
    ///
    /// # Panics
    /// Never with the configuration that [`Self::prepare`] wrote.
    pub fn listen_too(&mut self, listener: &Value) {
        let text = std::fs::read_to_string(self.config_file()).expect("the configuration");
        let mut config: Value = serde_json::from_str(&text).expect("JSON");
        let listeners = config["listen"].as_array_mut().expect("a list");
        listeners.push(listener.clone());
        std::fs::write(self.config_file(), config.to_string()).expect("it is written");
    }

    /// Starts the process and waits until it is ready.
    pub fn run(&mut self) {
        let mut process = self.spawn();
        let ready = wait_for(START, || {
            if !process.is_running() {
                return Some(false);
            }
            let reply = raw::get(self.address, "/health/ready").ok()?;
            (reply.status == 200).then_some(true)
        });
        assert!(
            ready == Some(true),
            "the PDP did not become ready:\n{}",
            process.log()
        );
        self.process = Some(process);
    }

    /// Starts the process without waiting.
    pub fn run_without_waiting(&mut self) {
        self.process = Some(self.spawn());
    }

    /// Kills it at once, as a crash does.
    pub fn crash(&mut self) {
        self.process = None;
    }

    /// Stops the process where it stands (`true`) or lets it go on.
    ///
    /// # Panics
    /// When it does not stand still within 30 seconds.
    pub fn freeze(&self, frozen: bool) {
        let Some(process) = &self.process else { return };
        process.signal(if frozen { "STOP" } else { "CONT" });
        if frozen {
            let stopped = wait_for(START, || process.is_stopped().then_some(()));
            assert!(stopped.is_some(), "the PDP does not stand still");
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("config.yaml")
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }

    fn spawn(&self) -> Process {
        let mut command = Command::new(built::edgeward());
        command.args(["serve", "--config"]).arg(self.config_file());
        Process::start(command, &self.folder.path().join("pdp.log")).expect("the PDP starts")
    }
}

/// A loopback address that was free a moment ago. The PDP keeps it across restarts.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

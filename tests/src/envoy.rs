//! One running Envoy: started from a [`Setup`], asked through its admin port, stopped on drop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::built;
use crate::process::{Process, wait_for};
use crate::raw;
use crate::setup::Setup;

const START: Duration = Duration::from_secs(30);

/// A running Envoy.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    admin: SocketAddr,
    listener: SocketAddr,
    _folder: TempDir,
}

/// What is particular about one Envoy process.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// Worker threads; two when unset, so that two Wasm VMs serve.
    pub workers: Option<u16>,
    /// Seconds by which its wall clock is off.
    pub clock_skew: Option<i64>,
}

impl Envoy {
    /// Starts Envoy and waits until its listener is open.
    ///
    /// # Panics
    /// With Envoy's log when it does not become live within 30 seconds.
    pub fn start(setup: &Setup) -> Self {
        Self::launch(setup, &Launch::default())
    }

    /// As [`Envoy::start`], with particulars.
    pub fn launch(setup: &Setup, launch: &Launch) -> Self {
        let folder = TempDir::with_prefix("edgeward-envoy").expect("a temporary folder");
        let admin_file = folder.path().join("admin");
        let mut command = command(setup, &folder);
        command
            .arg("--concurrency")
            .arg(launch.workers.unwrap_or(2).to_string())
            .arg("--admin-address-path")
            .arg(&admin_file);
        if let Some(seconds) = launch.clock_skew {
            command
                .env("LD_PRELOAD", built::clock_skew())
                .env("EDGEWARD_CLOCK_SKEW", seconds.to_string());
        }
        let mut process =
            Process::start(command, &folder.path().join("envoy.log")).expect("Envoy starts");
        let admin = wait_for(START, || {
            if !process.is_running() {
                return Some(None);
            }
            let address: SocketAddr = std::fs::read_to_string(&admin_file).ok()?.parse().ok()?;
            raw::get(address, "/ready")
                .ok()
                .filter(|reply| reply.status == 200)?;
            Some(Some(address))
        });
        let Some(Some(admin)) = admin else {
            panic!("Envoy did not become ready:\n{}", tail(&process.log()));
        };
        let listener = listener(admin);
        Self {
            process,
            admin,
            listener,
            _folder: folder,
        }
    }

    /// Where requests go.
    pub fn address(&self) -> SocketAddr {
        self.listener
    }

    /// The admin port.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Envoy's process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Envoy's log so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// The sum of every counter and gauge whose name contains `part`.
    pub fn stat(&self, part: &str) -> u64 {
        self.stats()
            .iter()
            .filter(|(name, _)| name.contains(part))
            .map(|(_, value)| value)
            .sum()
    }

    /// All counters and gauges.
    pub fn stats(&self) -> Vec<(String, u64)> {
        let page = raw::get(self.admin, "/stats").expect("the admin port answers");
        page.text()
            .lines()
            .filter_map(|line| {
                let (name, value) = line.rsplit_once(": ")?;
                Some((name.to_owned(), value.parse().ok()?))
            })
            .collect()
    }

    /// The resident memory of the process, bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))
            .expect("the process has a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .and_then(|kib| kib.trim().parse().ok())
            .expect("the status names the resident set");
        kib * 1024
    }
}

/// Has Envoy check a configuration (`--mode validate`); its complaint when it refuses.
///
/// # Errors
/// The last lines of Envoy's log.
pub fn validate(setup: &Setup) -> Result<(), String> {
    let folder = TempDir::with_prefix("edgeward-envoy").expect("a temporary folder");
    let output = command(setup, &folder)
        .args(["--mode", "validate"])
        .output()
        .expect("Envoy starts");
    if output.status.success() {
        Ok(())
    } else {
        Err(tail(&String::from_utf8_lossy(&output.stderr)))
    }
}

fn command(setup: &Setup, folder: &TempDir) -> Command {
    let config: PathBuf = folder.path().join("envoy.json");
    std::fs::write(&config, setup.document().to_string()).expect("the configuration is written");
    let mut command = Command::new(built::envoy());
    command
        .arg("-c")
        .arg(&config)
        .args(["--use-dynamic-base-id", "--log-level", "info"]);
    command
}

fn listener(admin: SocketAddr) -> SocketAddr {
    let found = wait_for(START, || {
        let page = raw::get(admin, "/listeners?format=json").ok()?;
        let listeners: Value = serde_json::from_slice(&page.body).ok()?;
        let address = &listeners["listener_statuses"][0]["local_address"]["socket_address"];
        let port = u16::try_from(address["port_value"].as_u64()?).ok()?;
        Some(SocketAddr::from(([127, 0, 0, 1], port)))
    });
    found.expect("Envoy names its listener")
}

/// The last lines of a log.
pub fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

//! One real Envoy: started from a generated configuration, pinned, and read: its worker's run time
//! and its memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::machine::{self, WORKER_CORE};
use crate::servers::Server;
use crate::{Outcome, ready};

/// A running Envoy; it ends when this value is dropped.
pub struct Envoy {
    server: Server,
    admin_port: u16,
}

impl Envoy {
    /// The binary that `./just setup` fetched.
    pub fn binary() -> PathBuf {
        std::env::var_os("EDGEWARD_ENVOY").map_or_else(|| ".tools/bin/envoy".into(), PathBuf::from)
    }

    /// Starts Envoy with this bootstrap in `folder` and waits until it serves. Every thread but
    /// the workers is kept off the workers' core.
    pub fn start(
        bootstrap: &Value,
        admin_port: u16,
        concurrency: u32,
        folder: &Path,
    ) -> Outcome<Self> {
        let config = folder.join("envoy.json");
        let log = folder.join("envoy.log");
        fs::write(&config, serde_json::to_vec_pretty(bootstrap)?)?;
        let mut command = Command::new(Self::binary());
        command.arg("--config-path").arg(&config);
        command.args(["--concurrency", &concurrency.to_string()]);
        command.args(["--log-level", "warn", "--disable-hot-restart"]);
        let server = Server::start(&command, &log)?;
        let envoy = Self { server, admin_port };
        // Wasm modules are optimised at load: seconds, when the machine is busy.
        ready::wait_for(admin_port, "/ready", None, 200, Duration::from_secs(60)).map_err(
            |error| format!("{error}\n{}", fs::read_to_string(&log).unwrap_or_default()),
        )?;
        Ok(envoy)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Moves the one worker to its own core and returns its thread id.
    pub fn pin_worker(&self) -> Outcome<u32> {
        let pid = self.pid();
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?.path();
            if fs::read_to_string(task.join("comm"))?.starts_with("wrk:worker") {
                let tid = task
                    .file_name()
                    .and_then(|name| name.to_str())
                    .ok_or("no thread id")?;
                let tid = tid.parse()?;
                machine::pin(tid, WORKER_CORE)?;
                return Ok(tid);
            }
        }
        Err("Envoy has no worker thread".into())
    }

    /// Lets every thread run on both cores: for the measure of memory, where time does not count.
    pub fn unpin(&self) -> Outcome<()> {
        let pid = self.pid();
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let name = task?.file_name();
            machine::pin(name.to_str().ok_or("no thread id")?.parse()?, "0,1")?;
        }
        Ok(())
    }

    /// Its counters and gauges whose names match a regular expression.
    pub fn stats(&self, pattern: &str) -> Outcome<String> {
        Ok(ready::get(self.admin_port, &format!("/stats?filter={pattern}"), None)?.1)
    }
}

//! AWS's Security Token Service, as moto is one: it checks what callers signed by botocore's arithmetic, and
//! says who they are. What callers sign is made by botocore.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::built;
use crate::process::{Process, wait_for};

/// A running moto; it ends with this.
pub struct Sts {
    _process: Process,
    _folder: TempDir,
    url: String,
    evidence: Value,
}

impl Sts {
    /// Starts it, for callers that sign for `server_id`; none where there is no moto (`./just setup`).
    ///
    /// # Panics
    /// With its log when it is not ready within two minutes.
    pub fn start(server_id: &str) -> Option<Self> {
        let moto = built::moto()?;
        let script = Path::new("pdp/src/attestation/aws_sts/tests/moto_sts.py");
        let folder = TempDir::with_prefix("edgeward-sts").expect("a temporary folder");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut command = Command::new("python3");
        command
            .env("PYTHONPATH", moto)
            .arg(built::workspace().join(script))
            .arg(port.to_string())
            .arg(folder.path())
            .arg(server_id);
        let mut process =
            Process::start(command, &folder.path().join("log")).expect("python3 starts");
        let made = folder.path().join("evidence.json");
        let evidence = wait_for(Duration::from_secs(120), || {
            if !process.is_running() {
                return Some(Value::Null);
            }
            serde_json::from_slice(&std::fs::read(&made).ok()?).ok()
        });
        let evidence = evidence.filter(Value::is_object);
        let evidence = evidence.unwrap_or_else(|| panic!("moto is not ready:\n{}", process.log()));
        Some(Self {
            url: format!("http://127.0.0.1:{port}/"),
            _process: process,
            _folder: folder,
            evidence,
        })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The credentials of a caller (`user`, `role`), by the names of variables that AWS's tools read.
    ///
    /// # Panics
    /// When there is no such caller.
    pub fn variables(&self, caller: &str) -> Vec<(String, String)> {
        let keys = self.evidence[format!("{caller}_keys")].as_object();
        let keys = keys.expect("a caller of that name").iter();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        keys.map(|(name, value)| (name.clone(), text(value)))
            .collect()
    }

    /// What a caller signed: `user_…`, `role_…` and `stolen_…`, each `presigned` or `posted`.
    ///
    /// # Panics
    /// When there is no such caller.
    pub fn evidence(&self, caller: &str) -> String {
        let evidence = self.evidence[caller].as_str();
        evidence.expect("a caller of that name").to_owned()
    }
}

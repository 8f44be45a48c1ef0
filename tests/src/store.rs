//! A store like S3 (moto) over https, which checks signatures and whose they are.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::built::{self, workspace};
use crate::ca::Authority;
use crate::pdp::free_address;
use crate::process::{Process, wait_for};

/// A running store, with one user and one bucket.
pub struct Store {
    process: Process,
    address: SocketAddr,
    keys: Value,
    folder: TempDir,
}

impl Store {
    /// Starts it with `bundle` in its bucket; none where there is no moto (`./just setup`).
    ///
    /// # Panics
    /// When it does not come up, with its log.
    pub fn start(bundle: &[u8]) -> Option<Self> {
        let moto = built::moto()?;
        let folder = TempDir::with_prefix("edgeward-store").expect("a temporary folder");
        let authority = Authority::new("store.test");
        let leaf = authority.issue(&["spiffe://store.test/server"]);
        authority.write_server(&leaf, folder.path());
        let address = free_address();
        let mut command = Command::new("python3");
        command
            .env("PYTHONPATH", moto)
            .arg(workspace().join("tests/src/store.py"))
            .arg(address.port().to_string());
        for file in ["server.pem", "server.key", "bundle.pem"] {
            command.arg(folder.path().join(file));
        }
        command.arg(folder.path());
        let process = Process::start(command, &folder.path().join("log")).expect("python3 starts");
        let mut store = Self {
            process,
            address,
            keys: Value::Null,
            folder,
        };
        store.publish(bundle);
        let keys = store.folder.path().join("keys.json");
        let made = wait_for(Duration::from_secs(60), || std::fs::read(&keys).ok());
        let made = made.unwrap_or_else(|| panic!("{}", store.process.log()));
        store.keys = serde_json::from_slice(&made).expect("JSON");
        Some(store)
    }

    /// Puts `bundle` in the place of the one before.
    pub fn publish(&self, bundle: &[u8]) {
        let (new, place) = ("bundle.new", "bundle.tar.gz");
        std::fs::write(self.folder.path().join(new), bundle).expect("a file is written");
        let renamed = std::fs::rename(self.folder.path().join(new), self.folder.path().join(place));
        renamed.expect("a file is renamed");
    }

    /// Where the bundle is, as the PDP's configuration has it, with the user's keys.
    pub fn configured(&self) -> Value {
        let access = self.keys["aws_access_key_id"].as_str().expect("an id");
        json!({
            "bucket": "policies",
            "key": "edge/a b+ü.tar.gz",
            "region": "eu-central-1",
            "endpoint": format!("https://localhost:{}", self.address.port()),
            "credentials": {
                "access_key_id": access,
                "secret_access_key_file": self.secret_file(self.secret()),
            },
        })
    }

    /// What must never be shown.
    pub fn secret(&self) -> &str {
        self.keys["aws_secret_access_key"].as_str().expect("a key")
    }

    /// A file with this secret.
    pub fn secret_file(&self, secret: &str) -> PathBuf {
        let path = self.folder.path().join("secret");
        std::fs::write(&path, secret).expect("a file is written");
        path
    }

    /// The authority that vouches for it.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("bundle.pem")
    }

    /// What it says of the requests it had.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

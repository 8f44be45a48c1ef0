//! Edgeward as measured: the release filter, the PDP with one worker and a policy that looks at the
//! request and the caller, and the four ways from the one to the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::Outcome;
use crate::config::{Endpoint, Protocol, cluster, wasm};
use crate::servers::Server;
use crate::tokens::{AUDIENCE, ISSUER, SUBJECT};

/// The transports compared; each is the name of a listener and of the cluster behind it.
pub const TRANSPORTS: [&str; 4] = [
    "edgeward-tcp-h1",
    "edgeward-tcp-h2",
    "edgeward-uds-h1",
    "edgeward-uds-h2",
];

/// The module that ships: what `./just wasm` leaves in the target folder.
pub fn module() -> PathBuf {
    std::env::var_os("EDGEWARD_FILTER")
        .map_or_else(|| "target/edgeward_filter.wasm".into(), PathBuf::from)
}

/// Who shows this to the PDP may revoke.
pub const ADMIN_TOKEN: &str = "admin-token-of-the-bench";
/// The listener on which decisions are remembered; on the others each is asked for.
pub const HIT: &str = "edgeward-hit";

/// The filter that asks through `cluster`, each time.
pub fn filter(module: &Path, cluster: &str) -> Value {
    filter_remembering(module, cluster, cluster, 0)
}

/// The filter called `name` that asks through `cluster` and remembers what is answered.
pub fn filter_remembering(module: &Path, name: &str, cluster: &str, max_bytes: u64) -> Value {
    let configuration = json!({
        "pdp": {"cluster": cluster, "timeout": "500ms"},
        "cache": {"max_bytes": max_bytes},
        "routes": [
            {"path_prefix": "/identity", "mode": "identity"},
            {"path_prefix": "/off", "mode": "off"},
        ],
    });
    wasm(name, module, &configuration.to_string())
}

/// The clusters of all four transports.
pub fn clusters(port: u16, socket: &Path) -> Vec<Value> {
    TRANSPORTS
        .into_iter()
        .map(|name| {
            let endpoint = if name.contains("tcp") {
                Endpoint::Tcp(port)
            } else {
                Endpoint::Unix(socket)
            };
            let protocol = if name.ends_with("h2") {
                Protocol::Http2
            } else {
                Protocol::Http1
            };
            cluster(name, endpoint, protocol)
        })
        .collect()
}

/// The release binary beside this one.
pub fn pdp_binary() -> Outcome<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("edgeward");
    if path.exists() {
        return Ok(path);
    }
    Err(format!(
        "{}: missing: build it with `cargo build --release -p edgeward`",
        path.display()
    )
    .into())
}

/// Starts the PDP on a port and a socket, with the issuer's keys written into its configuration.
pub fn start_pdp(folder: &Path, port: u16, socket: &Path, jwks: &Value) -> Outcome<Server> {
    let policies = folder.join("policies");
    write_policies(&policies)?;
    // JSON is YAML.
    let config = json!({
        "listen": [{"tcp": format!("127.0.0.1:{port}")}, {"unix": socket}],
        "workers": 1,
        "policies": {"directory": policies, "entrypoint": "data.edgeward.authz.decision"},
        "limits": {"connections": 4096},
        "revocations": {
            "directory": folder.join("revocations"),
            "admin_tokens_sha256": [digest_of(ADMIN_TOKEN)],
        },
        // A miss of the filter's is an evaluation here.
        "cache": {"max_bytes": 0},
        "issuers": [{
            "issuer": ISSUER,
            "keys": {"inline": jwks},
            "audiences": [AUDIENCE],
        }],
    });
    let path = folder.join("edgeward.yaml");
    fs::write(&path, serde_json::to_vec_pretty(&config)?)?;
    let mut command = Command::new(pdp_binary()?);
    command.arg("--config").arg(&path);
    Server::start(&command, &folder.join("pdp.log"))
}

/// The shipped policy library over data of the bench: one client among a thousand, three grants.
fn write_policies(folder: &Path) -> Outcome<()> {
    copy_rego(Path::new("policies/edgeward"), &folder.join("edgeward"))?;
    let mut clients = serde_json::Map::new();
    clients.insert(format!("{ISSUER}|{SUBJECT}"), json!("bench"));
    for number in 0..1000 {
        clients.insert(
            format!("spiffe://bench.test/ns/other/sa/{number}"),
            json!("other"),
        );
    }
    let grant = |paths: &[&str]| json!({"hosts": ["*"], "methods": ["GET"], "paths": paths});
    let grants = [
        grant(&["/reports/*"]),
        grant(&["/orders", "/orders/*"]),
        grant(&["/decide"]),
    ];
    let data = json!({
        "clients": {"by_id": clients, "by_prefix": {}, "by_claims": {}},
        "grants": {"bench": grants},
        "suspended": {},
    });
    let access = folder.join("data/access");
    fs::create_dir_all(&access)?;
    fs::write(access.join("data.json"), data.to_string())?;
    Ok(())
}

fn digest_of(token: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn copy_rego(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().ok_or("a policy without a name")?);
        if path.is_dir() {
            copy_rego(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

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

/// The policy: two rules and a deny by default, over the path and the verified identity.
const POLICY: &str = r#"package edgeward.authz

default decision := {"allow": false, "reasons": ["no-rule-allows"]}

decision := {"allow": true, "reasons": ["bench-may-decide"]} if {
	input.subject.id == data.bench.subject
	input.action.name in data.bench.methods
	some prefix in data.bench.prefixes
	startswith(input.resource.id, prefix)
}
"#;

/// The filter that asks through `cluster`.
pub fn filter(module: &Path, cluster: &str) -> Value {
    let configuration = json!({
        "pdp": {"cluster": cluster, "timeout": "500ms"},
        "routes": [
            {"path_prefix": "/identity", "mode": "identity"},
            {"path_prefix": "/off", "mode": "off"},
        ],
    });
    wasm(cluster, module, &configuration.to_string())
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
    fs::create_dir_all(&policies)?;
    fs::write(policies.join("authz.rego"), POLICY)?;
    let data = json!({"bench": {
        "subject": format!("{ISSUER}#{SUBJECT}"),
        "methods": ["GET", "HEAD"],
        "prefixes": ["/reports/", "/orders/", "/decide"],
    }});
    fs::write(policies.join("data.json"), data.to_string())?;
    // JSON is YAML.
    let config = json!({
        "listen": [{"tcp": format!("127.0.0.1:{port}")}, {"unix": socket}],
        "workers": 1,
        "policies": {"directory": policies, "entrypoint": "data.edgeward.authz.decision"},
        "limits": {"connections": 4096},
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
    Server::start(&mut command, &folder.join("pdp.log"))
}

//! What the PDP and OPA are asked in `bench-pdp`: one policy in two styles, over data of some size, and the
//! input. Both servers read the same folder.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::machine::WORKER_CORE;
use crate::servers::Server;
use crate::{Outcome, edgeward, load, ready};

/// The document asked for, as a path of the Data API.
pub const PATH: &str = "/v1/data/app/allow";
/// The input; `@` is a number that goes up. The policy reads it, so that each is a question of its own.
pub const BODY: &str = r#"{"input":{"id":"r@","user":"u7","method":"GET","path":["orders","42"],"claims":{"iss":"https://issuer.example","aud":"shop","scope":"read write"},"source":"10.1.2.3"}}"#;

/// How a policy says who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The library's: rules look up in data, by key.
    LookUps,
    /// By hand: one rule for each route.
    Rules,
}

impl Style {
    /// Both, in the order in which they are measured.
    pub const ALL: [Self; 2] = [Self::LookUps, Self::Rules];

    /// What the report calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LookUps => "look-ups",
            Self::Rules => "rules",
        }
    }

    /// Writes a folder with policy and data of so many entries and, where rules are written by hand, so
    /// many of these. The last that is tried allows.
    pub fn write(self, folder: &Path, entries: usize, rules: usize) -> Outcome<()> {
        fs::create_dir_all(folder.join("app"))?;
        let mut policy = "package app\n\nimport rego.v1\n\ndefault allow := false\n\n".to_owned();
        match self {
            Self::LookUps => policy.push_str(
                "allow if {\n\tnot data.app.blocked[input.id]\n\t\
                 some role in data.app.users[input.user].roles\n\t\
                 input.method in data.app.roles[role][input.path[0]]\n}\n",
            ),
            Self::Rules => {
                for number in 0..rules {
                    let (route, next) = match number + 1 {
                        last if last == rules => ("orders".to_owned(), String::new()),
                        _ => (format!("route-{number}"), "\n".to_owned()),
                    };
                    write!(
                        policy,
                        "allow if {{\n\tinput.method == \"GET\"\n\tinput.path == [\"{route}\", \"42\"]\n\t\
                         not data.app.blocked[input.id]\n\t\"reader\" in data.app.users[input.user].roles\n}}\n{next}",
                    )?;
                }
            }
        }
        fs::write(folder.join("app/policy.rego"), policy)?;
        fs::write(folder.join("app/data.json"), data(entries, 0).to_string())?;
        Ok(())
    }
}

/// Data of so many users; `edition` makes another of the same size.
pub fn data(entries: usize, edition: usize) -> Value {
    let user = |number: usize| {
        let roles = [
            "reader",
            if number.is_multiple_of(3) {
                "writer"
            } else {
                "guest"
            },
        ];
        let said =
            json!({ "roles": roles, "tenant": format!("t{}", number % 50), "since": edition });
        (format!("u{number}"), said)
    };
    let users: Map<String, Value> = (0..entries.max(8)).map(user).collect();
    json!({
        "users": users,
        "roles": { "reader": { "orders": ["GET", "HEAD"] }, "writer": { "orders": ["PUT"] }, "guest": {} },
        "blocked": { "r-none": true },
    })
}

/// Writes the script that wrk runs.
pub fn write_script(folder: &Path) -> Outcome<PathBuf> {
    load::write_script(folder, "documents.lua", include_str!("documents.lua"))
}

/// Starts the PDP on `folder`, with so many threads, each but the one free to run anywhere.
pub fn start_edgeward(folder: &Path, place: &Path, port: u16, workers: u32) -> Outcome<Server> {
    let config = json!({
        "listen": [{ "tcp": format!("127.0.0.1:{port}") }],
        "environment": "development",
        "workers": workers,
        "policies": { "directory": folder, "entrypoint": "data.app.allow", "evaluation_timeout": "1s" },
        "opa_api": {},
    });
    let file = place.join("documents.yaml");
    fs::write(&file, config.to_string())?;
    let mut command = Command::new(edgeward::pdp_binary()?);
    command
        .args(["serve", "--log", "error", "--config"])
        .arg(file);
    let cores = if workers == 1 { WORKER_CORE } else { "0,1" };
    let server = Server::start_on(cores, &command, &place.join("documents.log"))?;
    ready::wait_for(port, "/health/ready", None, 200, Duration::from_secs(120))?;
    Ok(server)
}

/// Starts OPA on `folder`, with one thread for its code.
pub fn start_opa(binary: &Path, folder: &Path, place: &Path, port: u16) -> Outcome<Server> {
    let mut command = Command::new(binary);
    command
        .env("GOMAXPROCS", "1")
        .args(["run", "--server", "--log-level", "error", "--addr"])
        .arg(format!("127.0.0.1:{port}"))
        .arg(folder);
    let server = Server::start_on(WORKER_CORE, &command, &place.join("opa.log"))?;
    ready::wait_for(port, "/health", None, 200, Duration::from_secs(120))?;
    Ok(server)
}

//! `./just bench-exchange`: tokens of the token service for evidence that it has seen before, each signed
//! with ES256. Builds nothing itself. Exit code 0 says that it was measured; `target/bench/exchange.json`
//! says whether the line was met.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use edgeward_benches::load::{self, Load};
use edgeward_benches::servers::Server;
use edgeward_benches::tokens::{AUDIENCE, Algorithm, ISSUER, Issuer, SUBJECT};
use edgeward_benches::{Outcome, edgeward, machine, ready};
use serde_json::json;

/// The line: so many exchanges a second.
const LIMIT: f64 = 5000.0;
const EVIDENCE: usize = 1000;
const CONNECTIONS: u32 = 32;
const ROUNDS: usize = 5;

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let issuer = Issuer::new(now.as_secs())?;
    let evidence = folder.path().join("evidence.tokens");
    fs::write(
        &evidence,
        issuer.mint(Algorithm::Es256, EVIDENCE)?.join("\n") + "\n",
    )?;
    let port = ready::free_port()?;
    let _pdp = start(folder.path(), port, &issuer)?;
    ready::wait_for(port, "/health/ready", None, 200, Duration::from_secs(60))?;
    let script = load::write_script(
        folder.path(),
        "exchange.lua",
        include_str!("../exchange.lua"),
    )?;
    let load = |seconds| Load {
        port,
        path: "/edgeward/v1/token",
        tokens: &evidence,
        first_token: 0,
        connections: CONNECTIONS,
        duration: Duration::from_secs(seconds),
        more: None,
    };
    // Each piece of evidence once, and more.
    load::run(&load(3), &script)?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let seen = load::run(&load(5), &script)?;
        if seen.refused + seen.failed > 0 {
            return Err(format!("{seen:?}: not every exchange was granted").into());
        }
        println!(
            "{:>8.0} exchanges/s   p50 {:>6.0} us   p99 {:>6.0} us",
            seen.rate, seen.p50, seen.p99
        );
        rounds.push(seen);
    }
    rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    let median = rounds.get(ROUNDS / 2).ok_or("no round")?;
    let verdict = if median.rate >= LIMIT {
        "met"
    } else {
        "missed"
    };
    println!(
        "median {:.0}/s: the line of {LIMIT}/s is {verdict}",
        median.rate
    );
    let report = json!({
        "machine": machine::describe(),
        "exchanges_per_second": median.rate,
        "p50_us": median.p50,
        "p99_us": median.p99,
        "limit": LIMIT,
        "verdict": verdict,
    });
    fs::create_dir_all("target/bench")?;
    fs::write(
        "target/bench/exchange.json",
        serde_json::to_vec_pretty(&report)?,
    )?;
    Ok(())
}

fn start(folder: &Path, port: u16, issuer: &Issuer) -> Outcome<Server> {
    let sealing_key = folder.join("sealing-key");
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)?;
    fs::write(&sealing_key, bytes)?;
    fs::set_permissions(&sealing_key, fs::Permissions::from_mode(0o600))?;
    let config = json!({
        "listen": [{ "tcp": format!("127.0.0.1:{port}") }],
        "environment": "development",
        "workers": 2,
        "token_service": {
            "trust_domain": "bench.test",
            "keys": { "directory": folder.join("keys"), "sealing_key_file": sealing_key },
        },
        "trust_providers": [{ "name": "ci", "oidc": {
            "issuer": ISSUER, "keys": { "inline": issuer.jwks() }, "audiences": [AUDIENCE],
        } }],
        "client_workloads": [{
            "name": "bench", "spiffe_id": "spiffe://bench.test/bench", "provider": "ci",
            "selectors": { "subject": SUBJECT }, "audiences": ["orders"],
        }],
    });
    let file = folder.join("edgeward.yaml");
    fs::write(&file, config.to_string())?;
    let mut command = Command::new(edgeward::pdp_binary()?);
    command
        .args(["serve", "--log", "error", "--config"])
        .arg(file);
    Server::start_on("0,1", &command, &folder.join("pdp.log"))
}

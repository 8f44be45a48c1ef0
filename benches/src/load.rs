//! One load: wrk for some seconds against one listener, and what it saw. wrk says when and how
//! often; which tokens it sends is in a file that `load.lua` reads.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::machine::OTHER_CORE;

/// What to ask for, and how hard.
pub struct Load<'a> {
    /// The listener, on loopback.
    pub port: u16,
    /// The path asked for.
    pub path: &'a str,
    /// A file of tokens, one a line.
    pub tokens: &'a Path,
    /// The first token to use: a run that follows another goes on where that one stopped.
    pub first_token: u64,
    /// Connections, each with one request at a time.
    pub connections: u32,
    /// How long.
    pub duration: Duration,
    /// What the script wants to know beside.
    pub more: Option<u64>,
}

/// What wrk saw.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Answered requests.
    pub requests: u64,
    /// Requests per second.
    pub rate: f64,
    /// Half of the answers came within this many microseconds.
    pub p50: f64,
    /// 99 of 100 answers came within this many microseconds.
    pub p99: f64,
    /// Answers with a status of 400 or above.
    pub refused: u64,
    /// Requests without an answer.
    pub failed: u64,
}

/// Writes the script `name`, which wrk runs: what it asks, and the line of figures that [`run`] reads.
pub fn write_script(folder: &Path, name: &str, asks: &str) -> Outcome<PathBuf> {
    let path = folder.join(name);
    std::fs::write(&path, format!("{asks}\n{}", include_str!("figures.lua")))?;
    Ok(path)
}

/// Runs one load to its end.
pub fn run(load: &Load<'_>, script: &Path) -> Outcome<Seen> {
    let output = Command::new("taskset")
        .args(["-c", OTHER_CORE, "wrk", "--threads", "1"])
        .args(["--connections", &load.connections.to_string()])
        .args(["--duration", &format!("{}s", load.duration.as_secs())])
        .arg("--script")
        .arg(script)
        .arg(format!("http://127.0.0.1:{}{}", load.port, load.path))
        .arg("--")
        .arg(load.tokens)
        .args([load.path, &load.first_token.to_string()])
        .args(load.more.map(|more| more.to_string()))
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("edge: "));
    let figures: Vec<u64> = line
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [requests, micros, p50, p99, refused, failed] = figures[..] else {
        return Err(format!("wrk: {text}{}", String::from_utf8_lossy(&output.stderr)).into());
    };
    Ok(Seen {
        requests,
        rate: as_f64(requests) * 1e6 / as_f64(micros.max(1)),
        p50: as_f64(p50),
        p99: as_f64(p99),
        refused,
        failed,
    })
}

/// Counts here stay far below 2^52.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of one run are far below 2^52"
)]
pub fn as_f64(count: u64) -> f64 {
    count as f64
}

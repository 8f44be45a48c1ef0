//! The lines that a run is held to: each a ratio to a rival of the same run, or a size, with its
//! limit. Where the numbers for a line are missing, the line is not met.

use serde::Serialize;

use crate::memory::Memory;
use crate::report::Results;
use crate::rounds::Sample;

/// One line of "speed to reach".
#[derive(Debug, Serialize)]
pub struct Line {
    /// What it is about.
    pub name: &'static str,
    /// What was compared.
    pub of: &'static str,
    /// As measured; absent when the run left it out.
    pub measured: Option<f64>,
    /// At most this much.
    pub limit: f64,
    /// Whether it holds.
    pub met: bool,
}

/// The transport whose configuration ships as the default.
pub const SHIPPED: &str = "edgeward-miss-tcp-h2";

/// All lines.
pub fn lines(results: &Results, filter_bytes: Option<f64>, memory: Option<Memory>) -> Vec<Line> {
    let added = |name, rival| results.added_ratio(name, rival, |sample| sample.cpu);
    let everywhere = |sample: &Sample| sample.cpu + sample.servers;
    let p50 = |name| results.p50_alone(name);
    let line = |name, of, measured: Option<f64>, limit| {
        let met = measured.is_some_and(|measured| measured <= limit);
        Line {
            name,
            of,
            measured,
            limit,
            met,
        }
    };
    vec![
        line(
            "identity-only",
            "added CPU: edgeward-identity / wasm-floor",
            added("edgeward-identity", "wasm-floor"),
            2.0,
        ),
        line(
            "hit-cpu-floor",
            "added CPU: edgeward-hit / wasm-floor",
            added("edgeward-hit", "wasm-floor"),
            2.0,
        ),
        line(
            "hit-cpu-ext_authz",
            "added CPU, that of the servers too: edgeward-hit / ext_authz-grpc",
            results.added_ratio("edgeward-hit", "ext_authz-grpc", everywhere),
            1.0 / 3.0,
        ),
        line(
            "hit-p99",
            "p99 at one connection: edgeward-hit / wasm-empty",
            results
                .p99_alone("edgeward-hit")
                .zip(results.p99_alone("wasm-empty"))
                .map(|(ours, rival)| ours / rival),
            1.3,
        ),
        line(
            "miss-cpu",
            "added CPU: edgeward-miss by the shipped transport / ext_authz-grpc",
            added(SHIPPED, "ext_authz-grpc"),
            1.3,
        ),
        line(
            "miss-p50-us",
            "p50 at one connection, microseconds",
            p50(SHIPPED),
            1000.0,
        ),
        line(
            "miss-p50",
            "p50 at one connection: edgeward-miss by the shipped transport / ext_authz-grpc",
            p50(SHIPPED)
                .zip(p50("ext_authz-grpc"))
                .map(|(ours, rival)| ours / rival),
            2.0,
        ),
        line(
            "first-sight-RS256",
            "added CPU: edgeward-first-RS256 / jwt_authn-RS256",
            added("edgeward-first-RS256", "jwt_authn-RS256"),
            1.2,
        ),
        line(
            "first-sight-ES256",
            "added CPU: edgeward-first-ES256 / jwt_authn-ES256",
            added("edgeward-first-ES256", "jwt_authn-ES256"),
            1.2,
        ),
        line(
            "filter-bytes",
            "size of the release filter",
            filter_bytes,
            400_000.0,
        ),
        line(
            "vm-memory-bytes",
            "memory of one worker's VM under load, less an empty filter's",
            memory.map(|memory| memory.edgeward - memory.empty),
            2.0 * 1024.0 * 1024.0,
        ),
    ]
}

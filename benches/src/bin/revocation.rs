//! `./just bench-revocation`: from the acknowledgement of a revocation to its refusal by every worker
//! of Envoy, under load. Builds nothing itself. Exit code 0 says that everything was measured;
//! `target/bench/revocation.json` says whether the line was met.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use edgeward_benches::config::{Listener, bootstrap};
use edgeward_benches::edgeward::{self, ADMIN_TOKEN, HIT, TRANSPORTS};
use edgeward_benches::envoy::Envoy;
use edgeward_benches::load::{self, Load, as_f64};
use edgeward_benches::tokens::{Algorithm, ISSUER, Issuer};
use edgeward_benches::{Outcome, machine, ready, rounds};
use serde_json::json;

/// How many tokens are revoked, one after the other, where the arguments do not say.
const REVOCATIONS: usize = 1000;
/// Enough connections to reach both workers, but for one run in ten thousand.
const PROBES: usize = 14;
const WORKERS: u32 = 2;
const CONNECTIONS: u32 = 16;
/// The line: 50 ms at the 99th percentile.
const LIMIT_MS: f64 = 50.0;

fn main() -> Outcome<()> {
    let count = match std::env::args().nth(1) {
        Some(count) => count.parse()?,
        None => REVOCATIONS,
    };
    let folder = tempfile::tempdir()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let issuer = Issuer::new(now.as_secs())?;
    // The last one is the load's and is never revoked.
    let tokens = issuer.mint(Algorithm::Es256, count + 1)?;
    let (load_token, tokens) = tokens.split_last().ok_or("no token")?;
    let load_file = folder.path().join("load.tokens");
    fs::write(&load_file, format!("{load_token}\n"))?;

    let (pdp_port, socket) = (ready::free_port()?, folder.path().join("pdp.sock"));
    let _pdp = edgeward::start_pdp(folder.path(), pdp_port, &socket, &issuer.jwks())?;
    ready::wait_for(
        pdp_port,
        "/health/ready",
        None,
        200,
        Duration::from_secs(20),
    )?;
    let module = edgeward::module();
    let listener = Listener {
        name: HIT,
        port: ready::free_port()?,
        filters: vec![edgeward::filter_remembering(
            &module,
            HIT,
            TRANSPORTS[1],
            1 << 20,
        )],
    };
    let port = listener.port;
    let admin_port = ready::free_port()?;
    let clusters = edgeward::clusters(pdp_port, &socket);
    let bootstrap = bootstrap(admin_port, &[listener], &clusters);
    let envoy = Envoy::start(&bootstrap, admin_port, WORKERS, folder.path())?;
    envoy.unpin()?;
    ready::wait_for(
        port,
        "/decide",
        Some(load_token),
        200,
        Duration::from_secs(20),
    )?;

    let script = rounds::write_script(folder.path())?;
    let (stop, loaded) = (AtomicBool::new(false), AtomicU64::new(0));
    let delays = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let load = Load {
                    port,
                    path: "/decide",
                    tokens: &load_file,
                    first_token: 0,
                    connections: CONNECTIONS,
                    duration: Duration::from_secs(2),
                    more: None,
                };
                // A run that fails shows in the number of requests.
                if let Ok(seen) = load::run(&load, &script) {
                    loaded.fetch_add(seen.requests, Ordering::Relaxed);
                }
            }
        });
        let delays = revoke_all(port, pdp_port, tokens);
        stop.store(true, Ordering::Relaxed);
        delays
    })?;
    report(delays, loaded.into_inner())
}

/// Revokes each token; how long after its acknowledgement the last worker refused it.
fn revoke_all(port: u16, pdp_port: u16, tokens: &[String]) -> Outcome<Vec<f64>> {
    let mut probes = Vec::new();
    for _ in 0..PROBES {
        probes.push(Connection::open(port)?);
    }
    let mut operator = Connection::open(pdp_port)?;
    let mut delays = Vec::with_capacity(tokens.len());
    for (number, token) in tokens.iter().enumerate() {
        for probe in &mut probes {
            let status = probe.ask(token)?;
            if status != 200 {
                return Err(format!("token {number} is not allowed: {status}").into());
            }
        }
        let jti = format!("minted-{number:08}");
        let order = json!({"kind": "token", "issuer": ISSUER, "jti": jti}).to_string();
        let status = operator.revoke(&order)?;
        let acknowledged = Instant::now();
        if status != 201 {
            return Err(format!("the PDP did not revoke: {status}").into());
        }
        for probe in &mut probes {
            while probe.ask(token)? != 401 {
                if acknowledged.elapsed() > Duration::from_secs(10) {
                    return Err(format!("token {number} is not refused after 10 s").into());
                }
            }
        }
        delays.push(acknowledged.elapsed().as_secs_f64() * 1000.0);
        if number % 100 == 99 {
            eprintln!("{} revoked", number + 1);
        }
    }
    Ok(delays)
}

fn report(mut delays: Vec<f64>, loaded: u64) -> Outcome<()> {
    delays.sort_by(f64::total_cmp);
    let at = |share: usize| {
        delays
            .get(delays.len() * share / 100)
            .or(delays.last())
            .copied()
    };
    let (p50, p99) = (
        at(50).ok_or("nothing was revoked")?,
        at(99).ok_or("nothing was revoked")?,
    );
    let report = json!({
        "machine": machine::describe(),
        "revocations": delays.len(),
        "workers": WORKERS,
        "load": {"connections": CONNECTIONS, "requests": as_f64(loaded)},
        "acknowledged_to_refused_by_every_worker_ms": {
            "p50": p50, "p99": p99, "max": delays.last(),
        },
        "limit_p99_ms": LIMIT_MS,
        "met": p99 <= LIMIT_MS,
    });
    let path = Path::new("target/bench/revocation.json");
    fs::create_dir_all("target/bench")?;
    fs::write(path, serde_json::to_vec_pretty(&report)?)?;
    let met = if p99 <= LIMIT_MS { "met" } else { "MISSED" };
    println!(
        "{met}: {} revocations under {loaded} requests: p50 {p50:.1} ms, p99 {p99:.1} ms (at most {LIMIT_MS})",
        delays.len()
    );
    println!("{}", path.display());
    Ok(())
}

/// A connection that is kept open, so that one worker serves it throughout.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self(BufReader::new(stream)))
    }

    fn ask(&mut self, token: &str) -> Outcome<u16> {
        self.send(&format!(
            "GET /decide HTTP/1.1\r\nhost: bench.test\r\nauthorization: Bearer {token}\r\n\r\n"
        ))
    }

    fn revoke(&mut self, order: &str) -> Outcome<u16> {
        self.send(&format!(
            "POST /edgeward/v1/revocations HTTP/1.1\r\nhost: pdp\r\ncontent-type: application/json\r\n\
             authorization: Bearer {ADMIN_TOKEN}\r\ncontent-length: {}\r\n\r\n{order}",
            order.len()
        ))
    }

    /// Sends a request and reads the whole answer; its status.
    fn send(&mut self, request: &str) -> Outcome<u16> {
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let status = line
            .split_whitespace()
            .nth(1)
            .ok_or("an empty answer")?
            .parse()?;
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(status)
    }
}

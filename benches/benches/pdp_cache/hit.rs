//! A hit, from the bytes of the body to the decision and its id, by the code that serves.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use criterion::Criterion;
use edgeward::cache::CacheSettings;
use edgeward::policy::{PolicySettings, STACK_BYTES};
use edgeward::service::in_process::{InProcess, Thread};
use edgeward_benches::load::as_f64;
use edgeward_benches::statistics::Spread;
use edgeward_core::time::UnixSeconds;
use serde_json::{Value, json};

use super::cpu_time::CpuTime;
use super::{Measured, million};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const BODY_BYTES: usize = 900;
const ROUNDS: usize = 7;
const QUESTIONS: u64 = 1000;

/// As the filter writes it, of a request such as there are many.
pub(super) fn body() -> Vec<u8> {
    body_about("orders")
}

fn body_about(path: &str) -> Vec<u8> {
    let question = |agent: &str| {
        json!({
            "subject": {"type": "workload", "id": "spiffe://demo.edgeward.dev/ns/shop/sa/frontend",
                "properties": {"trust_domain": "demo.edgeward.dev",
                    "claims": {"aud": ["edgeward"], "exp": 1_800_000_300, "iat": 1_800_000_000}}},
            "action": {"name": "GET"},
            "resource": {"type": "http", "id": "shop.example", "properties": {
                "host": "shop.example", "path": format!("/{path}"),
                "segments": path.split('/').collect::<Vec<_>>(),
                "query": {"page": ["2"]},
                "headers": {
                    "accept": ["application/json"], "accept-encoding": ["gzip, deflate, br"],
                    "traceparent": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
                    "user-agent": [agent], "x-request-id": ["7f3c1d5e-9b6a-4f7e-8a51-0d2c3b4a5e6f"],
                }}},
            "context": {"source": {"address": "10.20.30.40"},
                "tls": {"peer": "spiffe://demo.edgeward.dev/ns/shop/sa/frontend"}},
        })
        .to_string()
    };
    let missing = BODY_BYTES.saturating_sub(question("").len());
    question(&"a".repeat(missing)).into_bytes()
}

fn shared() -> Measured<InProcess> {
    let opened = InProcess::open(PolicySettings::default(), CacheSettings::default());
    opened.map_err(|error| error.to_string())
}

/// A thread that remembers the answers to all `bodies`.
fn warm(shared: &InProcess, bodies: &[Vec<u8>]) -> Measured<Thread> {
    let thread = shared.thread().map_err(|error| error.to_string())?;
    for body in bodies {
        let mut said = (false, false);
        for _ in 0..2 {
            said = thread.ask(body, NOW).map_err(|error| error.to_string())?;
        }
        // What is refused, or decided anew, would be another thing to measure.
        if said != (true, true) || body.len() != BODY_BYTES {
            return Err(format!(
                "the question of {} bytes comes to {said:?}",
                body.len()
            ));
        }
    }
    Ok(thread)
}

/// By criterion.
pub(super) fn bench(criterion: &mut Criterion<CpuTime>) -> Measured<()> {
    let body = body();
    let thread = warm(&shared()?, std::slice::from_ref(&body))?;
    criterion.bench_function("pdp-hit-900-bytes", |bencher| {
        bencher.iter(|| thread.ask(black_box(&body), NOW).is_ok());
    });
    Ok(())
}

/// Hits a second of two threads that share the cache, over those of one: of a thousand questions, of which
/// few come often (Zipf's law), and at the worst, where both ask nothing but the same one.
pub(super) fn two_threads() -> Measured<Value> {
    Ok(json!({
        "of_a_thousand": ratios(QUESTIONS)?,
        "of_one": ratios(1)?,
    }))
}

/// By the clock, and by the time that the threads had a processor, which other programs cannot take from
/// them.
fn ratios(questions: u64) -> Measured<Value> {
    let bodies: Vec<Vec<u8>> = (0..questions)
        .map(|number| body_about(&format!("orders/{number:04}")))
        .collect();
    let shared = shared()?;
    let (mut by_clock, mut by_processor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (one, two) = (run(&shared, &bodies, 1)?, run(&shared, &bodies, 2)?);
        by_clock.push(two.0 / one.0);
        by_processor.push(two.1 / one.1);
    }
    Ok(json!({
        "ratio": Spread::of(by_clock),
        "ratio_by_processor_time": Spread::of(by_processor),
    }))
}

/// Hits a second, by the clock and by processor time.
fn run(shared: &InProcess, bodies: &[Vec<u8>], threads: u64) -> Measured<(f64, f64)> {
    let barrier = Barrier::new(usize::try_from(threads).unwrap_or(1));
    let ask = |number| {
        let thread = warm(shared, bodies)?;
        let mut state = number;
        let ranks = (0..1 << 16).map(|_| million::rank(&mut state, bodies.len() as u64));
        let mut order = Vec::new();
        for rank in ranks {
            order.extend(usize::try_from(rank).ok().and_then(|at| bodies.get(at)));
        }
        let mut order = order.into_iter().cycle();
        barrier.wait();
        let (started, began) = (Instant::now(), CpuTime::now());
        let mut hits = 0_u64;
        while started.elapsed() < Duration::from_secs(1) {
            for body in order.by_ref().take(256) {
                hits += u64::from(thread.ask(black_box(body), NOW).is_ok());
            }
        }
        let seconds = as_f64(CpuTime::now() - began) / 1e9;
        let hits = as_f64(hits);
        Ok((hits / started.elapsed().as_secs_f64(), hits / seconds))
    };
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for number in 0..threads {
            let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
            running.push(
                builder
                    .spawn_scoped(scope, move || ask(number))
                    .map_err(|e| e.to_string())?,
            );
        }
        let mut sum = (0.0, 0.0);
        for thread in running {
            let rates: Measured<(f64, f64)> = thread.join().map_err(|_| "a thread panicked")?;
            let rates = rates?;
            sum = (sum.0 + rates.0, sum.1 + rates.1);
        }
        Ok(sum)
    })
}

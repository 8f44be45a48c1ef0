//! `./just bench-pdp-cache`: what a remembered decision costs in the PDP. Two functions by criterion (a
//! hit of a 900-byte question, and the look-up alone among a million decisions), then what criterion has
//! no measure for: two threads against one, bytes a decision, the longest wait while all of a million
//! decisions are made and fall.
//!
//! Exit code 0 says that everything was measured; `target/bench/pdp-cache.json` says which line was met.
//! Times are of the processor where that can be: another program on the machine lengthens no function.

mod cpu_time;
mod hit;
mod line;
mod million;

use std::fs;
use std::path::Path;
use std::time::Duration;

use criterion::Criterion;
use edgeward::policy::on_deep_stack;
use edgeward_benches::{Outcome, machine};
use serde_json::{Value, json};

use self::cpu_time::CpuTime;
use self::line::Line;

/// As it is in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What runs on a thread of its own has only a text for its errors.
type Measured<T> = Result<T, String>;

fn main() -> Outcome<()> {
    // A policy is evaluated on a deep stack.
    let report = on_deep_stack(measure)??;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    fs::create_dir_all(&path)?;
    let path = path.join("pdp-cache.json");
    fs::write(&path, serde_json::to_vec_pretty(&report)?)?;
    println!("{}", path.display());
    Ok(())
}

fn measure() -> Measured<Value> {
    // First, while nothing else has taken memory that could be used again.
    let million = million::fill()?;
    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .warm_up_time(Duration::from_secs(2))
        .measurement_time(Duration::from_secs(6))
        .configure_from_args();
    million::bench_look_up(&mut criterion, &million);
    let access = million::memory_access();
    let (bytes, waits) = (million.bytes, million::waits(&million)?);
    let key_bytes = million.key_bytes();
    drop(million);
    hit::bench(&mut criterion)?;
    criterion.final_summary();
    let threads = hit::two_threads()?;

    let (hit, look_up) = (
        estimates("pdp-hit-900-bytes")?,
        estimates("look-up-of-a-million")?,
    );
    let far_apart = estimates("look-up-far-apart")?;
    let median = |estimates: &Value| estimates["median_ns"].as_f64();
    let lines = [
        Line::at_most(
            "hit-us",
            "a hit: body of 900 bytes, key, look-up, id",
            median(&hit).map(|ns| ns / 1e3),
            2.5,
        ),
        Line::at_most(
            "look-up-ns",
            "the look-up alone among a million, as questions come",
            median(&look_up),
            200.0,
        ),
        Line::at_least(
            "two-threads",
            "hits a second of processor time: two threads / one",
            threads["of_a_thousand"]["ratio_by_processor_time"]["median"].as_f64(),
            1.8,
        ),
        Line::at_most(
            "bytes",
            "a decision among a million, beyond its obligations",
            Some(bytes),
            300.0,
        ),
        Line::at_most(
            "longest-wait-ms",
            "a look-up while a million are made and all fall",
            waits["longest_wait_ms"]["median"].as_f64(),
            1.0,
        ),
    ];
    for line in &lines {
        println!("{line}");
    }
    println!("one access to memory that the next waits for: {access:.0} ns");
    Ok(json!({
        "machine": machine::describe(),
        "versions": {
            "edgeward": env!("CARGO_PKG_VERSION"),
            "rustc": machine::first_line_of("rustc", &["--version"]),
        },
        "pdp-hit-900-bytes": hit,
        "look-up-of-a-million": look_up,
        "look-up-far-apart": far_apart,
        "memory_access_ns": access,
        "two-threads": threads,
        "million": {"bytes_a_decision": bytes, "key_bytes": key_bytes, "waits": waits},
        "lines": lines,
    }))
}

/// What criterion found, from where it keeps it.
fn estimates(name: &str) -> Measured<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/criterion");
    let file = folder.join(name).join("new/estimates.json");
    let text = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let all: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let median = &all["median"];
    let interval = &median["confidence_interval"];
    Ok(json!({
        "median_ns": median["point_estimate"],
        "from_ns": interval["lower_bound"],
        "to_ns": interval["upper_bound"],
        "deviation_ns": all["std_dev"]["point_estimate"],
    }))
}

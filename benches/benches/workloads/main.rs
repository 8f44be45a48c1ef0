//! `./just bench-workloads`: how long it takes to find which workload attested attributes are, among
//! 100,000. Exit code 0 says that everything was measured; the last lines say what was met.

#[path = "../pdp_cache/cpu_time.rs"]
mod cpu_time;
mod population;

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use edgeward::attestation::Attributes;
use edgeward::workloads::ClientWorkloads;

use self::cpu_time::CpuTime;
use self::population::{SIDE, crowd, grid, repositories, told};

/// As it is in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Errors are texts for their reader.
type Measured<T> = Result<T, String>;

/// How many different callers come in turn: more than caches of a processor hold of the workloads.
const CALLERS: usize = 20_011;
/// "100,000 workloads and 10,000 selectors: matching below 20 µs".
const LIMIT_NS: f64 = 20_000.0;

fn main() -> Measured<()> {
    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .configure_from_args();
    let of_grid: Measured<Vec<Attributes>> = (0..CALLERS).map(pod).collect();
    let of_repositories: Measured<Vec<Attributes>> = (0..CALLERS).map(job).collect();
    let of_crowd = vec![told(&[(
        "service_account",
        "deploy-of-team-255".to_owned(),
    )])?];
    let mut lines = Vec::new();
    for (name, workloads, callers) in [
        ("find-by-two-shared-names", grid()?, of_grid?),
        ("find-by-id-or-prefix", repositories()?, of_repositories?),
        ("find-in-a-crowd", crowd()?, of_crowd),
    ] {
        bench(&mut criterion, name, &workloads, &callers)?;
        lines.push((name, once_through(&workloads, &callers)));
    }
    criterion.final_summary();
    for (name, ns) in lines {
        let verdict = if ns <= LIMIT_NS { "met" } else { "MISSED" };
        println!("{name}: {:.2} µs each, at most 20: {verdict}", ns / 1e3);
    }
    Ok(())
}

fn bench(
    criterion: &mut Criterion<CpuTime>,
    name: &str,
    workloads: &ClientWorkloads,
    callers: &[Attributes],
) -> Measured<()> {
    let provider = "bench".parse().map_err(|error| format!("{error:?}"))?;
    for caller in callers {
        // A search that finds nobody would be fast.
        let found = workloads.find(&provider, caller);
        found.map_err(|error| format!("{name}: {error}"))?;
    }
    let mut next = callers.iter().cycle();
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            let caller = next.next();
            caller.map(|caller| workloads.find(&provider, black_box(caller)).is_ok())
        });
    });
    Ok(())
}

/// Nanoseconds of one search, over all callers and at least ten thousand of them.
fn once_through(workloads: &ClientWorkloads, callers: &[Attributes]) -> f64 {
    let Ok(provider) = "bench".parse() else {
        return f64::NAN;
    };
    let rounds = 10_000_usize.div_ceil(callers.len());
    let started = CpuTime::now();
    for caller in (0..rounds).flat_map(|_| callers) {
        let _ = black_box(workloads.find(&provider, black_box(caller)));
    }
    let spent = edgeward_benches::load::as_f64(CpuTime::now() - started);
    let searches = u64::try_from(rounds * callers.len()).unwrap_or(u64::MAX);
    spent / edgeward_benches::load::as_f64(searches)
}

fn pod(number: usize) -> Measured<Attributes> {
    // Far apart from each other, in no order.
    let number = number * 7919 % (SIDE * SIDE);
    told(&[
        ("cluster", "eu-1".to_owned()),
        ("namespace", format!("team-{}", number / SIDE)),
        ("service_account", format!("service-{}", number % SIDE)),
    ])
}

fn job(number: usize) -> Measured<Attributes> {
    let number = number * 7919 % 100_000;
    if number >= 90_000 {
        return told(&[
            ("repository_id", number.to_string()),
            ("repository", format!("group-{}/a", number - 90_000)),
            ("ref", "refs/heads/main".to_owned()),
        ]);
    }
    let reference = match number % 3 {
        0 => "refs/heads/main",
        1 => "refs/heads/release-7",
        _ => "refs/tags/v1.2",
    };
    told(&[
        ("repository_id", (700_000 + number).to_string()),
        ("repository", format!("octo/shop-{number}")),
        ("ref", reference.to_owned()),
    ])
}

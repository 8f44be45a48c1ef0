//! What a decision costs by each engine: the same policy, data and question, in turns. A measurement, not a test:
//! `cargo test -p edgeward --lib -- --ignored --nocapture policy::wasm::tests::measured`, where our own code has no
//! optimisation; with `--release` it has.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use super::*;
use crate::policy::EngineChoice;

const ROUNDS: usize = 21;
const DECISIONS: u32 = 2000;

/// Nanoseconds that this thread had of a processor.
fn cpu() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

fn data(users: usize) -> String {
    let roles: serde_json::Map<String, Json> = (0..users)
        .map(|number| {
            let roles = json!([
                {"method": "POST", "prefix": format!("/orders/{number}")},
                {"method": "GET", "prefix": "/reports/"},
            ]);
            (format!("user-{number}"), roles)
        })
        .collect();
    json!({"roles": roles, "networks": {"inside": "10.0.0.0/8"}}).to_string()
}

#[test]
#[ignore = "a measurement"]
fn a_decision_by_each_engine() {
    for users in [10, 10_000] {
        let data = data(users);
        let settings = settings("data.edgeward.authz.decision");
        let interpreter = PolicySettings {
            engine: EngineChoice::Interpreter,
            ..settings.clone()
        };
        let rego = [("policy.rego", POLICY), ("data.json", &*data)];
        let started = Instant::now();
        let compiled = set_of_module(&module(), &["edgeward/authz/decision"], &rego[1..]).unwrap();
        println!(
            "{users} users: compiled set built in {:?}",
            started.elapsed()
        );
        let sets = [
            compiled,
            set_of_rego(&rego, &settings),
            set_of_rego(&rego, &interpreter),
        ];
        let medians = on_deep_stack(move || {
            let mut workers = sets.each_ref().map(|set| {
                let started = Instant::now();
                let worker = set.worker().unwrap();
                println!("  {}: a worker in {:?}", set.engine(), started.elapsed());
                (set.engine(), worker, Vec::new())
            });
            let question = from_json(json!({
                "user": "user-7", "method": "GET", "path": "/reports/2026/march", "source": "10.1.2.3",
            }));
            for _ in 0..ROUNDS {
                for (_, worker, times) in &mut workers {
                    let started = cpu();
                    for _ in 0..DECISIONS {
                        assert!(worker.evaluate(question.clone(), NOW).unwrap().allow);
                    }
                    times.push((cpu() - started) / i64::from(DECISIONS));
                }
            }
            workers.map(|(engine, _, mut times)| {
                times.sort_unstable();
                (engine, times[0], times[ROUNDS / 2], times[ROUNDS - 1])
            })
        });
        for (engine, least, median, most) in medians.unwrap() {
            println!("  {engine}: {median} ns of processor time, {least} to {most}");
        }
    }
}

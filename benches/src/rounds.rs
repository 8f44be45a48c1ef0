//! The measurement itself: in every round each variant once at each number of connections, in an
//! order drawn anew, so that whatever else the machine does falls on all alike.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_lc_rs::rand;

use crate::envoy::Envoy;
use crate::load::{self, Load, as_f64};
use crate::machine;
use crate::variant::{Tokens, Variant};
use crate::{Outcome, ready};

/// A saturated worker: what a request costs. One connection: how long a request waits.
pub const CONNECTIONS: [u32; 2] = [32, 1];

/// How much else may run during a sample that counts as undisturbed, in cores.
const QUIET: f64 = 0.15;

/// One variant at one number of connections, measured once.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Run time of Envoy's worker per request, in microseconds.
    pub cpu: f64,
    /// Run time of the servers behind Envoy per request, in microseconds: of whichever decides.
    pub servers: f64,
    /// What the load saw.
    pub seen: load::Seen,
    /// What else ran on the machine meanwhile, in cores.
    pub foreign: f64,
}

impl Sample {
    /// Whether the machine was ours.
    pub fn quiet(&self) -> bool {
        self.foreign < QUIET
    }
}

/// Samples by variant and connections.
pub type Samples = BTreeMap<(&'static str, u32), Vec<Sample>>;

/// How long and how often.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Samples of each cell.
    pub rounds: u32,
    /// Length of a sample.
    pub duration: Duration,
    /// Further tries of a sample that other work on the machine disturbed.
    pub retries: u32,
}

/// Everything that a sample needs.
pub struct Bench<'a> {
    /// The one Envoy.
    pub envoy: &'a Envoy,
    /// Its one worker.
    pub worker: u32,
    /// The servers behind it.
    pub servers: Vec<u32>,
    /// The listeners' ports.
    pub ports: HashMap<&'static str, u16>,
    /// Where `load.lua` is.
    pub script: PathBuf,
    /// The token files.
    pub tokens: &'a dyn Fn(Tokens) -> PathBuf,
}

impl Bench<'_> {
    /// Asks every variant once and holds it to the status it must give.
    pub fn check(&self, variants: &[Variant]) -> Outcome<()> {
        for variant in variants {
            let file = std::fs::read_to_string((self.tokens)(variant.tokens))?;
            let token = file.lines().next();
            let expected = if variant.tokens.refused() { 401 } else { 200 };
            // Edgeward's keys come from the PDP: they may be on their way.
            let patience = Duration::from_secs(20);
            ready::wait_for(self.port(variant)?, variant.path, token, expected, patience)
                .map_err(|error| format!("{}: {error}", variant.name))?;
        }
        Ok(())
    }

    /// Runs the plan.
    pub fn run(&self, variants: &[Variant], plan: Plan) -> Outcome<Samples> {
        let mut samples = Samples::new();
        let mut positions = HashMap::new();
        for round in 1..=plan.rounds {
            for (variant, connections) in shuffled(variants)? {
                let position = positions.entry(variant.name).or_insert(0);
                let sample = self.undisturbed(variant, connections, plan, position)?;
                eprintln!(
                    "round {round}/{}  {:<28} {connections:>2} connections  {:7.1} us/request{}",
                    plan.rounds,
                    variant.name,
                    sample.cpu,
                    if sample.quiet() {
                        ""
                    } else {
                        "  (other work on the machine)"
                    },
                );
                samples
                    .entry((variant.name, connections))
                    .or_default()
                    .push(sample);
            }
        }
        Ok(samples)
    }

    /// The least disturbed of a few tries; mostly the first one is.
    fn undisturbed(
        &self,
        variant: &Variant,
        connections: u32,
        plan: Plan,
        position: &mut u64,
    ) -> Outcome<Sample> {
        let mut best = self.sample(variant, connections, plan.duration, position)?;
        for _ in 0..plan.retries {
            if best.quiet() {
                break;
            }
            let again = self.sample(variant, connections, plan.duration, position)?;
            if again.foreign < best.foreign {
                best = again;
            }
        }
        Ok(best)
    }

    fn sample(
        &self,
        variant: &Variant,
        connections: u32,
        duration: Duration,
        position: &mut u64,
    ) -> Outcome<Sample> {
        let tokens = (self.tokens)(variant.tokens);
        let load = Load {
            port: self.port(variant)?,
            path: variant.path,
            tokens: &tokens,
            first_token: *position,
            connections,
            duration,
            more: None,
        };
        let started = Instant::now();
        let foreign_before = self.foreign()?;
        let servers_before = self.servers()?;
        let worker_before = machine::thread_run_time(self.envoy.pid(), self.worker)?;
        let seen = load::run(&load, &self.script)?;
        let worker_after = machine::thread_run_time(self.envoy.pid(), self.worker)?;
        let servers = self.servers()?.saturating_sub(servers_before);
        let foreign_after = self.foreign()?;
        let foreign = foreign_after.saturating_sub(foreign_before);
        *position += seen.requests;
        hold_to_promise(variant, &seen)?;
        Ok(Sample {
            cpu: as_f64(worker_after - worker_before) / 1e3 / as_f64(seen.requests.max(1)),
            servers: servers.as_secs_f64() * 1e6 / as_f64(seen.requests.max(1)),
            seen,
            foreign: foreign.as_secs_f64() / started.elapsed().as_secs_f64(),
        })
    }

    /// Whatever runs on the machine and does not belong to the run.
    fn foreign(&self) -> Outcome<Duration> {
        let mut own = machine::process_busy(std::process::id())? + self.servers()?;
        own += machine::process_busy(self.envoy.pid())?;
        Ok(machine::machine_busy()?.saturating_sub(own))
    }

    fn servers(&self) -> Outcome<Duration> {
        let busy = self.servers.iter().map(|pid| machine::process_busy(*pid));
        busy.sum()
    }

    fn port(&self, variant: &Variant) -> Outcome<u16> {
        Ok(*self
            .ports
            .get(variant.listener)
            .ok_or("a variant without a listener")?)
    }
}

/// A variant that answers otherwise than it must under load is not a number but an error.
fn hold_to_promise(variant: &Variant, seen: &load::Seen) -> Outcome<()> {
    let expected = if variant.tokens.refused() {
        seen.requests
    } else {
        0
    };
    // Other load on the machine may cost a request its callout: a few in ten thousand.
    let tolerated = seen.requests / 1000;
    if seen.refused.abs_diff(expected) > tolerated || seen.failed > tolerated {
        return Err(format!("{}: unexpected answers: {seen:?}", variant.name).into());
    }
    Ok(())
}

fn shuffled(variants: &[Variant]) -> Outcome<Vec<(&Variant, u32)>> {
    let mut cells = Vec::new();
    for variant in variants {
        for connections in CONNECTIONS {
            let mut key = [0; 8];
            rand::fill(&mut key)?;
            cells.push((key, variant, connections));
        }
    }
    cells.sort_by_key(|(key, ..)| *key);
    Ok(cells
        .into_iter()
        .map(|(_, variant, connections)| (variant, connections))
        .collect())
}

/// Writes the script that wrk runs.
pub fn write_script(folder: &Path) -> Outcome<PathBuf> {
    load::write_script(folder, "load.lua", include_str!("load.lua"))
}

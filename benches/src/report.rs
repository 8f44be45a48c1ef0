//! From samples to what people and programs read: a table, and `target/bench/edge.json`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use crate::lines::Line;
use crate::rounds::{CONNECTIONS, Sample, Samples};
use crate::statistics::Spread;

/// One variant at one number of connections.
#[derive(Debug, Serialize)]
pub struct Cell {
    /// Run time of the worker per request, microseconds.
    pub cpu_us: Spread,
    /// Run time of the servers behind Envoy per request, microseconds.
    pub servers_us: Spread,
    /// Microseconds in which half of the answers came.
    pub p50_us: Spread,
    /// Microseconds in which 99 of 100 answers came.
    pub p99_us: Spread,
    /// Requests per second.
    pub rate: Spread,
    /// Samples that count.
    pub samples: usize,
    /// Samples among them during which other work ran on the machine.
    pub disturbed: usize,
}

/// Every cell of a run.
pub struct Results {
    cells: BTreeMap<(&'static str, u32), Cell>,
    order: Vec<&'static str>,
    samples: Samples,
}

impl Results {
    /// Summarises; the variants keep the order given.
    pub fn new(order: Vec<&'static str>, samples: Samples) -> Self {
        let cells = samples
            .iter()
            .filter_map(|(key, samples)| Some((*key, Cell::of(samples)?)))
            .collect();
        Self {
            cells,
            order,
            samples,
        }
    }

    /// How many times the rival's added CPU the variant's is, by `cost` of a sample. Of each round
    /// its own ratio, and the median of these: a machine that is slow for a minute is so for both.
    pub fn added_ratio(
        &self,
        name: &'static str,
        rival: &'static str,
        cost: fn(&Sample) -> f64,
    ) -> Option<f64> {
        let of = |name| self.samples.get(&(name, CONNECTIONS[0]));
        let rounds = of(name)?.iter().zip(of(rival)?).zip(of("none")?);
        let ratios = rounds
            .map(|((ours, rival), none)| (cost(ours) - cost(none)) / (cost(rival) - cost(none)));
        Some(Spread::of(ratios)?.median)
    }

    /// The variant's CPU per request beyond that of no filter, on a saturated worker.
    pub fn added_cpu(&self, name: &str) -> Option<f64> {
        Some(self.cpu(name)? - self.cpu("none")?)
    }

    /// The variant's p50 at one connection, in microseconds.
    pub fn p50_alone(&self, name: &str) -> Option<f64> {
        Some(self.cell(name, CONNECTIONS[1])?.p50_us.median)
    }

    /// The variant's p99 at one connection, in microseconds.
    pub fn p99_alone(&self, name: &str) -> Option<f64> {
        Some(self.cell(name, CONNECTIONS[1])?.p99_us.median)
    }

    fn cpu(&self, name: &str) -> Option<f64> {
        Some(self.cell(name, CONNECTIONS[0])?.cpu_us.median)
    }

    fn cell(&self, name: &str, connections: u32) -> Option<&Cell> {
        self.cells
            .iter()
            .find(|((n, c), _)| *n == name && *c == connections)
            .map(|(_, cell)| cell)
    }

    /// For the file.
    pub fn json(&self) -> Value {
        let variants = self.order.iter().map(|name| {
            let by_connections: BTreeMap<String, &Cell> = CONNECTIONS
                .iter()
                .filter_map(|count| Some((count.to_string(), self.cell(name, *count)?)))
                .collect();
            json!({
                "name": name,
                "added_cpu_us": self.added_cpu(name),
                "connections": by_connections,
            })
        });
        Value::Array(variants.collect())
    }

    /// For the terminal.
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<28} {:>9} {:>9} {:>8} {:>8} {:>8} | {:>8} {:>8}\n",
            "variant", "CPU us", "added us", "req/s", "p50 us", "p99 us", "p50 us", "p99 us"
        );
        for name in &self.order {
            let (Some(many), Some(one)) = (
                self.cell(name, CONNECTIONS[0]),
                self.cell(name, CONNECTIONS[1]),
            ) else {
                continue;
            };
            let _ = writeln!(
                text,
                "{name:<28} {:>9.1} {:>9.1} {:>8.0} {:>8.0} {:>8.0} | {:>8.0} {:>8.0}{}",
                many.cpu_us.median,
                self.added_cpu(name).unwrap_or(f64::NAN),
                many.rate.median,
                many.p50_us.median,
                many.p99_us.median,
                one.p50_us.median,
                one.p99_us.median,
                if many.disturbed + one.disturbed > 0 {
                    "  disturbed"
                } else {
                    ""
                },
            );
        }
        text.push_str("left: 32 connections, right: one; medians\n");
        text
    }
}

impl Cell {
    /// Of the undisturbed samples, where there are enough of them.
    fn of(samples: &[Sample]) -> Option<Self> {
        let quiet: Vec<&Sample> = samples.iter().filter(|sample| sample.quiet()).collect();
        let counted: Vec<&Sample> = if quiet.len() * 2 >= samples.len() {
            quiet
        } else {
            samples.iter().collect()
        };
        let spread = |figure: fn(&Sample) -> f64| Spread::of(counted.iter().copied().map(figure));
        Some(Self {
            cpu_us: spread(|sample| sample.cpu)?,
            servers_us: spread(|sample| sample.servers)?,
            p50_us: spread(|sample| sample.seen.p50)?,
            p99_us: spread(|sample| sample.seen.p99)?,
            rate: spread(|sample| sample.seen.rate)?,
            samples: counted.len(),
            disturbed: counted.iter().filter(|sample| !sample.quiet()).count(),
        })
    }
}

/// The lines, for the terminal.
pub fn lines_table(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let measured = line.measured.map_or("not measured".to_owned(), |value| {
            if value < 100.0 {
                format!("{value:.2}")
            } else {
                format!("{value:.0}")
            }
        });
        let verdict = match (line.met, line.measured) {
            (true, _) => "met",
            (false, Some(_)) => "MISSED",
            (false, None) => "absent",
        };
        let _ = writeln!(
            text,
            "{verdict:<7} {:<18} {measured:>12}  at most {:<8} {}",
            line.name, line.limit, line.of
        );
    }
    text
}

//! `./just bench-pdp`: Edgeward's PDP beside `opa run --server`, asked for the same document of the same
//! policy and data through the same API, in the same run. Builds nothing itself. Exit code 0 says that
//! everything was measured; `target/bench/pdp.json` and the table say which lines were met.
//!
//! Each server has one thread for its code on one core, the client has the other. Rounds alternate between
//! the two, and what is compared is the median of each round's ratio.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use edgeward_benches::documents::{self, BODY, PATH, Style};
use edgeward_benches::load::{self, Load, Seen, as_f64};
use edgeward_benches::servers::{self, Server};
use edgeward_benches::standing::{Limit, Standing};
use edgeward_benches::statistics::Spread;
use edgeward_benches::{Outcome, machine, ready};

/// Questions after which those that repeat begin anew.
const CYCLE: u64 = 64;
/// Rules written by hand where their number is not what is measured.
const RULES: usize = 16;
/// Between the numbers of two runs, so that no question of one is a question of the next.
const STEP: u64 = 10_000_000;

struct Bench {
    folder: PathBuf,
    script: PathBuf,
    opa: PathBuf,
    rounds: u32,
    seconds: Duration,
    sizes: Vec<usize>,
    standing: Standing,
    asked: u64,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if let Some(other) = arguments
        .iter()
        .find(|a| !matches!(a.as_str(), "--quick" | "--million"))
    {
        return Err(format!("`{other}` is not known: there are --quick and --million").into());
    }
    let quick = has("--quick");
    let mut sizes = if quick {
        vec![100]
    } else {
        vec![100, 10_000, 100_000]
    };
    sizes.extend(has("--million").then_some(1_000_000));
    let place = tempfile::tempdir()?;
    fs::write(place.path().join("body"), BODY)?;
    let mut bench = Bench {
        folder: place.path().to_owned(),
        script: documents::write_script(place.path())?,
        opa: servers::opa_binary().ok_or("no `opa`: run `./just setup-opa`")?,
        rounds: if quick { 1 } else { 3 },
        seconds: Duration::from_secs(if quick { 1 } else { 2 }),
        sizes,
        standing: Standing::default(),
        asked: 0,
    };
    for style in Style::ALL {
        bench.compare(style)?;
    }
    bench.threads()?;
    bench.growth(if quick {
        &[10, 100]
    } else {
        &[10, 1000, 10_000]
    })?;
    bench.reload(if quick { 1000 } else { 120_000 })?;
    bench.standing.report(Path::new("target/bench/pdp.json"))
}

impl Bench {
    /// Both servers on the same folder, at every size, by one and by many connections.
    fn compare(&mut self, style: Style) -> Outcome<()> {
        for entries in self.sizes.clone() {
            let policies = self.policies(style, entries, RULES)?;
            let (ours, theirs) = (ready::free_port()?, ready::free_port()?);
            let edgeward = documents::start_edgeward(&policies, &self.folder, ours, 1)?;
            let opa = documents::start_opa(&self.opa, &policies, &self.folder, theirs)?;
            for (kind, cycle, limit) in [("repeating", CYCLE, 15.0), ("distinct", 0, 4.0)] {
                for connections in [1, 32] {
                    let name = format!("{} {entries} {kind} c={connections}", style.name());
                    let (mut rates, mut waits) = (Vec::new(), Vec::new());
                    for _ in 0..self.rounds {
                        let our = self.load(ours, connections, cycle)?;
                        let their = self.load(theirs, connections, cycle)?;
                        rates.push(our.rate / their.rate);
                        waits.push(our.p99 / their.p99.max(1.0));
                        eprintln!(
                            "{name}: {:.0}/s {:.0} us, OPA {:.0}/s {:.0} us",
                            our.rate, our.p99, their.rate, their.p99
                        );
                    }
                    self.standing.add(
                        format!("{name}: requests a second, of OPA's"),
                        rates,
                        Some(Limit::AtLeast(limit)),
                    );
                    if connections == 32 {
                        self.standing.add(
                            format!("{name}: p99, of OPA's"),
                            waits,
                            Some(Limit::AtMost(0.1)),
                        );
                    }
                }
            }
            if entries == 100_000 {
                let ratio = resident(&edgeward)? / resident(&opa)?;
                self.standing.add(
                    format!("{} {entries}: memory, of OPA's", style.name()),
                    vec![ratio],
                    Some(Limit::AtMost(0.5)),
                );
            }
        }
        Ok(())
    }

    /// What two threads could answer beside one, by processor time: the client needs a core as well.
    fn threads(&mut self) -> Outcome<()> {
        let policies = self.policies(Style::LookUps, 10_000, RULES)?;
        let mut ratios = Vec::new();
        for _ in 0..self.rounds {
            let mut costs = Vec::new();
            for workers in [1, 2] {
                let port = ready::free_port()?;
                let server = documents::start_edgeward(&policies, &self.folder, port, workers)?;
                costs.push(self.cost(&server, port, 0)?);
            }
            let [one, two] = costs[..] else { continue };
            ratios.push(2.0 * one / two);
        }
        self.standing.add(
            "two threads, of one, by processor time".to_owned(),
            ratios,
            Some(Limit::AtLeast(1.8)),
        );
        Ok(())
    }

    /// What a question costs beside more data, and beside more rules that somebody wrote.
    fn growth(&mut self, counts: &[usize]) -> Outcome<()> {
        for style in Style::ALL {
            let mut costs = Vec::new();
            for &count in counts {
                let policies = self.policies(style, count, count.min(1000))?;
                let port = ready::free_port()?;
                let server = documents::start_edgeward(&policies, &self.folder, port, 1)?;
                let cost = self.cost(&server, port, 0)?;
                eprintln!(
                    "{} {count}: {cost:.1} us of processor time a question",
                    style.name()
                );
                costs.push(cost);
            }
            let spread = Spread::of(costs).ok_or("nothing was measured")?;
            let limit = (style == Style::LookUps).then_some(Limit::AtMost(1.5));
            let name = format!(
                "growth of {} from {counts:?}, dearest of cheapest",
                style.name()
            );
            self.standing
                .add(name, vec![spread.max / spread.min], limit);
        }
        Ok(())
    }

    /// Other data of so many entries (about 10 MB), while everybody asks.
    fn reload(&mut self, entries: usize) -> Outcome<()> {
        let policies = self.policies(Style::LookUps, entries, RULES)?;
        let port = ready::free_port()?;
        let _server = documents::start_edgeward(&policies, &self.folder, port, 1)?;
        self.load(port, 32, 0)?;
        let quiet = self.load(port, 32, 0)?;
        let stop = AtomicBool::new(false);
        let file = policies.join("app/data.json");
        let (busy, written) = std::thread::scope(|scope| {
            let writing = scope.spawn(|| -> Result<usize, std::io::Error> {
                let mut edition = 0;
                while !stop.load(Ordering::Relaxed) {
                    edition += 1;
                    let next = file.with_extension("next");
                    fs::write(&next, documents::data(entries, edition).to_string())?;
                    fs::rename(&next, &file)?;
                    std::thread::sleep(Duration::from_millis(1500));
                }
                Ok(edition)
            });
            let busy = self.load_for(port, 32, 0, self.seconds * 3);
            stop.store(true, Ordering::Relaxed);
            (busy, writing.join())
        });
        let (busy, _) = (busy?, written.map_err(|_| "the writer panicked")??);
        let size = fs::metadata(&file)?.len() / 1_000_000;
        let failed = as_f64(busy.failed + busy.refused);
        self.asked += 2 * STEP;
        self.standing.add(
            format!("reload of {size} MB: failed requests"),
            vec![failed],
            Some(Limit::AtMost(0.0)),
        );
        let ratio = busy.p99 / quiet.p99.max(1.0);
        self.standing.add(
            format!("reload of {size} MB: p99, of the quiet one"),
            vec![ratio],
            Some(Limit::AtMost(2.0)),
        );
        Ok(())
    }

    fn policies(&self, style: Style, entries: usize, rules: usize) -> Outcome<PathBuf> {
        let folder = self
            .folder
            .join(format!("{}-{entries}-{rules}", style.name()));
        style.write(&folder, entries, rules)?;
        Ok(folder)
    }

    fn load(&mut self, port: u16, connections: u32, cycle: u64) -> Outcome<Seen> {
        let seen = self.load_for(port, connections, cycle, self.seconds)?;
        self.asked += STEP;
        if seen.failed + seen.refused > 0 {
            let (failed, refused) = (seen.failed, seen.refused);
            return Err(format!("{failed} requests failed, {refused} were refused").into());
        }
        Ok(seen)
    }

    fn load_for(
        &self,
        port: u16,
        connections: u32,
        cycle: u64,
        duration: Duration,
    ) -> Outcome<Seen> {
        let load = Load {
            port,
            path: PATH,
            tokens: &self.folder.join("body"),
            first_token: if cycle == 0 { self.asked } else { 0 },
            connections,
            duration,
            more: Some(cycle),
        };
        load::run(&load, &self.script)
    }

    /// Microseconds of processor time a question.
    fn cost(&mut self, server: &Server, port: u16, cycle: u64) -> Outcome<f64> {
        self.load(port, 32, cycle)?;
        let before = machine::process_busy(server.pid())?;
        let seen = self.load(port, 32, cycle)?;
        let busy = machine::process_busy(server.pid())?.saturating_sub(before);
        Ok(busy.as_secs_f64() * 1e6 / as_f64(seen.requests.max(1)))
    }
}

fn resident(server: &Server) -> Outcome<f64> {
    Ok(as_f64(machine::resident_bytes(server.pid())?))
}

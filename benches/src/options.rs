//! The command line of `./just bench-edge`. Small enough to be read without a library for it.

use std::time::Duration;

use crate::Outcome;
use crate::rounds::Plan;
use crate::servers;
use crate::variant::{EDGEWARD, OPA, RIVALS, Variant};

const USAGE: &str = "usage: ./just bench-edge [--quick] [--rivals] [--rounds N] [--seconds N] \
                     [--only TEXT]...
  --quick    one round of one second: a smoke test, not a measurement
  --rivals   leave Edgeward out
  --only     only variants whose name contains TEXT (`none` is always measured)";

/// What to measure, and how long.
pub struct Options {
    /// Rounds and their length.
    pub plan: Plan,
    /// Distinct tokens of each kind.
    pub pool: usize,
    /// How often each filter's memory is weighed.
    pub weighings: u32,
    /// Whether Edgeward takes part; without it, neither its filter nor its PDP need be built.
    pub with_edgeward: bool,
    /// Parts of the names of the variants to measure; all of them when empty.
    pub only: Vec<String>,
}

impl Options {
    /// From the command line; an error tells the usage.
    pub fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self {
            plan: Plan {
                rounds: 5,
                duration: Duration::from_secs(3),
                retries: 2,
            },
            pool: 30_000,
            weighings: 3,
            with_edgeward: true,
            only: Vec::new(),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(USAGE);
            match argument.as_str() {
                "--quick" => {
                    options.plan = Plan {
                        rounds: 1,
                        duration: Duration::from_secs(1),
                        retries: 0,
                    };
                    options.pool = 10_000;
                    options.weighings = 1;
                }
                "--rivals" => options.with_edgeward = false,
                "--rounds" => options.plan.rounds = value()?.parse()?,
                "--seconds" => options.plan.duration = Duration::from_secs(value()?.parse()?),
                "--only" => options.only.push(value()?.clone()),
                _ => return Err(format!("`{argument}` is unknown\n{USAGE}").into()),
            }
        }
        Ok(options)
    }

    /// The variants to measure.
    pub fn variants(&self) -> Vec<Variant> {
        let opa = if servers::opa_binary().is_some() {
            OPA
        } else {
            &[]
        };
        let ours = if self.with_edgeward { EDGEWARD } else { &[] };
        let asked = |variant: &&Variant| {
            self.only.is_empty()
                || variant.name == "none"
                || self.only.iter().any(|text| variant.name.contains(text))
        };
        RIVALS
            .iter()
            .chain(opa)
            .chain(ours)
            .filter(asked)
            .copied()
            .collect()
    }
}

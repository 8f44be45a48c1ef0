//! How a run stands to its lines: each a number, with the limit it is held to where there is one, as a table
//! and as JSON.

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::statistics::Spread;
use crate::{Outcome, machine};

/// What a number is held to.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// It must be this or more.
    AtLeast(f64),
    /// It must be this or less.
    AtMost(f64),
}

impl Limit {
    fn holds(self, measured: f64) -> bool {
        match self {
            Self::AtLeast(limit) => measured >= limit,
            Self::AtMost(limit) => measured <= limit,
        }
    }
}

#[derive(Debug, Serialize)]
struct Line {
    name: String,
    /// The median of the rounds; none where nothing was measured, which meets no limit.
    measured: Option<f64>,
    limit: Option<Limit>,
    met: Option<bool>,
}

/// The lines so far.
#[derive(Debug, Default)]
pub struct Standing(Vec<Line>);

impl Standing {
    /// Adds a line: what was measured in each round, and the limit, if there is one.
    pub fn add(&mut self, name: String, samples: Vec<f64>, limit: Option<Limit>) {
        let measured = Spread::of(samples).map(|spread| spread.median);
        let met = limit.map(|limit| measured.is_some_and(|measured| limit.holds(measured)));
        self.0.push(Line {
            name,
            measured,
            limit,
            met,
        });
    }

    /// Prints the table and writes `file`.
    pub fn report(&self, file: &Path) -> Outcome<()> {
        for line in &self.0 {
            let limit = match line.limit {
                Some(Limit::AtLeast(limit)) => format!("at least {limit}"),
                Some(Limit::AtMost(limit)) => format!("at most {limit}"),
                None => "no limit".to_owned(),
            };
            let word = match line.met {
                Some(true) => "met",
                Some(false) => "MISSED",
                None => "",
            };
            let measured = line.measured.unwrap_or(f64::NAN);
            println!("{:<62} {measured:>8.2}  {limit:<14} {word}", line.name);
        }
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let report = json!({ "machine": machine::describe(), "lines": self.0 });
        fs::write(file, serde_json::to_string_pretty(&report)?)?;
        println!("written to {}", file.display());
        Ok(())
    }
}

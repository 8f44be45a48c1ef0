//! `edgeward policy footprint`: what a policy can read, and what makes that more than it names.
//!
//! It loads the policy as the service does and asks it nothing.

use std::io::Write;

use serde_json::{Value, json};

use super::super::chosen_policy::{ChosenPolicy, evaluated_by};
use super::super::output::{OutputFormat, printable};
use super::{Failure, Verdict};
use crate::atoms::made_of;
use crate::policy::footprint::Analysis;
use crate::policy::{PolicySet, Quantum};

/// Arguments of `edgeward policy footprint`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  edgeward policy footprint                     the embedded example policy
  edgeward policy footprint --policies policies
  edgeward policy footprint --config edgeward.yaml --output json
  edgeward policy footprint --policies policies --entrypoint data.edgeward.authz.allow

Two questions that are equal in what is listed share an answer. Under \"read whole\" are the places that
read more than they name: `docs/caching-policies.md` says what to write instead.")]
pub(super) struct Arguments {
    #[command(flatten)]
    policy: ChosenPolicy,
    /// How to answer
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let settings = arguments.policy.settings()?;
    let set = PolicySet::load(&settings).map_err(|error| Failure::new(error.to_string()))?;
    let out = std::io::stdout().lock();
    match arguments.output {
        OutputFormat::Text => write_text(out, &settings.entry_point, &set)?,
        OutputFormat::Json => write_json(out, &settings.entry_point, &set)?,
    }
    Ok(Verdict::Yes)
}

fn write_text(mut out: impl Write, entry_point: &str, set: &PolicySet) -> std::io::Result<()> {
    let analysis = set.footprint();
    writeln!(out, "{entry_point} reads")?;
    let parts = [analysis.input_parts(), analysis.data_parts()].concat();
    for part in &parts {
        let presence = if part.presence {
            " (only whether it is there)"
        } else {
            ""
        };
        let atom = made_of(&part.path).map(|of| format!(" (atom of {of})"));
        let atom = atom.unwrap_or_default();
        writeln!(out, "  {}{presence}{atom}", printable(&part.path))?;
    }
    if let Some(place) = &analysis.clock {
        writeln!(out, "  the clock, at {}", printable(&place.to_string()))?;
    }
    if parts.is_empty() && analysis.clock.is_none() {
        writeln!(out, "  nothing")?;
    }
    writeln!(
        out,
        "cacheable: {}",
        printable(&cacheable(analysis, set.clock_quantum()))
    )?;
    writeln!(out, "engine: {}", printable(&evaluated_by(set)))?;
    if !analysis.widenings.is_empty() {
        writeln!(out, "read whole:")?;
    }
    for widening in &analysis.widenings {
        writeln!(out, "  {}", printable(&widening.to_string()))?;
    }
    Ok(())
}

/// Whether answers are remembered, for people.
fn cacheable(analysis: &Analysis, quantum: Option<Quantum>) -> String {
    if let Some(cause) = &analysis.uncacheable {
        return format!(
            "no: `{}` at {} answers anew each time",
            cause.function, cause.place
        );
    }
    if !analysis.is_cacheable() {
        return "no: all of `input` is read, so that no two questions are equal".to_owned();
    }
    match (&analysis.clock, quantum) {
        (None, _) if !analysis.reads_time() => "yes".to_owned(),
        (None, _) => "yes, but each answer ends with its second: `context.time` is read".to_owned(),
        (Some(_), Some(quantum)) => format!(
            "yes, but each answer ends with its step of the clock, {}s: time is read",
            quantum.seconds()
        ),
        (Some(place), None) => format!(
            "no: the true time is read at {place}; `cache.clock_quantum` gives a clock in steps"
        ),
    }
}

fn write_json(mut out: impl Write, entry_point: &str, set: &PolicySet) -> std::io::Result<()> {
    let analysis = set.footprint();
    let widenings: Vec<Value> = analysis
        .widenings
        .iter()
        .map(|widening| {
            json!({
                "path": widening.part(),
                "file": widening.place.file,
                "line": widening.place.line,
                "why": widening.why.to_string(),
            })
        })
        .collect();
    let parts = analysis.input_parts();
    let atoms: Vec<&str> = parts
        .iter()
        .map(|part| part.path.as_str())
        .filter(|path| made_of(path).is_some())
        .collect();
    let answer = json!({
        "entrypoint": entry_point,
        "revision": set.revision(),
        "input": &parts,
        "atoms": atoms,
        "vary": analysis.input,
        "data": analysis.data_parts(),
        "data_roots": analysis.data_roots(),
        "clock": analysis.clock,
        "reads_time": analysis.reads_time(),
        "uncacheable": analysis.uncacheable,
        "clock_quantum": set.clock_quantum().map(Quantum::seconds),
        "cacheable": set.caching().is_some(),
        "widenings": widenings,
        "engine": set.engine(),
        "interpreted": set.interpreted().map(ToString::to_string),
    });
    writeln!(out, "{answer}")
}

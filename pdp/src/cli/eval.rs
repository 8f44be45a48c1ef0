//! `edgeward eval`: what the policy says to one input, on the command line.
//!
//! The input is what Rego sees as `input`: an AuthZEN evaluation request. What this is not: the
//! service; the input is given to the policy as it is, but for its atoms where a configuration
//! defines them.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use edgeward_core::json;
use serde_json::{Value, json};

use super::chosen_policy::ChosenPolicy;
use super::instant::Instant;
use super::{Failure, Verdict};
use crate::policy::{self, PolicySet, on_deep_stack};

/// The longest input read, in bytes.
const MAX_INPUT_BYTES: u64 = 64 * 1024 * 1024;

/// Arguments of `edgeward eval`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  edgeward eval --policies policies --input request.json
  edgeward eval --config edgeward.yaml --input - < request.json
  edgeward eval --config edgeward.yaml --at 2026-12-24T21:00:00Z --input request.json

With `--config` the input is told which of its schedules hold, which networks and country the address
lies in, and which route the path takes, as the service does. Prints the decision as one JSON object.
Exit code 0 for allow, 1 for deny.")]
pub(super) struct Arguments {
    #[command(flatten)]
    policy: ChosenPolicy,
    /// A JSON file with the input, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The instant whose schedules hold. Default: now
    #[arg(long, value_name = "TIME", requires = "config")]
    at: Option<Instant>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let settings = arguments.policy.settings()?;
    let mut input = read_input(&arguments.input)?;
    if let Some(atoms) = arguments.policy.atoms()? {
        atoms.tell(&mut input, arguments.at.unwrap_or_else(Instant::now).0);
    }
    let failed = |error: policy::LoadError| Failure::new(error.to_string());
    let set = Arc::new(PolicySet::load(&settings).map_err(failed)?);
    let revision = set.revision().to_owned();
    let Instant(now) = Instant::now();
    let verdict = on_deep_stack(move || {
        let mut worker = set.worker()?;
        Ok(worker.evaluate(policy::from_json(input), now))
    });
    let verdict = verdict.and_then(|inner| inner).map_err(failed)?;
    let (allow, answer) = match verdict {
        Ok(verdict) => (
            verdict.allow,
            json!({
                "decision": verdict.allow,
                "reasons": verdict.reasons,
                "obligations": verdict.obligations,
                "ttl": verdict.ttl,
                "valid_until": verdict.valid_until,
                "policy": { "revision": revision },
            }),
        ),
        Err(failure) => (
            false,
            json!({
                "decision": false,
                "reasons": [failure.code()],
                "detail": failure.to_string(),
                "policy": { "revision": revision },
            }),
        ),
    };
    writeln!(std::io::stdout().lock(), "{answer:#}")?;
    Ok(if allow { Verdict::Yes } else { Verdict::No })
}

fn read_input(file: &Path) -> Result<Value, Failure> {
    let name = if file == Path::new("-") {
        "standard input".into()
    } else {
        file.display().to_string()
    };
    let failed = |error: &dyn std::fmt::Display| Failure::new(format!("{name}: {error}"));
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(MAX_INPUT_BYTES + 1)
            .read_to_end(&mut bytes)
    } else {
        let opened = std::fs::File::open(file).map_err(|error| failed(&error))?;
        opened.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes)
    };
    read.map_err(|error| failed(&error))?;
    if bytes.len() as u64 > MAX_INPUT_BYTES {
        return Err(failed(&format!("is longer than {MAX_INPUT_BYTES} bytes")));
    }
    json::parse(&bytes).map_err(|error| failed(&error))
}

//! `edgeward test`: runs the tests of a policy folder and reports.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::output::OutputFormat;
use super::{Failure, Verdict};
use crate::config::DEFAULT_ENTRYPOINT;
use crate::policy::{Outcome, TestReport, test_folder};

/// Arguments of `edgeward test`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  edgeward test --policies policies
  edgeward test                       the embedded example policy

A test is a rule named `test_…` in a file `*_test.rego`; it passes when it is true. Exit code 1 when
any fails.")]
pub(super) struct Arguments {
    /// The policy folder. Default: the example embedded in the program
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// The rule that decides
    #[arg(long, value_name = "RULE", default_value = DEFAULT_ENTRYPOINT)]
    entrypoint: String,
    /// How to answer
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let report = test_folder(arguments.policies.as_deref(), &arguments.entrypoint)
        .map_err(|error| Failure::new(error.to_string()))?;
    let out = std::io::stdout().lock();
    match arguments.output {
        OutputFormat::Text => write_text(out, &report)?,
        OutputFormat::Json => write_json(out, &report)?,
    }
    Ok(if report.failures().next().is_none() {
        Verdict::Yes
    } else {
        Verdict::No
    })
}

fn write_text(mut out: impl Write, report: &TestReport) -> std::io::Result<()> {
    for test in &report.tests {
        match &test.outcome {
            Outcome::Pass => writeln!(out, "pass  {}", test.name)?,
            Outcome::Fail(what) => writeln!(out, "FAIL  {} ({}): {what}", test.name, test.file)?,
        }
        for line in &test.prints {
            writeln!(out, "      {line}")?;
        }
    }
    let failed = report.failures().count();
    writeln!(
        out,
        "{} passed, {failed} failed",
        report.tests.len() - failed
    )
}

fn write_json(mut out: impl Write, report: &TestReport) -> std::io::Result<()> {
    for test in &report.tests {
        let (result, detail) = match &test.outcome {
            Outcome::Pass => ("pass", None),
            Outcome::Fail(what) => ("fail", Some(what)),
        };
        let line = json!({
            "result": result, "test": test.name, "file": test.file, "detail": detail,
            "prints": test.prints,
        });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

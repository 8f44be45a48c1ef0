//! Logs: to standard error, text for people and JSON for collectors.
//!
//! What this is not: the metrics, which the service shows at `/metrics`.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::Failure;

/// The form of a log record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Installs the one subscriber of the process.
pub(super) fn start(format: Option<LogFormat>, filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::new(format!(
            "`--log {filter}`: {error}: write a level such as `info`, or directives such as \
             `info,edgeward::keys=debug`"
        ))
    })?;
    let is_terminal = std::io::stderr().is_terminal();
    let default = if is_terminal {
        LogFormat::Text
    } else {
        LogFormat::Json
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let installed = match format.unwrap_or(default) {
        LogFormat::Text => builder.with_ansi(is_terminal).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    installed.map_err(|error| Failure::new(format!("cannot log: {error}")))
}

//! `edgeward schema`: the JSON Schema of the configuration file.

use std::io::Write as _;

use super::{Failure, Verdict};

/// Arguments of `edgeward schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  edgeward schema > edgeward.schema.json")]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments) -> Result<Verdict, Failure> {
    std::io::stdout()
        .lock()
        .write_all(crate::config::json_schema().as_bytes())?;
    Ok(Verdict::Yes)
}

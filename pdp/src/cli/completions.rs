//! `edgeward completions SHELL`: a completion script on standard output.

use std::io::Write as _;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Failure, Verdict};

/// Arguments of `edgeward completions`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  edgeward completions bash > ~/.local/share/bash-completion/completions/edgeward"
)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let mut script = Vec::new();
    let mut command = super::CommandLine::command();
    clap_complete::generate(arguments.shell, &mut command, "edgeward", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(Verdict::Yes)
}

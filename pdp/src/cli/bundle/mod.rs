//! `edgeward bundle`: what there is to know about a policy bundle before a PDP is given it.

mod verify;

use clap::Subcommand;

use super::{Failure, Verdict};

/// Arguments of `edgeward bundle`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a bundle's archive, signature, manifest and policies, as a PDP would
    Verify(verify::Arguments),
}

pub(super) fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    match arguments.command {
        Command::Verify(arguments) => verify::run(arguments),
    }
}

//! `edgeward policy`: what there is to know about a policy without asking it anything.

mod footprint;

use clap::Subcommand;

use super::{Failure, Verdict};

/// Arguments of `edgeward policy`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what a policy can read of a question, of data and of time, and so when two questions
    /// share an answer
    Footprint(footprint::Arguments),
}

pub(super) fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    match arguments.command {
        Command::Footprint(arguments) => footprint::run(&arguments),
    }
}

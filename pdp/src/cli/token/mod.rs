//! `edgeward token`: what stands in a token, the same verification as the filter's, and development tokens.

mod inspect;
mod key_file;
mod lines;
mod mint;
mod publish;
mod trust;
mod verify;

use clap::Subcommand;

use super::{Failure, Verdict};

/// Arguments of `edgeward token`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what stands in a token, in words
    Inspect(inspect::Arguments),
    /// Say of each token whether it is accepted, and why not
    Verify(verify::Arguments),
    /// Mint a token for development, making the key if there is none
    Mint(mint::Arguments),
}

pub(super) fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    match arguments.command {
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Mint(arguments) => mint::run(&arguments),
    }
}

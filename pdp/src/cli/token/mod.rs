//! `edgeward token`: the same verification as the filter's, and development tokens.

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
    /// Say of each token whether it is accepted, and why not
    Verify(verify::Arguments),
    /// Mint a token for development, making the key if there is none
    Mint(mint::Arguments),
}

pub(super) fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    match arguments.command {
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Mint(arguments) => mint::run(&arguments),
    }
}

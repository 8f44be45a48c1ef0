//! The command line: arguments in, exit code out. One file per subcommand.
//!
//! Answers go to standard output, everything else to standard error. What this is not: a place
//! for decisions; each subcommand calls the room that knows.

mod administration;
mod attest;
mod bundle;
mod check;
mod chosen_policy;
mod completions;
mod eval;
mod failure;
mod graded;
mod instant;
mod inventory;
mod inventory_keeping;
mod output;
mod policy;
mod revoke;
mod schema;
mod serve;
mod signals;
mod telemetry;
mod test;
mod tls_files;
mod token;
mod token_issuing;
mod welcome;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use failure::Failure;

/// Edgeward's policy decision point: who is asking, may it, under which conditions.
#[derive(Debug, Parser)]
#[command(
    name = "edgeward",
    version,
    propagate_version = true,
    args_conflicts_with_subcommands = true,
    after_help = EXAMPLES
)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Arguments,
}

const EXAMPLES: &str = "\
Examples:
  edgeward                                    serve on 127.0.0.1:8181 with the example policy
  edgeward serve --config edgeward.yaml       serve what the file says
  edgeward check --config edgeward.yaml       name every mistake in the file and what it points to
  edgeward token verify --config edgeward.yaml < tokens.txt
  edgeward attest --server https://edgeward.example --audience orders

Exit codes: 0 yes, 1 no (a token refused, a test failed, a decision to deny), 2 usage or configuration.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve decisions; what `edgeward` alone does
    Serve(serve::Arguments),
    /// Name every mistake in a configuration and in what it points to
    Check(check::Arguments),
    /// Ask a policy for its decision on one input
    Eval(eval::Arguments),
    /// Run the tests of a policy folder
    Test(test::Arguments),
    /// Say of a policy what it reads
    Policy(policy::Arguments),
    /// Say of a policy bundle whether a PDP would take it
    Bundle(bundle::Arguments),
    /// Print the JSON Schema of the configuration file
    Schema(schema::Arguments),
    /// Take back a token, key, workload or policy at a running PDP
    Revoke(Box<revoke::Arguments>),
    /// Show who was seen by a running PDP, and which static secrets it noticed
    Inventory(Box<inventory::Arguments>),
    /// Get a token for what this workload's platform vouches for, and keep it fresh
    Attest(Box<attest::Arguments>),
    /// Inspect, verify or mint tokens
    Token(Box<token::Arguments>),
    /// Print a completion script for a shell
    Completions(completions::Arguments),
}

/// What a run that did its work has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Everything asked about is so.
    Yes,
    /// At least one thing is not: a refused token, a failed test, a deny.
    No,
}

/// Runs the program: reads the arguments of this process, answers with its exit code.
pub fn run() -> ExitCode {
    // `parse` ends the process itself for `--help` (0) and for wrong usage (2).
    let arguments = CommandLine::parse();
    let outcome = match arguments.command {
        None => serve::run(&arguments.serve),
        Some(Command::Serve(arguments)) => serve::run(&arguments),
        Some(Command::Check(arguments)) => check::run(&arguments),
        Some(Command::Eval(arguments)) => eval::run(&arguments),
        Some(Command::Test(arguments)) => test::run(&arguments),
        Some(Command::Policy(arguments)) => policy::run(arguments),
        Some(Command::Bundle(arguments)) => bundle::run(arguments),
        Some(Command::Schema(arguments)) => schema::run(&arguments),
        Some(Command::Revoke(arguments)) => revoke::run(&arguments),
        Some(Command::Inventory(arguments)) => inventory::run(&arguments),
        Some(Command::Attest(arguments)) => attest::run(&arguments),
        Some(Command::Token(arguments)) => token::run(*arguments),
        Some(Command::Completions(arguments)) => completions::run(&arguments),
    };
    match outcome {
        Ok(Verdict::Yes) => ExitCode::SUCCESS,
        Ok(Verdict::No) => ExitCode::from(1),
        // Whoever reads our output has seen enough, as in `edgeward schema | head -1`.
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_the_document_of_attest_shows_is_understood() {
        let text = include_str!("../../../docs/attest.md");
        let shown = text.lines().filter_map(|line| line.strip_prefix("$ "));
        let ours: Vec<&str> = shown.filter(|line| line.starts_with("edgeward ")).collect();
        assert!(ours.len() > 8, "{ours:?}");
        for line in ours {
            let words = line.split_whitespace();
            if let Err(error) = CommandLine::try_parse_from(words) {
                panic!("{line}\n{error}");
            }
        }
    }

    #[test]
    fn every_option_and_platform_of_attest_is_documented() {
        use clap::CommandFactory as _;

        let text = include_str!("../../../docs/attest.md");
        let line = CommandLine::command();
        for path in [&["attest"][..], &["token", "inspect"]] {
            let command = path.iter().try_fold(&line, |command, name| {
                command
                    .get_subcommands()
                    .find(|sub| sub.get_name() == *name)
            });
            let options = command.unwrap().get_arguments();
            let options: Vec<&str> = options.filter_map(|option| option.get_long()).collect();
            assert!(options.len() > 5, "{options:?}");
            for option in options.iter().filter(|option| **option != "help") {
                assert!(
                    text.contains(&format!("--{option}")),
                    "--{option} of {path:?}"
                );
            }
        }
        for platform in crate::attest::platform::Platform::TRIED {
            let row = format!("\n| `{}` | ", platform.as_str());
            assert!(text.contains(&row), "{row}");
        }
    }
}

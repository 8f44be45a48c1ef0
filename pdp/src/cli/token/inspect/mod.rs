//! `edgeward token inspect`: what stands in a token, in words.
//!
//! What this is not: a verdict. Nothing of what it shows is a fact unless keys are named, and then the
//! verdict is `edgeward_core::token::verify`'s. The signature itself is never shown: without it, what is
//! printed opens no door.

mod decoded;
mod findings;
mod kind;
mod report;
mod times;
mod verdict;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use self::report::Report;
use self::verdict::Keys;
use super::lines::for_each_line;
use super::{Failure, Verdict};
use crate::cli::instant::Instant;
use crate::cli::output::OutputFormat;

/// The longest text looked at, in bytes: evidence of clouds is longer than tokens are.
const MAX_BYTES: usize = 64 * 1024;

/// Arguments of `edgeward token inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  edgeward token inspect < token.jwt
  edgeward token inspect --file /var/run/secrets/tokens/edgeward
  edgeward attest --server https://edgeward.example --audience orders | edgeward token inspect
  edgeward token inspect --jwks jwks.json --output json < token.jwt
  edgeward token inspect --config edgeward.yaml < token.jwt

What is shown was NOT verified unless --jwks or --config is given. The signature is never printed.
A token on the command line is in the shell's history and in every process list: prefer standard input.
Exit codes: 0 shown (and accepted, where keys are given), 1 refused by those keys, 2 usage.")]
pub(super) struct Arguments {
    /// A file with a token
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    file: Option<PathBuf>,
    /// Verify by the keys of this file, a JWK Set or a SPIFFE bundle, as those of the token's own issuer
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    jwks: Option<PathBuf>,
    /// With --jwks: whom the token must be for; may be repeated. Default: anybody
    #[arg(long, requires = "jwks")]
    audience: Vec<String>,
    /// Verify as the filter would with this configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// With --config: fetch keys from the network once before verifying
    #[arg(long, requires = "config")]
    fetch: bool,
    /// As of this instant, RFC 3339 or seconds since 1970, instead of now
    #[arg(long, value_name = "INSTANT")]
    at: Option<Instant>,
    /// How to answer
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,
    /// The token. The shell's history keeps it; without, one a line from standard input
    #[arg(value_name = "TOKEN")]
    token: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let keys = Keys::load(arguments)?;
    let Instant(now) = arguments.at.unwrap_or_else(Instant::now);
    let mut verdict = Verdict::Yes;
    let mut shown = 0;
    let mut show = |text: &str| -> Result<(), Failure> {
        let token = without_scheme(text);
        let report = Report::of(token, keys.verify(token, now), now);
        if report.is_refused() {
            verdict = Verdict::No;
        }
        let mut out = std::io::stdout().lock();
        match arguments.output {
            OutputFormat::Json => writeln!(out, "{}", report.to_json())?,
            OutputFormat::Text => {
                let gap = if shown > 0 { "\n" } else { "" };
                write!(out, "{gap}{}", report.to_text())?;
            }
        }
        shown += 1;
        Ok(())
    };
    if let Some(token) = &arguments.token {
        show(token.trim())?;
    } else if let Some(file) = &arguments.file {
        let opened = std::fs::File::open(file)
            .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
        for_each_line(std::io::BufReader::new(opened), MAX_BYTES, &mut show)?;
    } else {
        let input = std::io::stdin();
        if input.is_terminal() {
            eprintln!("reading tokens from standard input, one a line");
        }
        for_each_line(input.lock(), MAX_BYTES, &mut show)?;
    }
    if shown == 0 {
        return Err(Failure::new(
            "there is no token: nothing but white space was given",
        ));
    }
    Ok(verdict)
}

/// A token as it stands in a header `Authorization`.
fn without_scheme(text: &str) -> &str {
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => text,
    }
}

//! `edgeward token verify`: the filter's verdict on a token, explained, without a network.
//!
//! The verdict is `edgeward_core::token::verify`'s, the very function the filter calls. What this
//! is not: a decoder. Of a refused token only the profile it would have been read by is shown,
//! since nothing else in it is a fact.

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;

use edgeward_core::jose::{CompactJws, MAX_TOKEN_BYTES};
use edgeward_core::spiffe::looks_like_spiffe_id;
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{self, Binding, Claims, Profile, TokenRefusal, Trust, VerifiedToken};
use serde::Serialize;

use super::lines::for_each_line;
use super::{Failure, Verdict};
use crate::cli::instant::Instant;
use crate::cli::output::{OutputFormat, printable};
use crate::config::Config;
use crate::crypto::AwsLc;

/// Arguments of `edgeward token verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  edgeward token verify --config edgeward.yaml \"$TOKEN\"
  edgeward token verify --config edgeward.yaml --output json < tokens.txt
  edgeward token verify --config edgeward.yaml --at 2026-01-31T12:00:00Z \"$TOKEN\"

Columns: accepted or refused, profile, reason code, subject, detail. Exit code 1 when any was refused.
Keys come from files, from the configuration and from the key cache; nothing is fetched without --fetch.")]
pub(super) struct Arguments {
    /// The configuration that says whom we believe
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Verify as of this instant, RFC 3339 or seconds since 1970, instead of now
    #[arg(long, value_name = "INSTANT")]
    at: Option<Instant>,
    /// How to answer
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,
    /// Fetch keys from the network once before verifying
    #[arg(long)]
    fetch: bool,
    /// The tokens; without any, one a line from standard input
    #[arg(value_name = "TOKEN")]
    tokens: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let config = Config::load(&arguments.config)?;
    let keys = super::trust::load(&config, arguments.fetch)?;
    let trust = &keys.trust;
    let Instant(now) = arguments.at.unwrap_or_else(Instant::now);
    let mut report = Report {
        out: std::io::stdout().lock(),
        format: arguments.output,
        verdict: Verdict::Yes,
    };
    if arguments.tokens.is_empty() {
        let input = std::io::stdin();
        if input.is_terminal() {
            eprintln!("reading tokens from standard input, one a line");
        }
        for_each_line(input.lock(), MAX_TOKEN_BYTES, |token| {
            report.judge(token, trust, now)
        })?;
    } else {
        for token in &arguments.tokens {
            report.judge(token.trim(), trust, now)?;
        }
    }
    Ok(report.verdict)
}

/// Writes one line per token and remembers whether any was refused.
struct Report<W> {
    out: W,
    format: OutputFormat,
    verdict: Verdict,
}

impl<W: Write> Report<W> {
    fn judge(&mut self, token: &str, trust: &Trust, now: UnixSeconds) -> Result<(), Failure> {
        let line = match token::verify(token, trust, now, &AwsLc) {
            Ok(verified) => Line::accepted(&verified),
            Err(refusal) => {
                self.verdict = Verdict::No;
                Line::refused(token, &refusal)
            }
        };
        match self.format {
            OutputFormat::Text => writeln!(self.out, "{}", line.to_text())?,
            OutputFormat::Json => {
                serde_json::to_writer(&mut self.out, &line).map_err(std::io::Error::from)?;
                writeln!(self.out)?;
            }
        }
        Ok(())
    }
}

/// The verdict on one token, as `--output json` writes it.
#[derive(Debug, Serialize)]
struct Line {
    result: &'static str,
    profile: Option<&'static str>,
    /// The stable code of the refusal.
    reason: Option<&'static str>,
    subject: Option<String>,
    detail: String,
}

impl Line {
    fn accepted(token: &VerifiedToken) -> Self {
        let key = token
            .key_id
            .as_deref()
            .map_or(String::new(), |id| format!("key `{id}`, "));
        Self {
            result: "accepted",
            profile: Some(token.profile.as_str()),
            reason: None,
            subject: Some(token.subject.to_string()),
            detail: format!(
                "{key}honoured until {}{}",
                rfc3339(token.expires_at),
                demand(token.claims.binding)
            ),
        }
    }

    fn refused(token: &str, refusal: &TokenRefusal) -> Self {
        Self {
            result: "refused",
            profile: claimed_profile(token).map(Profile::as_str),
            reason: Some(refusal.code()),
            subject: None,
            detail: refusal.to_string(),
        }
    }

    fn to_text(&self) -> String {
        let or_dash = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), printable);
        format!(
            "{}  {}  {}  {}  ({})",
            self.result,
            or_dash(self.profile),
            or_dash(self.reason),
            or_dash(self.subject.as_deref()),
            printable(&self.detail),
        )
    }
}

/// What the token demands of the connection it comes on, which a command line cannot check.
fn demand(binding: Binding) -> &'static str {
    match binding {
        Binding::None => "",
        Binding::Certificate(_) => ", only on a connection with the client certificate in `cnf`",
        Binding::Proof => ", but its `cnf` demands a proof that the filter does not take",
    }
}

/// By which profile a refused token would have been read, where it can be read at all.
fn claimed_profile(token: &str) -> Option<Profile> {
    let claims = Claims::parse(CompactJws::parse(token).ok()?.payload).ok()?;
    Some(if looks_like_spiffe_id(&claims.subject) {
        Profile::JwtSvid
    } else {
        Profile::Oidc
    })
}

fn rfc3339(instant: UnixSeconds) -> String {
    let timestamp = i64::try_from(instant.0)
        .ok()
        .and_then(|s| jiff::Timestamp::from_second(s).ok());
    timestamp.map_or_else(|| instant.0.to_string(), |timestamp| timestamp.to_string())
}

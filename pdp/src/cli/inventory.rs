//! `edgeward inventory`: who was seen by a running PDP, and which static secrets it noticed.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use clap::Args;
use edgeward_core::time::UnixSeconds;
use http::Method;
use serde_json::{Value, json};

use super::administration::Administration;
use super::instant::Instant;
use super::output::{OutputFormat, printable};
use super::revoke::When;
use super::{Failure, Verdict};
use crate::inventory::Report;
use crate::service::INVENTORY_PATH;

/// Arguments of `edgeward inventory`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgeward inventory
  edgeward inventory --provider ci --since 24h
  edgeward inventory --unused 30d              client workloads that nobody was since
  edgeward inventory --secrets --output json   where static secrets were noticed; never the secrets

The PDP's configuration must have `inventory`. The admin token is read from --token-file or from
EDGEWARD_ADMIN_TOKEN; an operator names --cert-file and --key-file. Exit codes: 0 shown,
1 with --unused or --secrets: there are some, 2 usage, or the PDP did not say.")]
pub(super) struct Arguments {
    #[command(flatten)]
    administration: Administration,
    /// Only identities that this trust provider vouched for
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Only identities that are this client workload
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,
    /// Only what was seen in this last while, such as `24h`
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    since: Option<Duration>,
    /// In place of identities: client workloads that nobody was in this last while
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, conflicts_with_all = ["provider", "workload", "since", "secrets"])]
    unused: Option<Duration>,
    /// In place of identities: where static secrets were noticed
    #[arg(long, conflicts_with_all = ["provider", "workload"])]
    secrets: bool,
    /// How to answer
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let said = arguments
        .administration
        .connect()?
        .done(Method::GET, INVENTORY_PATH, None)?;
    let configured = said.get("client_workloads").cloned().unwrap_or_default();
    let configured: Vec<String> = serde_json::from_value(configured).unwrap_or_default();
    let report: Report = serde_json::from_value(said)
        .map_err(|error| Failure::new(format!("the PDP's answer cannot be read: {error}")))?;
    // Also with `--unused`: whom there was no room for looks unused.
    if report.dropped > 0 {
        eprintln!(
            "warning: {} sightings did not fit and are missing",
            report.dropped
        );
    }
    let earliest = |ago: Duration| UnixSeconds(Instant::now().0.0.saturating_sub(ago.as_secs()));
    if let Some(ago) = arguments.unused {
        let unused = unused(&report, &configured, earliest(ago));
        return show_unused(&unused, arguments.output);
    }
    let since = arguments.since.map_or(UnixSeconds(0), earliest);
    if arguments.secrets {
        return show_secrets(&report, since, arguments.output);
    }
    show_identities(arguments, &report, since)
}

/// The names of `configured` of which nobody was seen since `earliest`, with when somebody last was.
fn unused(
    report: &Report,
    configured: &[String],
    earliest: UnixSeconds,
) -> Vec<(String, Option<UnixSeconds>)> {
    let last = |name: &String| {
        let seen = report.identities.iter();
        let seen = seen.filter(|seen| seen.identity.workload.as_ref() == Some(name));
        seen.map(|seen| seen.identity.last_seen).max()
    };
    let all = configured.iter().map(|name| (name.clone(), last(name)));
    all.filter(|(_, last)| last.is_none_or(|last| last < earliest))
        .collect()
}

fn show_unused(
    unused: &[(String, Option<UnixSeconds>)],
    output: OutputFormat,
) -> Result<Verdict, Failure> {
    let mut out = std::io::stdout().lock();
    if output == OutputFormat::Json {
        let all = unused
            .iter()
            .map(|(name, last)| json!({ "client_workload": name, "last_seen": last }));
        writeln!(out, "{}", Value::Array(all.collect()))?;
    } else {
        let rows = unused
            .iter()
            .map(|(name, last)| [name.clone(), time(*last)]);
        table(&mut out, ["CLIENT WORKLOAD", "LAST SEEN"], rows)?;
    }
    Ok(verdict(unused.is_empty()))
}

fn show_secrets(
    report: &Report,
    since: UnixSeconds,
    output: OutputFormat,
) -> Result<Verdict, Failure> {
    let all: Vec<_> = report
        .secrets
        .iter()
        .filter(|one| one.secret.last_seen >= since)
        .collect();
    let mut out = std::io::stdout().lock();
    if output == OutputFormat::Json {
        writeln!(out, "{}", json!(all))?;
    } else {
        let rows = all.iter().map(|one| {
            let (at, seen) = (&one.at, &one.secret);
            [
                at.kind.as_str().to_owned(),
                at.place.clone(),
                at.subject.clone(),
                at.service.clone(),
                seen.count.to_string(),
                time(Some(seen.first_seen)),
                time(Some(seen.last_seen)),
            ]
        });
        let heads = [
            "SECRET",
            "IN",
            "FROM",
            "TO",
            "REQUESTS",
            "FIRST SEEN",
            "LAST SEEN",
        ];
        table(&mut out, heads, rows)?;
    }
    Ok(verdict(all.is_empty()))
}

fn show_identities(
    arguments: &Arguments,
    report: &Report,
    since: UnixSeconds,
) -> Result<Verdict, Failure> {
    let all = report.identities.iter().filter(|seen| {
        let of_provider = |name: &String| seen.identity.providers.contains(name);
        seen.identity.last_seen >= since
            && arguments.provider.as_ref().is_none_or(of_provider)
            && (arguments.workload.is_none() || arguments.workload == seen.identity.workload)
    });
    let all: Vec<_> = all.collect();
    let mut out = std::io::stdout().lock();
    if arguments.output == OutputFormat::Json {
        writeln!(out, "{}", json!(all))?;
        return Ok(Verdict::Yes);
    }
    let rows = all.iter().map(|seen| {
        let identity = &seen.identity;
        let providers: Vec<&str> = identity.providers.iter().map(String::as_str).collect();
        let refused: u64 = identity.tokens_refused.values().sum();
        let lifetimes = match (identity.shortest_token, identity.longest_token) {
            (Some(short), Some(long)) if short == long => seconds(short),
            (Some(short), Some(long)) => format!("{} to {}", seconds(short), seconds(long)),
            _ => "-".to_owned(),
        };
        [
            seen.who.id.clone(),
            seen.who.authority.clone().unwrap_or_default(),
            identity.workload.clone().unwrap_or_default(),
            providers.join(", "),
            format!("{} ({refused})", identity.tokens_issued),
            lifetimes,
            time(Some(identity.first_seen)),
            time(Some(identity.last_seen)),
        ]
    });
    let heads = [
        "IDENTITY",
        "OF",
        "CLIENT WORKLOAD",
        "TRUST PROVIDER",
        "TOKENS (REFUSED)",
        "LIFETIMES",
        "FIRST SEEN",
        "LAST SEEN",
    ];
    table(&mut out, heads, rows)?;
    Ok(Verdict::Yes)
}

fn verdict(is_nothing: bool) -> Verdict {
    if is_nothing {
        Verdict::Yes
    } else {
        Verdict::No
    }
}

fn seconds(count: u64) -> String {
    humantime::format_duration(Duration::from_secs(count)).to_string()
}

fn time(at: Option<UnixSeconds>) -> String {
    at.map_or_else(|| "never".to_owned(), When::rfc3339)
}

/// Columns as wide as they must be; nothing a terminal would obey.
fn table<const N: usize>(
    out: &mut impl std::io::Write,
    heads: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<(), Failure> {
    let rows: Vec<[String; N]> = rows
        .map(|row| {
            row.map(|cell| {
                if cell.is_empty() {
                    "-".to_owned()
                } else {
                    printable(&cell)
                }
            })
        })
        .collect();
    let mut widths = heads.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let heads = heads.map(str::to_owned);
    for row in std::iter::once(&heads).chain(&rows) {
        let cells = row.iter().zip(widths);
        let mut line = String::new();
        for (cell, width) in cells {
            let _ = write!(line, "{cell:width$}  ");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

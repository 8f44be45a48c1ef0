//! `edgeward revoke`: takes something back at a running PDP, lists what is taken back, undoes it.
//!
//! What this is not: a way to change the PDP's files; everything goes through its doors.

mod what;

use std::io::Write as _;

use clap::Subcommand;
use edgeward_core::revocation::{Expiry, Revocation};
use http::{Method, StatusCode};
use serde_json::Value;

use self::what::What;
pub(super) use self::what::When;
use super::administration::{Administration, done};
use super::output::{OutputFormat, printable};
use super::{Failure, Verdict};
use crate::service::REVOCATIONS_PATH;

/// Arguments of `edgeward revoke`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  edgeward revoke subject spiffe://example.org/ns/shop/sa/frontend --reason 'node lost'
  edgeward revoke key --issuer https://token.example.org 2024-a
  edgeward revoke session --issuer https://login.example.org 8f1c… --expires 12h
  edgeward revoke certificate --file stolen.pem --pdp https://pdp.example.org:8443 --ca-file ca.pem
  edgeward revoke list --output json --pdp https://pdp.example.org:8443 --cert me.pem --key me.key --ca ca.pem
  edgeward revoke undo 5f0c9a7e…

The admin token is read from --token-file or from EDGEWARD_ADMIN_TOKEN, never from the command line.
An operator needs none: --cert-file and --key-file prove who revokes, by the SPIFFE ID in the certificate.
Once this command has ended, what was revoked is on the PDP's disk and refused by every filter that
hears it. Exit codes: 0 done, 1 nothing to undo, 2 usage, or the PDP did not do it.")]
pub(super) struct Arguments {
    #[command(flatten)]
    administration: Administration,
    /// How to answer
    #[arg(long, global = true, value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Revoke(What),
    /// All that is revoked
    List,
    /// Honour something again
    Undo {
        /// The id that `revoke` and `list` show
        id: String,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let connection = arguments.administration.connect()?;
    let call =
        |method: Method, path: &str, body: Option<Value>| connection.call(method, path, body);
    match &arguments.command {
        Command::Revoke(what) => {
            let order = what.order()?;
            let answer = call(Method::POST, REVOCATIONS_PATH, Some(order))?;
            let body = done(answer)?;
            if let Some(warning) = body.get("warning").and_then(Value::as_str) {
                eprintln!("warning: {}", printable(warning));
            }
            show(arguments.output, "revoked", &body)?;
        }
        Command::List => {
            let body = done(call(Method::GET, REVOCATIONS_PATH, None)?)?;
            let all = body.get("revocations").and_then(Value::as_array);
            for one in all.into_iter().flatten() {
                show(arguments.output, "revoked", one)?;
            }
        }
        Command::Undo { id } => {
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let message = format!("`{id}` is not an id: `edgeward revoke list` shows them");
                return Err(Failure::new(message));
            }
            let answer = call(Method::DELETE, &format!("{REVOCATIONS_PATH}/{id}"), None)?;
            if answer.status == StatusCode::NOT_FOUND {
                eprintln!("nothing is revoked under `{id}`: `edgeward revoke list` shows what is");
                return Ok(Verdict::No);
            }
            show(arguments.output, "undone", &done(answer)?)?;
        }
    }
    Ok(Verdict::Yes)
}

fn show(format: OutputFormat, verb: &str, body: &Value) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if format == OutputFormat::Json {
        writeln!(out, "{body}")?;
        return Ok(());
    }
    let mut known = body.clone();
    if let Some(members) = known.as_object_mut() {
        members.remove("warning");
    }
    let revocation = Revocation::parse(known.to_string().as_bytes())
        .map_err(|error| Failure::new(format!("the PDP's answer cannot be read: {error}")))?;
    let until = match revocation.expires_at {
        Expiry::Never => "until undone".to_owned(),
        Expiry::At(instant) => format!("until {}", When::rfc3339(instant)),
    };
    let reason = revocation.reason.as_deref().unwrap_or("-");
    let (id, tag) = (revocation.revoked.id(), revocation.revoked.tag());
    writeln!(
        out,
        "{verb}  {id}  {until}  {}  ({})",
        printable(&tag),
        printable(reason)
    )?;
    Ok(())
}

//! `edgeward revoke`: takes something back at a running PDP, lists what is taken back, undoes it.
//!
//! What this is not: a way to change the PDP's files; everything goes through its doors.

mod client;
mod what;

use std::io::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use edgeward_core::revocation::{Expiry, Revocation};
use http::{Method, StatusCode};
use serde_json::Value;

use self::client::{Answer, MAX_ANSWER_BYTES};
use self::what::{What, When};
use super::output::{OutputFormat, printable};
use super::{Failure, Verdict};
use crate::client::{Client, Endpoint, Identity, Tls};
use crate::service::REVOCATIONS_PATH;

/// The environment's name for the admin token.
const TOKEN_VARIABLE: &str = "EDGEWARD_ADMIN_TOKEN";

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
    /// Where the PDP listens: `http://` (this machine only), `https://` or `unix:/path`
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:8181"
    )]
    pdp: Endpoint,
    /// PEM file of authorities that vouch for an `https://` PDP. Default: the system's
    #[arg(long, global = true, visible_alias = "ca", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// PEM file with an operator's certificate chain, leaf first: in place of the admin token
    #[arg(long, global = true, visible_alias = "cert", value_name = "FILE")]
    cert_file: Option<PathBuf>,
    /// PEM file with the key of that certificate
    #[arg(long, global = true, visible_alias = "key", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// A file with the admin token. Default: the variable `EDGEWARD_ADMIN_TOKEN`
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
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
    let identity = identity(arguments)?;
    let token = admin_token(arguments, identity.is_some())?;
    let client = Client {
        endpoint: arguments.pdp.clone(),
        tls: Tls {
            ca_file: arguments.ca_file.clone(),
            identity,
        },
        max_bytes: MAX_ANSWER_BYTES,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let call = |method: Method, path: &str, body: Option<Value>| {
        let call = client::call(&client, token.as_deref(), (method, path), body);
        runtime.block_on(call)
    };
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

fn identity(arguments: &Arguments) -> Result<Option<Identity>, Failure> {
    match (&arguments.cert_file, &arguments.key_file) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) if !arguments.pdp.is_tls() => Err(Failure::new(
            "a certificate is shown in TLS only: name an `https://` URL by --pdp",
        )),
        (Some(certificate), Some(key)) => Ok(Some(Identity {
            certificate: certificate.clone(),
            key: key.clone(),
        })),
        _ => Err(Failure::new(
            "--cert-file and --key-file go together: name both",
        )),
    }
}

/// Of whoever shows a certificate, only the token that was named is sent as well.
fn admin_token(arguments: &Arguments, has_identity: bool) -> Result<Option<String>, Failure> {
    let token = match &arguments.token_file {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?,
        None if has_identity => return Ok(None),
        None => std::env::var(TOKEN_VARIABLE).map_err(|_| {
            Failure::new(format!(
                "no admin token: name its file by --token-file, or set {TOKEN_VARIABLE}; an operator \
                 names --cert-file and --key-file"
            ))
        })?,
    };
    Ok(Some(token.trim().to_owned()))
}

/// The body of an answer that says that it was done.
fn done(answer: Answer) -> Result<Value, Failure> {
    let Answer { status, body } = answer;
    if status.is_success() {
        return Ok(body);
    }
    let said = body.as_str().map_or_else(|| body.to_string(), printable);
    let help = match status {
        StatusCode::UNAUTHORIZED => {
            ": is the token's digest in the PDP's `revocations.admin_tokens_sha256`, or the operator in \
             `revocations.operators`?"
        }
        StatusCode::NOT_FOUND => ": is this a PDP of Edgeward, and a version that revokes?",
        _ => "",
    };
    Err(Failure::new(format!(
        "the PDP answered {}: {said}{help}",
        status.as_u16()
    )))
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

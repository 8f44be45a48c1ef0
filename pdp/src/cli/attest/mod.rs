//! `edgeward attest`: a token for what this workload's platform vouches for; printed, or kept fresh in a
//! file or behind a socket.
//!
//! What this is not: the work itself, which is `crate::attest`'s; here are arguments, exit codes and words.

mod arguments;
mod failed;

use std::io::Write as _;

use tokio::task::JoinSet;
use tracing::info;

pub(super) use self::arguments::Arguments;
use super::output::OutputFormat;
use super::signals::Signals;
use super::telemetry;
use super::{Failure, Verdict};
use crate::attest::attestor::{AttestError, Attestor};
use crate::attest::exchange::Token;
use crate::attest::keep::Keeper;
use crate::attest::probe::Surroundings;
use crate::attest::socket::{self, shown};
use crate::attest::token_file::{Content, TokenFile};
use crate::attest::variables::Variables;
use crate::service::open_socket;

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let attestor = arguments.attestor(Variables::of_process())?;
    let file = token_file(arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if arguments.once || (file.is_none() && arguments.socket.is_none()) {
        return runtime.block_on(once(arguments, attestor, file.as_ref()));
    }
    telemetry::start(arguments.log_format, &arguments.log)?;
    runtime.block_on(keep(arguments, attestor, file))
}

fn token_file(arguments: &Arguments) -> Result<Option<TokenFile>, Failure> {
    let content = match arguments.output {
        OutputFormat::Text => Content::Token,
        OutputFormat::Json => Content::Json,
    };
    let Some(path) = &arguments.token_file else {
        return Ok(None);
    };
    let file = TokenFile::new(path, content);
    file.map(Some)
        .map_err(|reason| Failure::new(format!("--token-file: {reason}")))
}

async fn once(
    arguments: &Arguments,
    mut attestor: Attestor,
    file: Option<&TokenFile>,
) -> Result<Verdict, Failure> {
    match attestor.obtain().await {
        Err(error) => failed::tell(&error, arguments.output),
        Ok(token) => {
            match file {
                None => print(&token, &attestor, arguments.output)?,
                Some(file) => file.write(&token).map_err(|error| {
                    Failure::new(format!("--token-file: cannot be written: {error}"))
                })?,
            }
            Ok(Verdict::Yes)
        }
    }
}

fn print(token: &Token, attestor: &Attestor, format: OutputFormat) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match format {
        OutputFormat::Text => writeln!(out, "{}", token.text)?,
        OutputFormat::Json => {
            let mut body = shown(token, Surroundings::now());
            if let (Some(members), Some(platform)) = (body.as_object_mut(), attestor.platform) {
                members.insert("platform".to_owned(), platform.as_str().into());
            }
            writeln!(out, "{body}")?;
        }
    }
    Ok(())
}

async fn keep(
    arguments: &Arguments,
    attestor: Attestor,
    file: Option<TokenFile>,
) -> Result<Verdict, Failure> {
    let mut signals = Signals::listen()?;
    let audiences = attestor.order.audiences.clone();
    let keeper = Keeper::new(attestor);
    let mut tasks = JoinSet::new();
    // Removed when this function ends.
    let mut _socket_file = None;
    if let Some(path) = &arguments.socket {
        let opened = open_socket(path, 0o600);
        let (listener, cleanup) =
            opened.map_err(|error| Failure::new(format!("--socket: {error}")))?;
        _socket_file = Some(cleanup);
        let listener = tokio::net::UnixListener::from_std(listener)?;
        tasks.spawn(socket::serve(listener, keeper.tokens(), audiences));
        info!(path = %path.display(), "serving the token");
    }
    if let Some(file) = file {
        tasks.spawn(file.keep(keeper.tokens()));
    }
    tasks.spawn(keeper.run());
    tokio::select! {
        signal = signals.next() => info!(signal, "stopped"),
        // None of them ends by itself.
        _ = tasks.join_next() => return Err(Failure::new("a task of this command broke off")),
    }
    Ok(Verdict::Yes)
}

/// Whether the token service itself said no.
fn is_refusal(error: &AttestError) -> bool {
    use crate::attest::exchange::ExchangeError::Refused;
    // What it says while it is out of order says nothing of the workload.
    matches!(error, AttestError::Exchange { error: Refused { status, .. }, .. } if *status < 500)
}

//! All workers together: each gets a listener of every socket, and they end together.
//!
//! What this is not: what one of them does (`worker`).

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::accept::Door;
use super::listen::{Socket, SocketFile};
use super::worker::{Shared, build, start};
use super::{Ended, ServeError, ServiceSettings, ServiceState};

/// Runs the workers until `until`, then drains them.
pub(super) async fn serve(
    settings: ServiceSettings,
    state: ServiceState,
    sockets: Vec<Socket>,
    until: impl Future<Output = ()>,
) -> Result<Ended, ServeError> {
    let (stop_sender, stop) = watch::channel(false);
    let drain = settings.limits.drain;
    let workers = settings.workers;
    let shared = Arc::new(Shared::new(settings, state.clone(), stop)?);
    let (doors, _socket_files) = deal(sockets, workers);
    let set = state.policies.borrow().set.clone();
    let mut running = JoinSet::new();
    for doors in doors {
        let engine = build(set.clone()).await?;
        let ended = start(doors, engine, set.clone(), shared.clone())?;
        running.spawn(ended);
    }
    let mut result = Ok(Ended::Drained);
    tokio::select! {
        () = until => {}
        // A worker ends only when told to: this one broke, and the others must not go on as if
        // nothing were missing.
        _ = running.join_next() => result = Err(ServeError::Ended),
    }
    tracing::info!(?drain, "stopping: requests in flight are answered");
    let _ = stop_sender.send(true);
    let mut cut_off = 0;
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok(Ok(open)) => cut_off += open,
            _ => result = Err(ServeError::Ended),
        }
    }
    match result {
        Ok(_) if cut_off > 0 => Ok(Ended::CutOff(cut_off)),
        other => other,
    }
}

/// One listener of each socket to each worker.
fn deal(sockets: Vec<Socket>, workers: NonZeroUsize) -> (Vec<Vec<Door>>, Vec<Option<SocketFile>>) {
    let mut dealt: Vec<Vec<Door>> = Vec::new();
    dealt.resize_with(workers.get(), Vec::new);
    let mut files = Vec::new();
    for socket in sockets {
        let (tls, role) = (socket.tls.clone(), socket.role);
        let (listening, file) = socket.into_parts();
        files.push(file);
        for (doors, listening) in dealt.iter_mut().zip(listening) {
            doors.push(Door {
                listening,
                tls: tls.clone(),
                role,
            });
        }
    }
    (dealt, files)
}

//! One connection from handshake to end: HTTP/1.1 or HTTP/2 (by ALPN or prior knowledge), within
//! its deadlines, closed politely when the service stops.
//!
//! It knows no path and no policy; requests go to `router`.

use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;

use super::activity::{Activity, Tracked};
use super::router::{self, Arrival};
use super::throttle::Caller;
use super::tls::ClientCertificate;
use super::worker::WorkerState;

/// Bytes the head of a request may have.
const MAX_HEAD: usize = 64 * 1024;
/// Requests one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 256;

/// Serves `stream` until it ends, its time is up, or `stop` and everything in flight is answered.
pub(super) async fn serve<S>(
    stream: S,
    tls: Option<Arc<ServerConfig>>,
    mut arrival: Arrival,
    worker: Rc<WorkerState>,
    stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let Some(tls) = tls else {
        return serve_http(stream, arrival, worker, stop).await;
    };
    let handshake = TlsAcceptor::from(tls).accept(stream);
    match timeout(worker.limits().head_timeout, handshake).await {
        Ok(Ok(stream)) => {
            arrival.client = ClientCertificate::of(stream.get_ref().1);
            if let Some(certificate) = &arrival.client {
                arrival.caller = Caller::with(certificate);
            }
            serve_http(stream, arrival, worker, stop).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
}

async fn serve_http<S>(
    stream: S,
    arrival: Arrival,
    worker: Rc<WorkerState>,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let activity = Activity::new();
    let io = TokioIo::new(Tracked::new(stream, activity.clone()));
    let service = {
        let (worker, activity) = (worker.clone(), activity.clone());
        service_fn(move |request| {
            let in_flight = activity.begin(request.version());
            let (worker, arrival) = (worker.clone(), arrival.clone());
            async move {
                let response = router::answer(&worker, &arrival, request).await;
                drop(in_flight);
                Ok::<_, Infallible>(response)
            }
        })
    };
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut tick = interval(tick_of(worker.limits().head_timeout));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = tick.tick() => {
                if activity.is_overdue(worker.limits(), worker.is_crowded()) {
                    tracing::debug!("connection closed: its time is up");
                    return;
                }
            }
        }
    }
}

fn builder() -> auto::Builder<LocalExecutor> {
    let mut builder = auto::Builder::new(LocalExecutor);
    // Deadlines are ours (see `activity`); hyper's would close idle connections too.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(65_536)
        .keep_alive_interval(Some(Duration::from_secs(30)));
    builder
}

fn tick_of(head_timeout: Duration) -> Duration {
    (head_timeout / 4).clamp(Duration::from_millis(20), Duration::from_secs(1))
}

/// Runs hyper's tasks on the worker's own thread.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F> hyper::rt::Executor<F> for LocalExecutor
where
    F: Future + 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move {
            future.await;
        });
    }
}

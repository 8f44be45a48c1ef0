//! What one connection is doing, so that one that does nothing useful can be closed.
//!
//! hyper's own header timeout cannot tell a slow head from an idle connection, and starts only
//! after the protocol is known; this can and does. It measures; `connection` acts.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::Limits;

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    in_flight: Cell<u32>,
    served: Cell<bool>,
    multiplexed: Cell<bool>,
    /// Since when bytes of a head have been coming in.
    head_since: Cell<Option<Instant>>,
    /// Since when nothing is asked.
    idle_since: Cell<Instant>,
    /// Since when the peer does not take what we write.
    stuck_since: Cell<Option<Instant>>,
}

/// While it lives a request is being answered.
pub(super) struct InFlight(Rc<Activity>);

impl Activity {
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            in_flight: Cell::new(0),
            served: Cell::new(false),
            multiplexed: Cell::new(false),
            head_since: Cell::new(None),
            idle_since: Cell::new(Instant::now()),
            stuck_since: Cell::new(None),
        })
    }

    /// A request's head has arrived.
    pub(super) fn begin(self: &Rc<Self>, version: http::Version) -> InFlight {
        self.in_flight.set(self.in_flight.get() + 1);
        self.served.set(true);
        self.multiplexed.set(version == http::Version::HTTP_2);
        self.head_since.set(None);
        InFlight(self.clone())
    }

    /// Whether the connection has used up its time; `crowded` when slots are scarce.
    pub(super) fn is_overdue(&self, limits: &Limits, crowded: bool) -> bool {
        let longer = |since: Instant, limit| since.elapsed() > limit;
        if self
            .stuck_since
            .get()
            .is_some_and(|since| longer(since, limits.request_timeout))
        {
            return true;
        }
        if self.in_flight.get() > 0 {
            return false;
        }
        if !self.served.get() {
            return longer(self.idle_since.get(), limits.head_timeout);
        }
        // Frames that belong to no request (settings, pings) come at any time in HTTP/2.
        let slow_head = !self.multiplexed.get()
            && self
                .head_since
                .get()
                .is_some_and(|since| longer(since, limits.head_timeout));
        let idle_limit = if crowded {
            limits.head_timeout
        } else {
            limits.idle_timeout
        };
        slow_head || longer(self.idle_since.get(), idle_limit)
    }

    fn read_some(&self) {
        if self.in_flight.get() == 0 && self.head_since.get().is_none() {
            self.head_since.set(Some(Instant::now()));
        }
    }

    fn wrote<T>(&self, result: &Poll<T>) {
        match result {
            Poll::Ready(_) => self.stuck_since.set(None),
            Poll::Pending if self.stuck_since.get().is_none() => {
                self.stuck_since.set(Some(Instant::now()));
            }
            Poll::Pending => {}
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0
            .in_flight
            .set(self.0.in_flight.get().saturating_sub(1));
        self.0.idle_since.set(Instant::now());
        self.0.head_since.set(None);
    }
}

/// A stream that notes its use.
pub(super) struct Tracked<S> {
    stream: S,
    activity: Rc<Activity>,
}

impl<S> Tracked<S> {
    pub(super) fn new(stream: S, activity: Rc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tracked<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.read_some();
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tracked<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.activity.wrote(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.activity.wrote(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.activity.wrote(&result);
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

//! Where queries are asked: one at a time, on a thread that gives way to those that answer calls.
//!
//! INVARIANT: at most one thread is here. One that goes on beyond its time is left to itself, for nothing can
//! end it, and as long as it goes on the room refuses queries at once; nothing else waits for it.
//!
//! The engine is built when the first query comes, and kept for as long as its policies are in force.
//! What this is not: a memory of answers; there is none.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use edgeward_core::time::UnixSeconds;
use regorus::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::time::timeout;

use super::errors::Trouble;
use super::query_answer::Shape;
use crate::background;
use crate::policy::{PolicySet, PolicyState, Queries, on_deep_stack};
use crate::service::clock;
use crate::service::reply::Refusal;

/// How long a query may go on beyond the time that it may take, until the room is taken for held.
const GRACE: Duration = Duration::from_secs(2);

/// What is asked.
pub(super) struct Asked {
    pub(super) text: String,
    /// May be undefined.
    pub(super) input: Value,
    pub(super) shape: Shape,
}

/// What came of a query that had its turn.
pub(super) struct Asking {
    /// Of the policies that it was asked of.
    pub(super) revision: String,
    /// What time it was to them.
    pub(super) now: UnixSeconds,
    /// The answer as JSON.
    pub(super) outcome: Result<Vec<u8>, Trouble>,
}

/// The room, which all threads share.
pub(in crate::service) struct QueryRoom {
    turn: Arc<Semaphore>,
    kept: Arc<Mutex<Option<Queries>>>,
    inside: Arc<Inside>,
}

/// Until when the query that is being asked may go on; none where none is.
#[derive(Default)]
struct Inside(Mutex<Option<Instant>>);

impl Inside {
    fn set(&self, until: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Whether a query goes on beyond its time.
    fn is_held(&self) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() > until)
    }
}

/// A query's stay, which ends with it, however it ends.
struct Stay {
    inside: Arc<Inside>,
    _turn: OwnedSemaphorePermit,
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.inside.set(None);
    }
}

impl QueryRoom {
    /// An empty one.
    pub(in crate::service) fn new() -> Self {
        Self {
            turn: Arc::new(Semaphore::new(1)),
            kept: Arc::default(),
            inside: Arc::default(),
        }
    }

    /// Asks the policies in force, when those before have been asked; `patience` is how long that may
    /// take. Whoever does not wait for the answer leaves no gap: the next waits until it is there.
    pub(super) async fn ask(
        &self,
        policies: watch::Receiver<PolicyState>,
        asked: Asked,
        patience: Duration,
    ) -> Result<Asking, Trouble> {
        if self.inside.is_held() {
            return Err(Trouble::QueriesHeld);
        }
        let turn = timeout(patience, self.turn.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            if self.inside.is_held() {
                return Err(Trouble::QueriesHeld);
            }
            let message = "other queries are being answered: try again".to_owned();
            return Err(Refusal::Unavailable(message).into());
        };
        let stay = Stay {
            inside: self.inside.clone(),
            _turn: turn,
        };
        let kept = self.kept.clone();
        let (tell, begun) = oneshot::channel();
        let work = move || {
            let stay = stay;
            ask(&kept, &policies, &asked, |time| {
                stay.inside.set(Some(Instant::now() + time));
                // Whoever asked may not wait any more.
                let _ = tell.send(time);
            })
        };
        let answer = background::spawn("policy-query", move || on_deep_stack(work));
        let answer = answer.map_err(|error| broken(&error))?;
        // It is not there where the engine could not be built: then there is an answer.
        let time = begun.await.unwrap_or_default();
        let Ok(answer) = timeout(time + GRACE, answer).await else {
            tracing::error!(
                "a query goes on beyond its time and cannot be ended: queries are refused until it is over, or \
                 until the PDP is started anew"
            );
            return Err(Trouble::QueriesHeld);
        };
        let answer = answer.map_err(|error| broken(&error))?;
        answer.map_err(|error| broken(&error))?
    }

    /// Lets the engine go, unless it is one of `set`, the policies in force.
    pub(in crate::service) fn keep_only(&self, set: &Arc<PolicySet>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_some_and(|queries| !queries.are_of(set)) {
            *kept = None;
        }
    }
}

/// Asks the policies in force; `begin` is told how long that may take, when it begins.
fn ask(
    kept: &Mutex<Option<Queries>>,
    policies: &watch::Receiver<PolicyState>,
    asked: &Asked,
    begin: impl FnOnce(Duration),
) -> Result<Asking, Trouble> {
    let set = policies.borrow().set.clone();
    let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    let former = lock().take().filter(|queries| queries.are_of(&set));
    let built = former.map_or_else(|| set.clone().queries(), Ok);
    let mut queries = built.map_err(|error| broken(&error))?;
    let now = clock::now();
    begin(queries.time());
    let answer = queries.ask(&asked.text, &asked.input, now);
    let outcome = answer
        .map_err(Trouble::Query)
        .and_then(|answered| asked.shape.write(&answered));
    if queries.are_of(&policies.borrow().set) {
        *lock() = Some(queries);
    }
    Ok(Asking {
        revision: set.revision().to_owned(),
        now,
        outcome,
    })
}

/// The policies were built before they came into force, so only the system can be short.
fn broken(error: &dyn std::fmt::Display) -> Trouble {
    tracing::error!(%error, "a query cannot be asked");
    Trouble::Call(Refusal::Broken)
}

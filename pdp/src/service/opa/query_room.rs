//! Where queries are asked: one at a time, on a thread that gives way to those that answer calls.
//!
//! The engine is built when the first query comes, and kept for as long as its policies are in force.
//! What this is not: a memory of answers; there is none.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use edgeward_core::time::UnixSeconds;
use regorus::Value;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::errors::Trouble;
use crate::background;
use crate::policy::{Answered, PolicySet, PolicyState, Queries, on_deep_stack};
use crate::service::reply::Refusal;

/// What is asked.
pub(super) struct Asked {
    pub(super) text: String,
    /// May be undefined.
    pub(super) input: Value,
    pub(super) now: UnixSeconds,
}

/// The room, which all threads share.
pub(in crate::service) struct QueryRoom {
    turn: Arc<Semaphore>,
    kept: Arc<Mutex<Option<Queries>>>,
}

impl QueryRoom {
    /// An empty one.
    pub(in crate::service) fn new() -> Self {
        Self {
            turn: Arc::new(Semaphore::new(1)),
            kept: Arc::default(),
        }
    }

    /// Asks the policies in force, when those before have been asked; `patience` is how long that may
    /// take. Whoever does not wait for the answer leaves no gap: the next waits until it is there.
    pub(super) async fn ask(
        &self,
        policies: watch::Receiver<PolicyState>,
        asked: Asked,
        patience: Duration,
    ) -> Result<Answered, Trouble> {
        let turn = timeout(patience, self.turn.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let message = "other queries are being answered: try again".to_owned();
            return Err(Refusal::Unavailable(message).into());
        };
        let kept = self.kept.clone();
        let work = move || {
            let _turn = turn;
            ask(&kept, &policies, &asked)
        };
        let answer = background::spawn("policy-query", move || on_deep_stack(work));
        let answer = answer.map_err(|error| broken(&error))?.await;
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

fn ask(
    kept: &Mutex<Option<Queries>>,
    policies: &watch::Receiver<PolicyState>,
    asked: &Asked,
) -> Result<Answered, Trouble> {
    let set = policies.borrow().set.clone();
    let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    let former = lock().take().filter(|queries| queries.are_of(&set));
    let built = former.map_or_else(|| set.clone().queries(), Ok);
    let mut queries = built.map_err(|error| broken(&error))?;
    let answer = queries.ask(&asked.text, &asked.input, asked.now);
    if queries.are_of(&policies.borrow().set) {
        *lock() = Some(queries);
    }
    answer.map_err(Trouble::Query)
}

/// The policies were built before they came into force, so only the system can be short.
fn broken(error: &dyn std::fmt::Display) -> Trouble {
    tracing::error!(%error, "a query cannot be asked");
    Trouble::Call(Refusal::Broken)
}

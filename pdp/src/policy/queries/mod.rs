//! Queries that callers write (OPA's `/v1/query`), asked of the policies and data of one set.
//!
//! INVARIANT: the engine gets a query only after it went the way of a policy file: a size, the gate, the
//! same rewriting; and evaluates it within the same time. It is never part of the policies: no rule can
//! name it, nor it define one.
//!
//! Order of reading: this file, `text` (from a caller's text to an expression), `names` (what it binds).
//!
//! What this is not: for decisions. A query is read anew each time, and nothing is remembered.

mod names;
mod text;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use edgeward_core::time::UnixSeconds;
use regorus::{Engine, Value};
use thiserror::Error;

pub use self::text::MAX_QUERY_BYTES;
use super::bounded::budget;
use super::builtin_errors::BuiltinErrors;
use super::builtins::gather_notes;
use super::coarse_clock::CoarseClock;
use super::documents::{NoDocument, refused};
use super::engine_error;
use super::set::{LoadError, PolicySet};
use super::sources::Module;
use super::time_limit::timer;

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoAnswer {
    /// There is nothing in it.
    #[error("cannot evaluate empty query")]
    Empty,
    /// It is no Rego, or more than a query.
    #[error("{0}")]
    Parse(Fault),
    /// It is refused before it is evaluated.
    #[error("{0}")]
    Compile(Fault),
    /// It could not be evaluated.
    #[error(transparent)]
    Evaluation(#[from] NoDocument),
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Fault {
    /// OPA's code, such as `rego_parse_error`.
    pub code: &'static str,
    /// In words.
    pub message: String,
    /// Line of the query, from 1.
    pub row: u32,
    /// Character of the line, from 1, where it is known.
    pub column: Option<u32>,
}

/// What came of a query.
#[derive(Debug)]
pub struct Answered {
    /// An array of objects, one for each way in which the query holds: what its variables stand for then.
    pub solutions: Value,
    /// What `trace` noted on the way.
    pub notes: Vec<String>,
    /// How long the query was read for.
    pub reading: Duration,
    /// How long it was evaluated for.
    pub evaluation: Duration,
}

/// An engine that is asked queries, of one policy set.
pub struct Queries {
    set: Arc<PolicySet>,
    /// As built: each query is asked of a copy.
    engine: Engine,
    clock: Option<CoarseClock>,
}

impl PolicySet {
    /// An engine for queries, which the calling thread uses alone. The thread must have
    /// [`super::STACK_BYTES`] of stack.
    pub fn queries(self: Arc<Self>) -> Result<Queries, LoadError> {
        let (engine, clock) = self.ready_engine(BuiltinErrors::Undefined)?;
        Ok(Queries {
            set: self,
            engine,
            clock,
        })
    }
}

impl Queries {
    /// Whether they are asked of `set`.
    pub fn are_of(&self, set: &Arc<PolicySet>) -> bool {
        Arc::ptr_eq(&self.set, set)
    }

    /// How long a query may be evaluated.
    pub fn time(&self) -> Duration {
        self.set.timeout
    }

    /// Asks the query `text`, for an `input` that may be undefined, at `now`.
    pub fn ask(
        &mut self,
        text: &str,
        input: &Value,
        now: UnixSeconds,
    ) -> Result<Answered, NoAnswer> {
        let started = Instant::now();
        let policies = self.set.module_texts().iter().filter(|m| !m.is_test());
        let policies: Vec<&Module> = policies.collect();
        let expression = text::read(
            text,
            &policies,
            self.engine.get_modules(),
            &self.set.compiled.paths(),
            self.set.is_guarded,
        )?;
        let reading = started.elapsed();
        if let Some(clock) = &self.clock {
            clock.set(now);
        }
        let started = Instant::now();
        let (outcome, notes) = gather_notes(|| self.evaluate(expression, input));
        let evaluation = started.elapsed();
        let solutions = match outcome {
            Err(_) if evaluation >= self.set.timeout => return Err(NoDocument::Timeout.into()),
            outcome => outcome?,
        };
        Ok(Answered {
            solutions,
            notes,
            reading,
            evaluation,
        })
    }

    fn evaluate(&self, expression: String, input: &Value) -> Result<Value, NoAnswer> {
        budget::begin();
        let mut engine = self.engine.clone();
        engine.set_execution_timer_config(timer(self.set.timeout));
        engine.set_input(input.clone());
        let outcome = catch_unwind(AssertUnwindSafe(|| engine.eval_query(expression, false)));
        let nothing = || NoDocument::Error("the engine gave no answer".to_owned());
        match outcome {
            Ok(Ok(results)) => {
                let result = results.result.into_iter().next();
                let value = result.and_then(|result| result.expressions.into_iter().next());
                Ok(value.ok_or_else(nothing)?.value)
            }
            Ok(Err(error)) => Err(text::fault(&error).map_or_else(
                || {
                    let text = engine_error::in_one_line(&error);
                    refused(text, BuiltinErrors::Undefined).into()
                },
                NoAnswer::Compile,
            )),
            Err(_) => Err(NoDocument::Error("the engine panicked".to_owned()).into()),
        }
    }
}

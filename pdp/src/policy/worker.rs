//! One thread's own engine, and the evaluation of one input on it.
//!
//! Every thread parses its own copy: engines that share a syntax tree spend their time on each
//! other's reference counts. Only data is shared. Whatever a policy does, the process goes on and the answer is a deny.
//!
//! Two engines of our own: the interpreter, which is right, and for policies of which it is known to be right too
//! (`bytecode`) the bytecode machine, several times as fast. Whatever the machine is in doubt about, the interpreter
//! answers; a sample of what it answers is asked of both, and where they differ the stricter answer counts and the
//! machine has answered for the last time. What a bundle brought compiled (`wasm`) answers in place of both.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use edgeward_core::time::UnixSeconds;
use regorus::{Engine, Value};

use super::bounded::{budget, check_size};
use super::builtin_errors::BuiltinErrors;
use super::builtins::{self, gather_notes};
use super::bytecode::{Machine, Outcome};
use super::coarse_clock::CoarseClock;
use super::differences::{self, COMPARE_EVERY, stricter};
use super::documents::{Documents, NoDocument, Reference};
use super::engine_error;
use super::time_limit::timer;
use super::verdict::{Failure, Verdict};
use super::wasm::{Asked, Instances};

/// An engine that only one thread uses.
pub struct Worker {
    /// Answers, where the policies let it.
    machine: Option<Machine>,
    answered: u32,
    /// As built; cloned when an evaluation leaves `engine` in doubt.
    pristine: Engine,
    engine: Engine,
    entry_point: String,
    timeout: Duration,
    prints: bool,
    clock: Option<CoarseClock>,
    documents: Option<Documents>,
    /// Whether the entry point is a document that the machine can make whole.
    entry_is_document: bool,
    /// Where there are compiled policies.
    compiled: Option<Instances>,
}

impl Worker {
    pub(super) fn new(
        engine: Engine,
        entry_point: String,
        timeout: Duration,
        prints: bool,
        clock: Option<CoarseClock>,
        machine: Option<Machine>,
    ) -> Self {
        let mut pristine = engine;
        pristine.set_execution_timer_config(timer(timeout));
        let engine = pristine.clone();
        Self {
            machine,
            answered: 0,
            pristine,
            engine,
            entry_point,
            timeout,
            prints,
            clock,
            documents: None,
            entry_is_document: false,
            compiled: None,
        }
    }

    /// The same, with `documents`, of which the machine can make the entry point's whole where
    /// `entry_is_document`.
    pub(super) fn with_documents(mut self, documents: Documents, entry_is_document: bool) -> Self {
        self.entry_is_document = entry_is_document;
        self.documents = Some(documents);
        self
    }

    /// The same, with the compiled policies of its set.
    pub(super) fn with_compiled(mut self, compiled: Option<Instances>) -> Self {
        self.compiled = compiled;
        self
    }

    /// The document `at`, for an `input` that may be undefined, at `now`; none where it is undefined. That of the
    /// entry point by the machine, where there is one and no built-in failed, for only of those does it matter what
    /// `errors` says; all else by an interpreter that [`Worker::evaluate`] does not ask. Where compiled policies
    /// make it, they are asked, and they alone.
    pub fn document(
        &mut self,
        at: &Reference,
        input: &Value,
        errors: BuiltinErrors,
        now: UnixSeconds,
    ) -> Result<Option<Value>, NoDocument> {
        if let Some(clock) = &self.clock {
            clock.set(now);
        }
        self.compiled_or(at, input, errors, |own| {
            own.document_of_rules(at, input, errors)
        })
    }

    /// What compiled policies say at `at`, where they do; of all else, what `of_rules` gives.
    fn compiled_or(
        &mut self,
        at: &Reference,
        input: &Value,
        errors: BuiltinErrors,
        of_rules: impl FnOnce(&mut Self) -> Result<Option<Value>, NoDocument>,
    ) -> Result<Option<Value>, NoDocument> {
        let Some(mut compiled) = self.compiled.take() else {
            return of_rules(self);
        };
        let (time, now) = (self.timeout, self.instant());
        let asked = Asked { time, now, errors };
        let document = compiled.document(at, input, asked, || of_rules(self));
        self.compiled = Some(compiled);
        document
    }

    fn document_of_rules(
        &mut self,
        at: &Reference,
        input: &Value,
        errors: BuiltinErrors,
    ) -> Result<Option<Value>, NoDocument> {
        let Some(documents) = &mut self.documents else {
            return Ok(None);
        };
        let machine = self
            .machine
            .as_mut()
            .filter(|_| self.entry_is_document && at.is(&self.entry_point));
        let value = match machine.map(|machine| machine.evaluate(input.clone())) {
            Some(Outcome::TimedOut) => return Err(NoDocument::Timeout),
            Some(Outcome::Value(value)) => Some(value).filter(|value| *value != Value::Undefined),
            Some(Outcome::InDoubt) | None => {
                return documents.read(&self.pristine, at, input, errors);
            }
        };
        self.answered = self.answered.wrapping_add(1);
        let is_large = |value: &Value| check_size(value).is_err();
        if self.answered % COMPARE_EVERY != 1 || value.as_ref().is_some_and(is_large) {
            return Ok(value);
        }
        let interpreted = documents.read(&self.pristine, at, input, errors);
        if interpreted == Err(NoDocument::Timeout) || interpreted.as_ref() == Ok(&value) {
            return Ok(value);
        }
        self.distrust_machine();
        interpreted
    }

    /// As [`Worker::document`], of rules always by the interpreter, and what `trace` noted.
    pub fn explained_document(
        &mut self,
        at: &Reference,
        input: &Value,
        errors: BuiltinErrors,
        now: UnixSeconds,
    ) -> (Result<Option<Value>, NoDocument>, Vec<String>) {
        if let Some(clock) = &self.clock {
            clock.set(now);
        }
        gather_notes(|| {
            self.compiled_or(at, input, errors, |own| match &mut own.documents {
                Some(documents) => documents.read(&own.pristine, at, input, errors),
                None => Ok(None),
            })
        })
    }

    /// Asks the entry point about `input`, at `now`: what the policy's own clock shows.
    pub fn evaluate(&mut self, input: Value, now: UnixSeconds) -> Result<Verdict, Failure> {
        if let Some(clock) = &self.clock {
            clock.set(now);
        }
        let Some(machine) = &mut self.machine else {
            return self.interpret(input);
        };
        match machine.evaluate(input.clone()) {
            Outcome::Value(value) => {
                let outcome = Verdict::read(&value);
                self.answered = self.answered.wrapping_add(1);
                if self.answered % COMPARE_EVERY == 1 {
                    return self.compare(outcome, input);
                }
                outcome
            }
            Outcome::TimedOut => Err(Failure::Timeout),
            Outcome::InDoubt => {
                differences::doubted();
                self.interpret(input)
            }
        }
    }

    /// The entry point's value as it is, none where it is undefined: as [`Worker::evaluate`], without the sample.
    pub fn value(&mut self, input: Value, now: UnixSeconds) -> Result<Option<Value>, Failure> {
        if let Some(clock) = &self.clock {
            clock.set(now);
        }
        let answer = self.machine.as_mut().map(|m| m.evaluate(input.clone()));
        let value = match answer {
            Some(Outcome::Value(value)) => value,
            Some(Outcome::TimedOut) => return Err(Failure::Timeout),
            Some(Outcome::InDoubt) => {
                differences::doubted();
                self.interpreted(input)?
            }
            None => self.interpreted(input)?,
        };
        check_size(&value).map_err(|_| Failure::Memory)?;
        Ok(Some(value).filter(|value| *value != Value::Undefined))
    }

    /// The guard of the machine: the interpreter must answer the same.
    fn compare(
        &mut self,
        outcome: Result<Verdict, Failure>,
        input: Value,
    ) -> Result<Verdict, Failure> {
        let interpreted = self.interpret(input);
        // It is slower: that it takes too long says nothing about the answer.
        if interpreted == outcome || interpreted == Err(Failure::Timeout) {
            return outcome;
        }
        self.distrust_machine();
        stricter(interpreted, outcome)
    }

    fn distrust_machine(&mut self) {
        differences::disagreed(&self.entry_point);
        self.machine = None;
    }

    fn interpret(&mut self, input: Value) -> Result<Verdict, Failure> {
        Verdict::read(&self.interpreted(input)?)
    }

    /// What the interpreter says, or the compiled policy where one makes the entry point.
    fn interpreted(&mut self, input: Value) -> Result<Value, Failure> {
        let instant = self.instant();
        let all = self.compiled.as_mut();
        if let Some(answer) = all.and_then(|all| all.entry_point(&input, instant)) {
            return answer;
        }
        let started = Instant::now();
        budget::begin();
        let engine = &mut self.engine;
        let entry_point = self.entry_point.clone();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            engine.set_input(input);
            engine.eval_rule(entry_point)
        }));
        if self.prints {
            self.log_prints();
        }
        let value = match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) if started.elapsed() >= self.timeout => Err(Failure::Timeout),
            Ok(Err(_)) if budget::is_exceeded() => Err(Failure::Memory),
            Ok(Err(error)) => Err(Failure::Error(engine_error::in_one_line(&error))),
            Err(_) => Err(Failure::Error("the engine panicked".to_owned())),
        };
        if value.is_err() {
            self.engine = self.pristine.clone();
        }
        value
    }

    /// What the policies' clock shows, in nanoseconds since 1970.
    fn instant(&self) -> u64 {
        let clock = self.clock.as_ref();
        clock.map_or_else(
            || builtins::Instant::True.nanoseconds(),
            CoarseClock::nanoseconds,
        )
    }

    fn log_prints(&mut self) {
        for line in self.engine.take_prints().unwrap_or_default() {
            tracing::debug!(target: "edgeward::policy::print", line, "policy print");
        }
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;

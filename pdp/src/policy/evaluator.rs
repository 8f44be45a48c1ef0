//! What evaluates the entry point of a policy set, and the workers that do.

use std::sync::Arc;

use regorus::{Engine, Rc};

use super::builtin_errors::BuiltinErrors;
use super::builtins;
use super::bytecode::{Interpreted, Lowered, Machine, choose};
use super::coarse_clock::CoarseClock;
use super::deep_stack::on_deep_stack;
use super::documents::{Documents, Reference};
use super::set::{LoadError, PolicySet, guarded_engine, serving_engine};
use super::settings::PolicySettings;
use super::sources::Sources;
use super::wasm::{Compiled, Found, Usual};
use super::worker::Worker;

/// What evaluates it.
#[derive(Debug)]
pub(super) enum Evaluator {
    /// The bytecode machine, with the interpreter behind it.
    Bytecode(Lowered),
    /// The interpreter, for this reason.
    Interpreter(Interpreted),
    /// A policy that a bundle brought compiled.
    Compiled(Found),
}

impl Evaluator {
    /// The fastest that answers as it must, for what `serving` has read and will have checked.
    pub(super) fn of(
        settings: &PolicySettings,
        serving: &mut Engine,
        sources: &Sources,
        compiled: &Compiled,
    ) -> Result<Self, LoadError> {
        if let Some(found) = compiled.making(&Reference::at(&settings.entry_point)) {
            let evaluator = Self::Compiled(found);
            evaluator.analyse(serving, &settings.entry_point)?;
            return Ok(evaluator);
        }
        analyse(serving, &settings.entry_point)?;
        Ok(
            match choose(settings, serving.get_modules(), &sources.data) {
                Ok(lowered) => Self::Bytecode(lowered),
                Err(why) => Self::Interpreter(why),
            },
        )
    }

    /// Whether no rule makes the entry point.
    pub(super) fn is_compiled(&self) -> bool {
        matches!(self, Self::Compiled(_))
    }

    /// Makes the engine order and check the rules, without evaluating any.
    pub(super) fn analyse(&self, engine: &mut Engine, entry_point: &str) -> Result<(), LoadError> {
        if !self.is_compiled() {
            return analyse(engine, entry_point);
        }
        // There is no rule to name; whatever is asked, all are looked at before.
        let looked_at = engine.eval_query("true".to_owned(), false);
        looked_at.map_err(|error| LoadError::engine(&error))?;
        Ok(())
    }
}

fn analyse(engine: &mut Engine, entry_point: &str) -> Result<(), LoadError> {
    let entry_point: Rc<str> = Rc::from(entry_point);
    engine
        .compile_with_entrypoint(&entry_point)
        .map_err(|error| LoadError::engine(&error))?;
    Ok(())
}

impl PolicySet {
    /// The name of what evaluates it.
    pub fn engine(&self) -> &'static str {
        match &self.evaluator {
            Evaluator::Bytecode(_) => "bytecode",
            Evaluator::Interpreter(_) => "interpreter",
            Evaluator::Compiled(_) => "wasm",
        }
    }

    /// Why the interpreter evaluates it; none when something else does.
    pub fn interpreted(&self) -> Option<&Interpreted> {
        match &self.evaluator {
            Evaluator::Interpreter(why) => Some(why),
            Evaluator::Bytecode(_) | Evaluator::Compiled(_) => None,
        }
    }

    /// An engine with the serving rules in order, and the clock that they see where that can be set.
    pub(super) fn ready_engine(
        &self,
        errors: BuiltinErrors,
    ) -> Result<(Engine, Option<CoarseClock>), LoadError> {
        let mut engine = if self.is_guarded {
            guarded_engine(&self.sources, errors)?
        } else {
            serving_engine(&self.sources, errors)?
        };
        let clock = self.clock_quantum;
        let clock = clock.map(|quantum| CoarseClock::install(&mut engine, quantum, errors));
        if clock.is_none() {
            builtins::install_clock(&mut engine, builtins::Instant::True, errors)?;
        }
        // Here and not at the first question, nor again after an evaluation that failed.
        self.evaluator.analyse(&mut engine, &self.entry_point)?;
        Ok((engine, clock.transpose()?))
    }

    /// An engine for the calling thread alone. The thread must have [`super::STACK_BYTES`] of stack.
    pub fn worker(&self) -> Result<Worker, LoadError> {
        let (engine, clock) = self.ready_engine(self.builtin_errors)?;
        let data = &self.sources.data;
        let machine = match &self.evaluator {
            // It was compiled once before, so that only a panic is in the way: the interpreter answers.
            Evaluator::Bytecode(lowered) => Machine::new(lowered, data.clone(), self.timeout).ok(),
            _ => None,
        };
        let usual = Usual {
            entry_point: match &self.evaluator {
                Evaluator::Compiled(found) => Some(*found),
                _ => None,
            },
            time: self.timeout,
            errors: self.builtin_errors,
        };
        let compiled = self.compiled.instances(data, usual)?;
        Ok(Worker::new(
            engine,
            self.entry_point.clone(),
            self.timeout,
            self.prints,
            clock,
            machine,
        )
        .with_documents(
            Documents::new(
                self.index.clone(),
                data.clone(),
                self.timeout,
                self.is_guarded,
            ),
            self.entry_is_document,
        )
        .with_compiled(compiled))
    }

    /// As [`PolicySet::worker`], built on a thread of its own so that the caller need not wait.
    pub fn worker_for_another_thread(self: Arc<Self>) -> Result<Worker, LoadError> {
        on_deep_stack(move || self.worker())?
    }
}

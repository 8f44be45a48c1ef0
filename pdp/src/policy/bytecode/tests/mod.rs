//! What is proved of the bytecode: that it answers as the interpreter does, whatever is let through.

mod conformance;
mod generated;
mod generator;
mod indexed;
pub(in crate::policy) mod questions;
mod shapes;
mod shipped;

use std::time::Duration;

use regorus::{Engine, Rc, Value};

use super::super::builtin_errors::BuiltinErrors;
use super::super::parse;
use super::super::time_limit::timer;
use super::super::{gate, tests::sources};
use super::{Machine, Obstacle, Outcome, lower};

const TIMEOUT: Duration = Duration::from_secs(20);

/// Both engines on one policy.
pub(super) struct Pair {
    pristine: Engine,
    machine: Machine,
    entry_point: String,
}

/// Why there is no pair.
#[derive(Debug)]
pub(super) enum None {
    /// The interpreter does not take the policy either.
    Refused(#[expect(dead_code, reason = "shown where a test fails")] String),
    /// Bytecode does not.
    Obstacle(Obstacle),
}

/// What both engines said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The same.
    Same(Value),
    /// The machine was in doubt, and this is what the interpreter said.
    Doubt(Result<Value, String>),
    /// Something else.
    Different(String),
}

impl Pair {
    pub(super) fn of(
        files: &[(&str, &str)],
        data: Option<Value>,
        entry_point: &str,
    ) -> Result<Self, None> {
        let refused = |error: &dyn std::fmt::Display| None::Refused(error.to_string());
        let sources = sources(files).map_err(|e| refused(&e))?;
        let data = data.unwrap_or(sources.data);
        let mut engine = parse::engine(sources.modules.iter(), data.clone(), BuiltinErrors::Fail)
            .map_err(|e| refused(&e))?;
        gate::pass(engine.get_modules(), entry_point, &[]).map_err(|e| refused(&e))?;
        engine
            .compile_with_entrypoint(&Rc::from(entry_point))
            .map_err(|e| refused(&e))?;
        engine.set_execution_timer_config(timer(TIMEOUT));
        let lowered = lower(engine.get_modules(), entry_point, &data).map_err(None::Obstacle)?;
        let machine = Machine::new(&lowered, data, TIMEOUT).map_err(None::Obstacle)?;
        Ok(Self {
            pristine: engine,
            machine,
            entry_point: entry_point.to_owned(),
        })
    }

    pub(super) fn interpret(&self, input: Value) -> Result<Value, String> {
        let mut engine = self.pristine.clone();
        engine.set_input(input);
        engine
            .eval_rule(self.entry_point.clone())
            .map_err(|error| error.to_string())
    }

    pub(super) fn ask(&mut self, input: &Value) -> Said {
        let interpreted = self.interpret(input.clone());
        match (self.machine.evaluate(input.clone()), interpreted) {
            (Outcome::Value(value), Ok(expected)) if value == expected => Said::Same(value),
            (Outcome::InDoubt, interpreted) => Said::Doubt(interpreted),
            (Outcome::Value(value), interpreted) => {
                Said::Different(format!("bytecode {value}, interpreter {interpreted:?}"))
            }
            (Outcome::TimedOut, interpreted) => {
                Said::Different(format!("bytecode timed out, interpreter {interpreted:?}"))
            }
        }
    }
}

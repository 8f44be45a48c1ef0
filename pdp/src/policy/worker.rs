//! One thread's own engine, and the evaluation of one input on it.
//!
//! Every thread parses its own copy: engines that share a syntax tree spend their time on each
//! other's reference counts. Only data is shared. Whatever a policy does (an error, a panic in the
//! engine, a run past its time), the process goes on and the answer is a deny.
//!
//! It is the engine's interpreter that runs, not its bytecode, which is three times as fast and wrong
//! (regorus 0.14.1): there `x := input.absent` holds, so that a rule with nothing else in its body
//! is true, and a comprehension keeps what is undefined as a member.

use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use edgeward_core::time::UnixSeconds;
use regorus::utils::limits::{ExecutionTimerConfig, PolicyLengthConfig};
use regorus::{Engine, Value};

use super::coarse_clock::CoarseClock;
use super::set::LoadError;
use super::sources::Module;
use super::verdict::{Failure, Verdict};
use super::{bounded, engine_error, gate};

/// Stack a thread needs to evaluate what passes the gate (`gate::MAX_FRAMES`), in a build without optimisation too.
pub const STACK_BYTES: usize = 256 * 1024 * 1024;

/// An engine that only one thread uses.
pub struct Worker {
    /// As built; cloned when an evaluation leaves `engine` in doubt.
    pristine: Engine,
    engine: Engine,
    entry_point: String,
    timeout: Duration,
    prints: bool,
    clock: Option<CoarseClock>,
}

impl Worker {
    pub(super) fn new(
        engine: Engine,
        entry_point: String,
        timeout: Duration,
        prints: bool,
        clock: Option<CoarseClock>,
    ) -> Self {
        let mut pristine = engine;
        pristine.set_execution_timer_config(timer(timeout));
        let engine = pristine.clone();
        Self {
            pristine,
            engine,
            entry_point,
            timeout,
            prints,
            clock,
        }
    }

    /// Asks the entry point about `input`, at `now`: what the policy's own clock shows.
    pub fn evaluate(&mut self, input: Value, now: UnixSeconds) -> Result<Verdict, Failure> {
        if let Some(clock) = &self.clock {
            clock.set(now);
        }
        let started = Instant::now();
        let engine = &mut self.engine;
        let entry_point = self.entry_point.clone();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            engine.set_input(input);
            engine.eval_rule(entry_point)
        }));
        if self.prints {
            self.log_prints();
        }
        let verdict = match outcome {
            Ok(Ok(value)) => Verdict::read(&value),
            Ok(Err(_)) if started.elapsed() >= self.timeout => Err(Failure::Timeout),
            Ok(Err(error)) => Err(Failure::Error(engine_error::in_one_line(&error))),
            Err(_) => Err(Failure::Error("the engine panicked".to_owned())),
        };
        if matches!(verdict, Err(Failure::Error(_) | Failure::Timeout)) {
            self.engine = self.pristine.clone();
        }
        verdict
    }

    fn log_prints(&mut self) {
        for line in self.engine.take_prints().unwrap_or_default() {
            tracing::debug!(target: "edgeward::policy::print", line, "policy print");
        }
    }
}

/// A fresh engine with `modules`, parsed but not analysed, and `data`.
pub(super) fn engine<'a>(
    modules: impl Iterator<Item = &'a Module>,
    data: Value,
) -> Result<Engine, LoadError> {
    let mut engine = Engine::new();
    engine.set_policy_length_config(length_limits());
    engine.set_gather_prints(true);
    bounded::install(&mut engine)?;
    for module in modules {
        gate::nesting::check(&module.file, &module.text)?;
        engine
            .add_policy(module.file.clone(), module.text.clone())
            .map_err(|error| LoadError::Syntax(engine_error::in_one_line(&error)))?;
    }
    engine
        .add_data(data)
        .map_err(|error| LoadError::engine(&error))?;
    Ok(engine)
}

/// How often the engine looks at the clock: every so many steps.
pub(super) fn timer(limit: Duration) -> ExecutionTimerConfig {
    ExecutionTimerConfig {
        limit,
        check_interval: NonZeroU32::new(16).unwrap_or(NonZeroU32::MIN),
    }
}

fn length_limits() -> PolicyLengthConfig {
    PolicyLengthConfig {
        max_col: NonZeroU32::new(8192).unwrap_or(NonZeroU32::MAX),
        ..PolicyLengthConfig::default()
    }
}

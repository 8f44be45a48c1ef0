//! One thread's machine: a program of its own (sharing one would cost more than it saves, in reference
//! counts), data shared.

use std::num::{NonZeroU32, NonZeroUsize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::RegoVM;
use regorus::rvm::program::Program;
use regorus::rvm::vm::VmError;
use regorus::utils::limits::{ExecutionTimerConfig, PolicyLengthConfig};
use regorus::{Engine, Rc, Value};

use super::super::bounded::budget;
use super::patch::patch;
use super::rules::PACKAGE;
use super::{Lowered, Obstacle, builtins};

/// Steps an evaluation may take: a bound beside the time limit, should the clock not move. A step takes
/// some 40 ns, so that the time limit ends an evaluation first. (The engine's own default, 25,000, is
/// one comprehension over a long list.)
const MAX_INSTRUCTIONS: usize = 50_000_000;

/// What the machine made of one input.
pub(in crate::policy) enum Outcome {
    /// The entry point's value, which is the interpreter's.
    Value(Value),
    /// It took too long.
    TimedOut,
    /// Something failed that may make the interpreter fail: ask that.
    InDoubt,
}

/// A machine with a program.
pub(in crate::policy) struct Machine {
    program: Arc<Program>,
    data: Value,
    timeout: Duration,
    vm: RegoVM,
}

impl Machine {
    /// Compiles `lowered`. The thread must have the stack a worker has.
    pub(in crate::policy) fn new(
        lowered: &Lowered,
        data: Value,
        timeout: Duration,
    ) -> Result<Self, Obstacle> {
        let compile = || compile(lowered);
        let program =
            catch_unwind(compile).map_err(|_| Obstacle::Compiler("panicked".into()))??;
        let data = Value::from(std::collections::BTreeMap::from([(
            Value::from("base"),
            data,
        )]));
        let vm = machine(&program, &data, timeout)?;
        Ok(Self {
            program,
            data,
            timeout,
            vm,
        })
    }

    /// Asks the entry point about `input`.
    pub(in crate::policy) fn evaluate(&mut self, input: Value) -> Outcome {
        // The machine takes an input that is not there for one without members.
        if input == Value::Undefined {
            return Outcome::InDoubt;
        }
        builtins::take_doubt();
        budget::begin();
        let vm = &mut self.vm;
        let value = catch_unwind(AssertUnwindSafe(|| {
            vm.set_input(input);
            vm.execute_entry_point_by_index(0)
        }));
        // What an evaluation leaves behind when it does not come to its end is not looked at.
        if !matches!(value, Ok(Ok(_)))
            && let Ok(vm) = machine(&self.program, &self.data, self.timeout)
        {
            self.vm = vm;
        }
        match (value, builtins::take_doubt()) {
            (Ok(Ok(value)), false) => Outcome::Value(value),
            (
                Ok(Err(
                    VmError::TimeLimitExceeded { .. } | VmError::InstructionLimitExceeded { .. },
                )),
                _,
            ) => Outcome::TimedOut,
            _ => Outcome::InDoubt,
        }
    }
}

fn compile(lowered: &Lowered) -> Result<Arc<Program>, Obstacle> {
    let wrong = |error: &dyn std::fmt::Display| {
        let text = error.to_string();
        Obstacle::Compiler(text.lines().next().unwrap_or_default().to_owned())
    };
    let mut engine = Engine::new();
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: NonZeroU32::MAX,
        max_lines: NonZeroUsize::MAX,
        max_file_bytes: NonZeroUsize::MAX,
    });
    super::super::gate::nesting::check("lowered", &lowered.text).map_err(|e| wrong(&e))?;
    engine
        .add_policy("lowered".to_owned(), lowered.text.clone())
        .map_err(|e| wrong(&e))?;
    let entry = format!("data.{PACKAGE}.r0");
    let compiled = engine
        .compile_with_entrypoint(&Rc::from(entry.as_str()))
        .map_err(|e| wrong(&e))?;
    let program = Compiler::compile_from_policy(&compiled, &[&entry]).map_err(|e| wrong(&e))?;
    let mut program = Arc::into_inner(program)
        .ok_or_else(|| Obstacle::Compiler("a program that is shared".to_owned()))?;
    patch(&mut program, lowered)?;
    Ok(Arc::new(program))
}

fn machine(program: &Arc<Program>, data: &Value, timeout: Duration) -> Result<RegoVM, Obstacle> {
    let mut vm = RegoVM::new();
    vm.load_program(program.clone());
    vm.set_data(data.clone())
        .map_err(|error| Obstacle::Compiler(error.to_string()))?;
    vm.set_max_instructions(MAX_INSTRUCTIONS);
    vm.set_execution_timer_config(Some(ExecutionTimerConfig {
        limit: timeout,
        check_interval: NonZeroU32::new(64).unwrap_or(NonZeroU32::MIN),
    }));
    Ok(vm)
}

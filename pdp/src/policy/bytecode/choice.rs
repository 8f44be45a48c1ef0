//! What evaluates a policy set, and why.

use regorus::Value;
use regorus::unstable::{Module, Ref};
use thiserror::Error;

use super::super::settings::PolicySettings;
use super::{Lowered, Machine, Obstacle, lower};

/// What may evaluate policies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// Bytecode where that is known to answer as the interpreter does, else the interpreter.
    #[default]
    Auto,
    /// The interpreter, always.
    Interpreter,
}

/// Why the interpreter evaluates a set.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Interpreted {
    /// It is configured to.
    #[error("`policies.engine` is `interpreter`")]
    Configured,
    /// The set has something that bytecode does not do well.
    #[error(transparent)]
    Obstacle(#[from] Obstacle),
}

/// The policies for bytecode, compiled once to see that they can be.
pub(in crate::policy) fn choose(
    settings: &PolicySettings,
    modules: &[Ref<Module>],
    data: &Value,
) -> Result<Lowered, Interpreted> {
    if settings.engine == EngineChoice::Interpreter {
        return Err(Interpreted::Configured);
    }
    let lowered = lower(modules, &settings.entry_point, data)?;
    Machine::new(&lowered, data.clone(), settings.evaluation_timeout)?;
    Ok(lowered)
}

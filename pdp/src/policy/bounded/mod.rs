//! Built-ins of the engine, held within bounds. The engine cannot interrupt a built-in: its own
//! `numbers.range(1, 100000000)` runs for seconds past any timer, `sprintf("%900000000d", [1])` takes what
//! memory there is, and memory that is not to be had aborts the process.
//!
//! Two bounds: what a call would cost is looked at before it is made (`costs`), and what all calls of one
//! evaluation made is counted (`budget`). They hold in the interpreter ([`install`]), in bytecode
//! ([`within`]) and for compiled policies ([`function`]) alike.
//!
//! What this is not: a list of what policies may call (see `capability`); or a bound of what a policy builds
//! by itself, which is the gate's (`gate::growth`).

pub(super) mod budget;
mod costs;
mod foreign_texts;
mod formats;
mod range;
mod size;

#[cfg(test)]
mod tests;

use regorus::{Engine, Value};

use super::builtin_errors::BuiltinErrors;
use super::builtins::{self, Failed};
use super::native::{Native, NativeError};
use super::set::LoadError;

pub(super) use self::foreign_texts::{is_too_large, yaml as check_yaml};
pub(super) use self::range::range;
pub(super) use self::size::{check as check_size, check_all as check_sizes};

/// What a call may not cost.
pub(super) type Cost = fn(&[Value]) -> Result<(), Failed>;

/// A built-in of the engine, within bounds.
#[derive(Clone)]
pub(super) struct Bounded {
    builtin: Native,
    cost: Cost,
}

impl Bounded {
    /// Calls it.
    pub(super) fn call(&self, arguments: &[Value]) -> Result<Value, Failed> {
        within(self.cost, arguments, || {
            let called = self.builtin.call(arguments, true);
            called.map_err(|error| failed(&error))
        })
    }

    /// How many arguments it takes.
    pub(super) fn arity(&self) -> u8 {
        self.builtin.arity()
    }
}

/// Why the engine's own built-in failed, as one of ours says it.
pub(super) fn failed(error: &NativeError) -> Failed {
    if error.is_limit {
        Failed::Bound("more than the engine may take")
    } else {
        Failed::Refused(error.to_string())
    }
}

/// Whether a call of `name` comes to a function of this room.
pub(super) fn is_bounded(name: &str) -> bool {
    range::NAMES.contains(&name) || costs::of(name).is_some()
}

/// The built-in `name`, if it is one of the engine's that need bounds.
pub(super) fn function(name: &str) -> Option<Bounded> {
    Some(Bounded {
        cost: costs::of(name)?,
        builtin: Native::of(name)?,
    })
}

/// What a call of `name` may not cost, if it is one of those that need bounds.
pub(super) fn cost(name: &str) -> Option<Cost> {
    costs::of(name)
}

/// Puts the bounded built-ins before the engine's own.
pub(super) fn install(engine: &mut Engine, errors: BuiltinErrors) -> Result<(), LoadError> {
    range::install(engine)?;
    for (name, _) in costs::ALL {
        let Some(bounded) = function(name) else {
            continue;
        };
        let arity = bounded.arity();
        let call = move |arguments: Vec<Value>| {
            builtins::called(name, |a| bounded.call(a.all()), &arguments, errors)
        };
        engine
            .add_extension((*name).to_owned(), arity, Box::new(call))
            .map_err(|error| LoadError::engine(&error))?;
    }
    Ok(())
}

/// Does `call` if it may cost what it would, and counts what it made.
pub(super) fn within<E: From<Failed>>(
    cost: Cost,
    arguments: &[Value],
    call: impl FnOnce() -> Result<Value, E>,
) -> Result<Value, E> {
    cost(arguments).map_err(budget::noted)?;
    let value = call()?;
    budget::charge(&value)?;
    Ok(value)
}

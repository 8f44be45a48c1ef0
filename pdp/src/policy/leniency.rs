//! Policies in which a built-in may fail and the evaluation go on, where a function has several definitions.
//!
//! Engine fact (regorus 0.14.1): told that a failed built-in is undefined, the interpreter also drops *any*
//! error of one definition of a function if another of its definitions has a value (`eval_call_impl`), and goes
//! on with contexts, loops and `with` of what failed still open: it then answers wrongly. Told that a
//! failed built-in is an error, it ends. So where a function has several definitions the engine is always told
//! that, and what is to be undefined never comes to it as an error: its own built-ins are called through
//! ours, and the operands of its operators looked at before (`source`). An error that is left (two values, the
//! time) is one.
//!
//! Not called through ours are `walk`, in which the engine loops, and what it remembers for one evaluation
//! (`rand.intn`, `uuid.rfc4122`): what these cannot take is an error.
//!
//! What this is not: which failures are errors (`builtin_errors`); for the bytecode machine, which calls
//! functions its own way.

use std::collections::BTreeSet;
use std::sync::Arc;

use regorus::unstable::{BUILTINS, Module, Ref, Rule, must_cache};
use regorus::{Engine, Value};

use super::builtin_errors::BuiltinErrors;
use super::gate::head::parts_of;
use super::gate::paths::{Names, Path};
use super::native::Native;
use super::set::LoadError;
use super::{bounded, builtins, capability, corrected};

/// Whether one function in `modules` has several definitions.
pub(super) fn is_guarded(modules: &[Ref<Module>]) -> bool {
    let mut defined: BTreeSet<Path> = BTreeSet::new();
    modules.iter().any(|module| {
        let names = Names::of(module);
        module.policy.iter().any(|rule| match rule.as_ref() {
            Rule::Spec { head, .. } => {
                let head = parts_of(head);
                !head.args.is_empty() && !defined.insert(names.declared(head.refr))
            }
            Rule::Default { .. } => false,
        })
    })
}

/// Puts functions of ours before the engine's own.
pub(super) fn install(engine: &mut Engine, errors: BuiltinErrors) -> Result<(), LoadError> {
    for name in BUILTINS.keys().filter(|name| is_called_natively(name)) {
        let Some(native) = Native::of(name).map(Arc::new) else {
            continue;
        };
        let arity = native.arity();
        let call = move |arguments: Vec<Value>| {
            let is_strict = builtins::chosen(errors) == BuiltinErrors::Fail;
            match native.call(&arguments, is_strict) {
                Err(error) if is_strict || error.is_limit => Err(error.into()),
                answer => Ok(answer.unwrap_or(Value::Undefined)),
            }
        };
        engine
            .add_extension((*name).to_owned(), arity, Box::new(call))
            .map_err(|error| LoadError::engine(&error))?;
    }
    Ok(())
}

/// Whether a call of `name` comes to the engine's function.
fn is_called_natively(name: &str) -> bool {
    let is_replaced = bounded::is_bounded(name)
        || corrected::function(name).is_some()
        || builtins::arity(name).is_some();
    capability::is_callable(name) && !is_replaced && name != "walk" && must_cache(name).is_none()
}

#[cfg(test)]
#[path = "leniency_tests.rs"]
mod tests;

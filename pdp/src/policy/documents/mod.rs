//! Any document below `data`, as OPA's Data API reads them: what rules make (virtual documents), what
//! data files say (base documents), and a package with both.
//!
//! INVARIANT: a [`Reference`] is looked up, part by part, among the rules and data that are in force.
//! Nothing a caller wrote is parsed as Rego here, and the engine is only asked for rules by the names
//! that the policies gave them.
//!
//! What this is not: the way of decisions. Those go by one entry point, on the footprint of the
//! question; here the input is whole, and nothing is remembered. What callers write themselves is for
//! `queries`.

mod index;
pub(super) mod reference;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use regorus::{Engine, Value};
use thiserror::Error;

use self::index::{Found, RuleName};
pub(super) use self::index::{Index, says};
pub use self::reference::Reference;
use super::bounded::budget;
use super::builtin_errors::BuiltinErrors;
use super::builtins::with_errors;
use super::engine_error;
use super::time_limit::timer;

/// Why a document cannot be given. That it is undefined is none of these.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoDocument {
    /// Only rules without arguments are documents.
    #[error("undefined ref: {0}: a function is not a document")]
    Function(String),
    /// A rule whose head the engine cannot be asked for by name.
    #[error(
        "{0}: the head of this rule has variables before its end: ask for a rule that reads it"
    )]
    Head(String),
    /// It took longer than an evaluation may.
    #[error("evaluation took too long")]
    Timeout,
    /// The engine refused; the text says why, in one line.
    #[error("{0}")]
    Error(String),
    /// A rule has two values.
    #[error("{0}")]
    Conflict(String),
    /// As [`NoDocument::Error`], where a built-in function's refusal is one.
    #[error("{0}")]
    Strict(String),
}

/// What the whole of `data` does not show, in OPA neither: who wants it has to ask for it.
const HIDDEN: &str = "system";

pub(super) fn is_hidden(path: &[String]) -> bool {
    path.first().is_some_and(|first| first == HIDDEN)
}

/// The documents of one policy set, for one thread.
pub(super) struct Documents {
    index: Arc<Index>,
    base: Value,
    /// None until the first rule is asked for, and when an evaluation left it in doubt.
    engine: Option<Engine>,
    timeout: Duration,
    is_guarded: bool,
}

impl Documents {
    /// Of the rules named by `index`, and the data files in `base`; asked of engines that are guarded
    /// (`leniency`) where `is_guarded`.
    pub(super) fn new(index: Arc<Index>, base: Value, timeout: Duration, is_guarded: bool) -> Self {
        Self {
            index,
            base,
            engine: None,
            timeout,
            is_guarded,
        }
    }

    /// Whether `path`, plain names with dots between from `data` on, is what one rule makes, and nothing
    /// more.
    pub(super) fn is_one_rule(index: &Index, path: &str) -> bool {
        let names = path.split('.').skip(1).map(str::to_owned);
        let names: Vec<String> = names.collect();
        let found = index.find(&names);
        matches!(found, Ok(Found::Inside(rule)) if rule.parts().len() == names.len())
    }

    /// The document `at`, where it is defined, by a copy of the engine `pristine`. `input` may be
    /// undefined.
    pub(super) fn read(
        &mut self,
        pristine: &Engine,
        at: &Reference,
        input: &Value,
        errors: BuiltinErrors,
    ) -> Result<Option<Value>, NoDocument> {
        let index = self.index.clone();
        let value = match index.find(at.parts())? {
            Found::Base => reference::descend(&self.base, at.parts()),
            Found::Inside(rule) => {
                let value = self.evaluate(pristine, &[rule], input, errors)?.pop();
                let rest = at.parts().get(rule.parts().len()..).unwrap_or_default();
                value.and_then(|value| reference::descend(&value, rest))
            }
            Found::Above {
                mut rules,
                mut packages,
            } => {
                let is_root = at.parts().is_empty();
                rules.retain(|rule| !is_root || !is_hidden(rule.parts()));
                packages.retain(|package| !is_root || !is_hidden(package));
                let values = self.evaluate(pristine, &rules, input, errors)?;
                let mut whole =
                    reference::descend(&self.base, at.parts()).unwrap_or(Value::Undefined);
                let depth = at.parts().len();
                for package in packages {
                    reference::place(&mut whole, package.get(depth..).unwrap_or_default(), None);
                }
                for (rule, value) in rules.iter().zip(values) {
                    let below = rule.parts().get(depth..).unwrap_or_default();
                    reference::place(&mut whole, below, Some(value));
                }
                if is_root && let Ok(members) = whole.as_object_mut() {
                    members.remove(&Value::from(HIDDEN));
                }
                Some(whole)
            }
        };
        Ok(value.filter(|value| *value != Value::Undefined))
    }

    /// The value of each rule, undefined ones too, all of them within one time limit.
    fn evaluate(
        &mut self,
        pristine: &Engine,
        rules: &[&RuleName],
        input: &Value,
        errors: BuiltinErrors,
    ) -> Result<Vec<Value>, NoDocument> {
        let started = Instant::now();
        budget::begin();
        let mut values = Vec::with_capacity(rules.len());
        let mut engine = self.engine.take().unwrap_or_else(|| pristine.clone());
        engine.set_strict_builtin_errors(self.is_guarded || errors == BuiltinErrors::Fail);
        for rule in rules {
            let left = self.timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(NoDocument::Timeout);
            }
            let evaluation = AssertUnwindSafe(|| {
                engine.set_execution_timer_config(timer(left));
                engine.set_input(input.clone());
                engine.eval_rule(rule.asked().to_owned())
            });
            let outcome = with_errors(errors, || catch_unwind(evaluation));
            values.push(match outcome {
                Ok(Ok(value)) => value,
                _ if started.elapsed() >= self.timeout => return Err(NoDocument::Timeout),
                Ok(Err(error)) => return Err(refused(engine_error::in_one_line(&error), errors)),
                Err(_) => return Err(NoDocument::Error("the engine panicked".to_owned())),
            });
        }
        // What a policy prints is for whoever evaluates it on the command line.
        let _ = engine.take_prints();
        self.engine = Some(engine);
        Ok(values)
    }
}

/// The engine's error, by its words.
pub(super) fn refused(text: String, errors: BuiltinErrors) -> NoDocument {
    if text.contains("multiple outputs") || text.contains("conflicts with rule") {
        NoDocument::Conflict(text)
    } else if errors == BuiltinErrors::Fail {
        NoDocument::Strict(text)
    } else {
        NoDocument::Error(text)
    }
}

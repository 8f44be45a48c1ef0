//! One thread's instances, each made anew after a trap, and the documents that they make.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use regorus::Value;

use super::compiled::{Compiled, Found};
use super::instance::{Asked, Outcome};
use super::module::Module;
use super::seat::Seat;
use super::unusable::Unusable;
use crate::policy::builtin_errors::BuiltinErrors;
use crate::policy::documents::reference::{descend, place};
use crate::policy::documents::{NoDocument, Reference, is_hidden};
use crate::policy::verdict::Failure;

/// How decisions are asked for: the entry point, where a compiled policy makes it; how long one may take;
/// and what becomes of built-ins that fail.
#[derive(Clone, Copy, Debug)]
pub(in crate::policy) struct Usual {
    pub(in crate::policy) entry_point: Option<Found>,
    pub(in crate::policy) time: Duration,
    pub(in crate::policy) errors: BuiltinErrors,
}

/// The instances of one thread.
pub(in crate::policy) struct Instances {
    compiled: Compiled,
    seats: Vec<Seat>,
    usual: Usual,
}

impl Instances {
    /// Of the `modules` of `compiled`; the instance that makes the usual entry point is made now, so that
    /// the first question need not wait for it. An error says of which module it is.
    pub(super) fn new(
        compiled: Compiled,
        modules: impl Iterator<Item = Arc<Module>>,
        data: &Value,
        usual: Usual,
    ) -> Result<Self, (usize, Unusable)> {
        let seat = |(number, module): (usize, Arc<Module>)| {
            let mut seat = Seat::new(module, data.clone());
            if usual.entry_point.is_some_and(|at| at.module == number) {
                seat.fill().map_err(|error| (number, error))?;
            }
            Ok(seat)
        };
        Ok(Self {
            compiled,
            seats: modules.enumerate().map(seat).collect::<Result<_, _>>()?,
            usual,
        })
    }

    /// The value of the usual entry point for `input` at `now`, where a compiled policy makes it.
    pub(in crate::policy) fn entry_point(
        &mut self,
        input: &Value,
        now: u64,
    ) -> Option<Result<Value, Failure>> {
        let Usual {
            entry_point,
            time,
            errors,
        } = self.usual;
        let asked = Asked { time, now, errors };
        entry_point.map(|found| self.evaluate(found, input, asked))
    }

    /// The value of an entry point for `input`, both of which may be undefined.
    fn evaluate(&mut self, found: Found, input: &Value, asked: Asked) -> Result<Value, Failure> {
        let failed = |why: String| Failure::Error(why);
        let seat = self.seats.get_mut(found.module);
        let seat = seat.ok_or_else(|| failed("no such compiled policy".to_owned()))?;
        let deadline = Instant::now() + asked.time;
        let mut instance = seat.take(deadline)?;
        // Waiting for it was part of the time.
        let time = deadline.saturating_duration_since(Instant::now());
        let asked = Asked { time, ..asked };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            instance.evaluate(found.number, input, asked)
        }));
        let failure = match outcome {
            Ok(Outcome::Ended(result)) => {
                seat.put(instance);
                return result;
            }
            Ok(Outcome::Broken(failure)) => failure,
            Err(_) => failed("the engine panicked".to_owned()),
        };
        // Whoever asks next may find another one there already.
        seat.renew();
        Err(failure)
    }

    /// The document `at`, of which `rest` makes what compiled policies do not; all that these make of it
    /// within one time limit. Each is shown what it is declared to read, and no more.
    pub(in crate::policy) fn document(
        &mut self,
        at: &Reference,
        input: &Value,
        asked: Asked,
        rest: impl FnOnce() -> Result<Option<Value>, NoDocument>,
    ) -> Result<Option<Value>, NoDocument> {
        let compiled = self.compiled.clone();
        if let Some((entry, names)) = compiled.around(at) {
            let value = self.evaluate(entry.place, &entry.shown(input), asked);
            let value = value.map_err(no_document)?;
            let value = descend(&value, names);
            return Ok(value.filter(|value| *value != Value::Undefined));
        }
        let whole = rest()?;
        let within = compiled.within(at);
        if within.is_empty() {
            return Ok(whole);
        }
        let mut whole = whole.unwrap_or(Value::Undefined);
        let started = Instant::now();
        for (entry, names) in within {
            if at.parts().is_empty() && is_hidden(names) {
                continue;
            }
            let time = asked.time.saturating_sub(started.elapsed());
            if time == Duration::ZERO {
                return Err(NoDocument::Timeout);
            }
            let asked = Asked { time, ..asked };
            let value = self.evaluate(entry.place, &entry.shown(input), asked);
            let value = value.map_err(no_document)?;
            place(&mut whole, names, Some(value));
        }
        Ok(Some(whole).filter(|whole| *whole != Value::Undefined))
    }
}

fn no_document(failure: Failure) -> NoDocument {
    match failure {
        Failure::Timeout => NoDocument::Timeout,
        other => NoDocument::Error(other.to_string()),
    }
}

//! The built-in functions that a compiled policy asks its host for: ours, those of the engine, and the
//! clock, as our own engines have them.
//!
//! What OPA compiles into the module (`count`, `regex.match`, `net.cidr_contains` …) never comes here, and
//! fails by OPA's rules: it is undefined, whatever is chosen of built-ins that fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use regorus::Value;
use regorus::unstable::must_cache;

use super::super::bounded::{self, Bounded};
use super::super::builtin_errors::BuiltinErrors;
use super::super::native::Native;
use super::super::{builtins, capability, corrected};

const NOW: &str = "time.now_ns";

/// A built-in by its name.
pub(in crate::policy) struct HostBuiltin {
    pub(in crate::policy) name: String,
    /// Whether it is to answer the same each time within one evaluation.
    pub(super) is_kept: bool,
    call: Call,
}

enum Call {
    Now,
    DecodeVerify,
    Own(builtins::Function),
    Range,
    Corrected(corrected::Function),
    Bounded(Bounded),
    Native(Native),
}

/// Why a call gave nothing.
#[derive(Debug)]
enum Failed {
    /// The built-in refused its arguments.
    Refused(String),
    /// It would take more than it may, or was called as it cannot be.
    Always(String),
}

impl HostBuiltin {
    /// The built-in `name`, where there is one that a policy may call.
    pub(in crate::policy) fn of(name: &str) -> Option<Self> {
        if !capability::is_callable(name) {
            return None;
        }
        let call = if name == NOW {
            Call::Now
        } else if name == builtins::DECODE_VERIFY {
            Call::DecodeVerify
        } else if matches!(name, "numbers.range" | "numbers.range_step") {
            Call::Range
        } else if let Some(function) = corrected::function(name) {
            Call::Corrected(function)
        } else if let Some(function) = builtins::function(name) {
            Call::Own(function)
        } else if let Some(function) = bounded::function(name) {
            Call::Bounded(function)
        } else {
            Call::Native(Native::of(name)?)
        };
        Some(Self {
            name: name.to_owned(),
            is_kept: must_cache(name).is_some(),
            call,
        })
    }

    /// Calls it, at `now` in nanoseconds since 1970. Undefined where it is, and where it failed in a way
    /// that `errors` lets pass; else why it failed.
    pub(in crate::policy) fn call(
        &self,
        arguments: &[Value],
        now: u64,
        errors: BuiltinErrors,
    ) -> Result<Value, String> {
        let called = catch_unwind(AssertUnwindSafe(|| self.answer(arguments, now, errors)));
        let why = match called {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(Failed::Refused(_))) if errors == BuiltinErrors::Undefined => {
                return Ok(Value::Undefined);
            }
            Ok(Err(Failed::Refused(why) | Failed::Always(why))) => why,
            Err(_) => "it panicked".to_owned(),
        };
        Err(format!("{}: {why}", self.name))
    }

    fn answer(
        &self,
        arguments: &[Value],
        now: u64,
        errors: BuiltinErrors,
    ) -> Result<Value, Failed> {
        if let Some(arity) = self.arity()
            && arity != arguments.len()
        {
            let given = arguments.len();
            return Err(Failed::Always(format!(
                "takes {arity} arguments, not {given}"
            )));
        }
        let own = |failed: builtins::Failed| match failed {
            builtins::Failed::Bound(_) => Failed::Always(failed.to_string()),
            _ => Failed::Refused(failed.to_string()),
        };
        match &self.call {
            Call::Now => Ok(Value::from(now)),
            Call::DecodeVerify => builtins::decode_verify(arguments, now).map_err(own),
            Call::Own(function) => builtins::called_with(*function, arguments).map_err(own),
            Call::Range => bounded::range(arguments, arguments.get(2))
                .map_err(|error| Failed::Always(error.to_string())),
            Call::Corrected(function) => {
                let answer = corrected::answer(*function, arguments);
                answer.map(Value::from).map_err(own)
            }
            Call::Bounded(function) => function.call(arguments).map_err(own),
            Call::Native(native) => native
                .call(arguments, errors == BuiltinErrors::Fail)
                .map_err(|error| own(bounded::failed(&error))),
        }
    }

    /// How many arguments it takes; none where any number will do.
    fn arity(&self) -> Option<usize> {
        match &self.call {
            Call::Now => Some(0),
            Call::Corrected(_) => Some(1),
            Call::Range if self.name == "numbers.range" => Some(2),
            Call::Range => Some(3),
            Call::DecodeVerify | Call::Own(_) => builtins::arity(&self.name),
            Call::Bounded(function) => Some(usize::from(function.arity())),
            Call::Native(native) => Some(usize::from(native.arity())),
        }
    }
}

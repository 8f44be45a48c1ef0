//! Built-in functions that OPA has and the engine lacks, one file per family.
//!
//! Each is a function of its arguments, registered as an extension of the interpreter; policies that
//! call one are not lowered to bytecode. What it costs is bounded, for the engine interrupts no built-in.
//! Answers are those of OPA 1.20 (`tests` has how that was found out); where one is not, the file says so.
//!
//! What this is not: the list of what policies may call (`capability`), or of what answers rest on
//! (`footprint`). Built-ins that the engine has, but without bounds, are in `bounded`.

mod arguments;
mod aws;
mod bodies;
mod digests;
mod expressions;
mod globs;
mod graphql;
mod graphs;
mod jwt;
mod lists;
mod networks;
mod notes;
mod numbers;
mod schemas;
mod templates;
mod urls;
mod x509;

#[cfg(test)]
mod tests;

use std::cell::Cell;

use regorus::{Engine, Value};
use thiserror::Error;

use self::arguments::Arguments;
use super::bounded::{self, budget};
use super::builtin_errors::BuiltinErrors;
use super::set::LoadError;

pub(super) use jwt::DECODE_VERIFY;
pub(super) use jwt::clock::{Instant, install as install_clock};
pub(super) use notes::gather as gather_notes;

/// Why a call fails. Texts are OPA's.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Failed {
    /// An argument is not of its type.
    #[error("operand {operand} must be {wanted} but got {got}")]
    Operand {
        operand: usize,
        wanted: &'static str,
        got: &'static str,
    },
    /// Anything else that OPA refuses too.
    #[error("{0}")]
    Refused(String),
    /// A bound of ours.
    #[error("{0}: a bound of Edgeward's")]
    Bound(&'static str),
}

impl Failed {
    fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }
}

/// What a built-in does.
pub(super) type Function = fn(&Arguments<'_>) -> Result<Value, Failed>;

/// A built-in: its name, how many arguments it takes, and what it does.
type Builtin = (&'static str, u8, Function);

const FAMILIES: [&[Builtin]; 14] = [
    aws::ALL,
    digests::ALL,
    expressions::ALL,
    globs::ALL,
    graphql::ALL,
    graphs::ALL,
    jwt::ALL,
    lists::ALL,
    networks::ALL,
    notes::ALL,
    numbers::ALL,
    schemas::ALL,
    templates::ALL,
    x509::ALL,
];

fn all() -> impl Iterator<Item = &'static Builtin> {
    FAMILIES.iter().copied().flatten()
}

/// What the built-in `name` does.
pub(super) fn function(name: &str) -> Option<Function> {
    let found = all().find(|(own, _, _)| *own == name);
    found.map(|(_, _, function)| *function)
}

/// What a built-in answers; none where it fails.
pub(super) fn answer(function: Function, arguments: &[Value]) -> Option<Value> {
    called_with(function, arguments).ok()
}

/// What a built-in answers, within bounds: of what it looks at, which may share its parts so that it is
/// more than could be written down, and of what all of them make.
pub(super) fn called_with(function: Function, arguments: &[Value]) -> Result<Value, Failed> {
    if !std::ptr::fn_addr_eq(function, lists::FLATTEN) {
        bounded::check_sizes(arguments)?;
    }
    let value = function(&Arguments(arguments))?;
    budget::charge(&value)?;
    Ok(value)
}

/// What `io.jwt.decode_verify` answers at `now`, in nanoseconds since 1970.
pub(super) fn decode_verify(arguments: &[Value], now: u64) -> Result<Value, Failed> {
    jwt::decode_verify::decode_verify(&Arguments(arguments), now)
}

/// A URL as Go reads and writes it; none where it is none to Go, or not text.
pub(super) fn written_url(text: &str) -> Option<String> {
    let url = urls::Url::parse(text.as_bytes())?;
    String::from_utf8(url.write()).ok()
}

/// How many arguments `name` takes, if it is one of these.
pub(super) fn arity(name: &str) -> Option<usize> {
    if name == jwt::DECODE_VERIFY {
        return Some(2);
    }
    all()
        .find(|(own, _, _)| *own == name)
        .map(|(_, arity, _)| usize::from(*arity))
}

/// Every name, in no order.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    all()
        .map(|(name, _, _)| *name)
        .chain(std::iter::once(jwt::DECODE_VERIFY))
}

/// Puts them into `engine`, but for the one that reads the clock ([`install_clock`]).
pub(super) fn install(engine: &mut Engine, errors: BuiltinErrors) -> Result<(), LoadError> {
    for (name, arity, function) in all() {
        let call = move |arguments: Vec<Value>| {
            called(name, |a| called_with(*function, a.0), &arguments, errors)
        };
        engine
            .add_extension((*name).to_owned(), *arity, Box::new(call))
            .map_err(|error| LoadError::engine(&error))?;
    }
    Ok(())
}

/// A call that failed, as the engine tells it.
#[derive(Debug, Error)]
#[error("{name}: {why}")]
pub(super) struct CallError {
    name: &'static str,
    why: Failed,
}

thread_local! {
    /// What becomes of calls that fail on this thread, where one evaluation has it otherwise than its engine.
    static CHOSEN: Cell<Option<BuiltinErrors>> = const { Cell::new(None) };
}

/// Does `work`, an evaluation, with `errors` in the place of what its engine was made with.
pub(super) fn with_errors<T>(errors: BuiltinErrors, work: impl FnOnce() -> T) -> T {
    CHOSEN.set(Some(errors));
    let done = work();
    CHOSEN.set(None);
    done
}

/// What becomes of calls that fail here and now, by an engine made for `errors`.
pub(super) fn chosen(errors: BuiltinErrors) -> BuiltinErrors {
    CHOSEN.get().unwrap_or(errors)
}

/// What becomes of a call. What passes a bound fails, whatever is chosen of other failures.
pub(super) fn called<E: From<CallError>>(
    name: &'static str,
    function: impl Fn(&Arguments<'_>) -> Result<Value, Failed>,
    arguments: &[Value],
    errors: BuiltinErrors,
) -> Result<Value, E> {
    let errors = chosen(errors);
    match function(&Arguments(arguments)) {
        Err(why) if errors == BuiltinErrors::Fail || matches!(why, Failed::Bound(_)) => {
            Err(CallError { name, why }.into())
        }
        answer => Ok(answer.unwrap_or(Value::Undefined)),
    }
}

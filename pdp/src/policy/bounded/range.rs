//! `numbers.range` and `numbers.range_step`: the engine's own run for seconds past any timer and take
//! gigabytes, a step of zero never ends, and a range too long to allocate aborts the process.

use regorus::{Engine, Value};
use thiserror::Error;

use super::budget;
use crate::policy::builtins::Failed;
use crate::policy::set::LoadError;

/// Elements a range may have.
const MAX_RANGE: i128 = 100_000;

/// The built-ins.
pub(super) const NAMES: [&str; 2] = ["numbers.range", "numbers.range_step"];

/// Why a range is refused.
#[derive(Debug, Error)]
pub(in crate::policy) enum RangeError {
    #[error("a range needs whole numbers of 64 bits")]
    NotWhole,
    #[error("a range needs a step above zero")]
    Step,
    #[error("a range may have {MAX_RANGE} elements")]
    TooLong,
    #[error(transparent)]
    Budget(#[from] Failed),
}

/// Puts the bounded built-ins before the engine's own.
pub(super) fn install(engine: &mut Engine) -> Result<(), LoadError> {
    engine
        .add_extension(
            "numbers.range".to_owned(),
            2,
            Box::new(|args: Vec<Value>| Ok(range(&args, None)?)),
        )
        .map_err(|error| LoadError::engine(&error))?;
    engine
        .add_extension(
            "numbers.range_step".to_owned(),
            3,
            Box::new(|args: Vec<Value>| Ok(range(&args, args.get(2))?)),
        )
        .map_err(|error| LoadError::engine(&error))
}

/// From `args[0]` to `args[1]`, both included, up or down.
pub(in crate::policy) fn range(args: &[Value], step: Option<&Value>) -> Result<Value, RangeError> {
    let whole = |value: Option<&Value>| match value.map(Value::as_i64) {
        Some(Ok(number)) => Ok(i128::from(number)),
        _ => Err(RangeError::NotWhole),
    };
    let (from, to) = (whole(args.first())?, whole(args.get(1))?);
    let step = step.map_or(Ok(1), |step| whole(Some(step)))?;
    if step <= 0 {
        return Err(RangeError::Step);
    }
    let distance = (to - from).abs();
    if distance / step >= MAX_RANGE {
        return Err(RangeError::TooLong);
    }
    let sign = if to < from { -1 } else { 1 };
    let elements = (0..=distance / step).map(|n| Value::from(from + sign * n * step));
    let range = Value::from(elements.collect::<Vec<_>>());
    budget::charge(&range)?;
    Ok(range)
}

//! `bits.lsh`, which the engine has without a bound.

use regorus::Value;

use super::arguments::Arguments;
use super::{Builtin, Failed};

/// What is here.
pub(super) const ALL: &[Builtin] = &[("bits.lsh", 2, shift_left)];

/// Places a number may be shifted at once. A policy that shifts again and again is stopped by its time.
const MAX_SHIFT: u64 = 1024;
/// Bits the number may have before.
const MAX_BITS: usize = 4096;

fn shift_left(a: &Arguments<'_>) -> Result<Value, Failed> {
    let whole = |operand: usize| match a.any(operand) {
        Value::Number(number) if number.is_integer() => Ok(number),
        Value::Number(_) => Err(Failed::Operand {
            operand: operand + 1,
            wanted: "integer number",
            got: "floating-point number",
        }),
        _ => Err(a.wrong(operand, "number")),
    };
    let (number, places) = (whole(0)?, whole(1)?);
    if !places.is_positive() && places.as_u64() != Some(0) {
        return Err(Failed::Operand {
            operand: 2,
            wanted: "an unsigned integer number",
            got: "a negative integer",
        });
    }
    if places.as_u64().is_none_or(|places| places > MAX_SHIFT) {
        return Err(Failed::Bound("a number may be shifted by 1024 places"));
    }
    // Four bits a digit, and one for a sign.
    if number.format_hex().len() > MAX_BITS / 4 + 1 {
        return Err(Failed::Bound("a number to shift may have 4096 bits"));
    }
    let shifted = number.lsh(places);
    shifted
        .map(Value::from)
        .ok_or_else(|| Failed::refused("cannot be shifted"))
}

//! Texts that a policy has read as JSON, YAML or numbers: what they would become.
//!
//! Engine facts (regorus 0.14.1): `1e2000000000` becomes a whole number of that many digits; and an object
//! whose first member is called `$serde_json::private::Number` becomes a number read from its text, in JSON
//! and in YAML.

use regorus::Value;

use super::costs::texts;
use super::{Failed, budget};

/// The longest text that is read as one number.
const MAX_NUMBER: usize = 4096;
/// The largest exponent that a number may have.
const MAX_EXPONENT: u32 = 4096;
/// The longest text that may be read.
const MAX_READ: usize = 4 * 1024 * 1024;
/// The longest YAML in which one part may stand for another again and again.
const MAX_WITH_ALIASES: usize = 64 * 1024;

const NUMBER: &str = "$serde_json::private::Number";
const NUMBER_IN_DISGUISE: Failed =
    Failed::Bound("no object may have a member `$serde_json::private::Number`");

/// A number, in a text or not.
pub(super) fn number(arguments: &[Value]) -> Result<(), Failed> {
    let Some([text]) = texts::<1>(arguments) else {
        return Ok(());
    };
    if text.len() > MAX_NUMBER {
        return Err(Failed::Bound("a number may have 4096 characters"));
    }
    if text.contains('{') {
        return Err(Failed::Refused("strconv: invalid syntax".to_owned()));
    }
    if exponent(text).is_some_and(|exponent| exponent > MAX_EXPONENT) {
        return Err(Failed::Bound("a number may have an exponent of 4096"));
    }
    Ok(())
}

/// The exponent of the number that `text` begins with or is; that of one that fits nothing is the largest.
fn exponent(text: &str) -> Option<u32> {
    let at = text.find(['e', 'E'])?;
    let digits = text.get(at + 1..)?.trim_start_matches(['+', '_']);
    // A unit may follow.
    let digits: String = digits
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '_')
        .filter(char::is_ascii_digit)
        .collect();
    (!digits.is_empty()).then(|| digits.parse().unwrap_or(u32::MAX))
}

/// Whether a number that stands in a policy as `text` has more digits than one may.
pub(in crate::policy) fn is_too_large(text: &str) -> bool {
    exponent(text).is_some_and(|exponent| exponent > MAX_EXPONENT)
}

pub(super) fn json(arguments: &[Value]) -> Result<(), Failed> {
    let Some([text]) = texts::<1>(arguments) else {
        return Ok(());
    };
    readable(text)?;
    undisguised(text)
}

/// Paths into a document, of which the engine reads each part as JSON.
pub(super) fn paths(arguments: &[Value]) -> Result<(), Failed> {
    match arguments {
        [_, paths] => all_undisguised(paths, 0),
        _ => Ok(()),
    }
}

fn all_undisguised(paths: &Value, depth: usize) -> Result<(), Failed> {
    let each = |inner: &Value| match inner {
        _ if depth > 1 => Ok(()),
        Value::String(text) => undisguised(text),
        other => all_undisguised(other, depth + 1),
    };
    match paths {
        Value::Array(list) => list.iter().try_for_each(each),
        Value::Set(set) => set.iter().try_for_each(each),
        Value::Object(object) => object.iter().try_for_each(|(name, _)| each(name)),
        _ => Ok(()),
    }
}

/// That `text` has no member that the engine would take for a number; any of its characters may be written
/// by its number.
fn undisguised(text: &str) -> Result<(), Failed> {
    if text.contains(NUMBER) || text.contains('\\') && unescaped(text).contains(NUMBER) {
        return Err(NUMBER_IN_DISGUISE);
    }
    Ok(())
}

fn readable(text: &str) -> Result<(), Failed> {
    if text.len() > MAX_READ {
        return Err(Failed::Bound("a text to be read may have 4 MiB"));
    }
    // A value takes some sixteen times as much as three characters of it.
    budget::would_fit(text.matches([',', ':', '[', '{', '\n']).count())
}

pub(in crate::policy) fn yaml(arguments: &[Value]) -> Result<(), Failed> {
    let Some([text]) = texts::<1>(arguments) else {
        return Ok(());
    };
    readable(text)?;
    if text.len() > MAX_WITH_ALIASES && text.contains('*') && text.contains('&') {
        return Err(Failed::Bound("YAML with aliases may have 64 KiB"));
    }
    undisguised(text)
}

/// `text` as JSON and YAML have it between double quotes, wherever it stands.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        let digits = match rest.next() {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            Some('\n' | '\r') => {
                let line = rest.as_str().trim_start();
                rest = line.chars();
                continue;
            }
            Some(other) => {
                plain.push(other);
                continue;
            }
            None => break,
        };
        let code = rest.as_str().get(..digits).unwrap_or_default();
        let code = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
        if let Some(code) = code {
            plain.push(code);
            rest.by_ref().take(digits).for_each(drop);
        }
    }
    plain
}

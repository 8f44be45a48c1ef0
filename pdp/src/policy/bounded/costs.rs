//! What a call of each of the engine's built-ins would cost, before it is made: what it may not is refused.
//!
//! Listed are those whose answer may be larger than a small multiple of their arguments, that look at all
//! that values share, or whose time grows faster than their arguments. Those that only copy what they were
//! given are listed too, so that what they make is counted.

use regorus::Value;

use super::budget::{self, MAX_TEXT, TOO_LONG};
use super::{Cost, Failed, foreign_texts, formats, size};

/// Comparisons of a byte or a value that one call may take.
const MAX_STEPS: usize = 2_000_000_000;
/// Comparisons of whole values.
const MAX_PAIRS: usize = 10_000_000;
/// Copies that a patch may make: each may double what there is.
const MAX_COPIES: usize = 10;
/// Digits of all numbers that are multiplied.
const MAX_DIGITS: usize = 64 * 1024;

/// What a call of `name` may not cost.
pub(super) fn of(name: &str) -> Option<Cost> {
    let found = ALL.iter().find(|(own, _)| *own == name);
    found.map(|(_, cost)| *cost)
}

/// Each by its name.
pub(super) const ALL: &[(&str, Cost)] = &[
    ("array.concat", lists),
    ("array.reverse", lists),
    ("array.slice", small),
    ("base64.decode", small),
    ("base64.encode", small),
    ("base64url.decode", small),
    ("base64url.encode", small),
    ("base64url.encode_no_pad", small),
    ("concat", joined),
    ("format_int", small),
    ("hex.decode", small),
    ("hex.encode", small),
    ("indexof", product),
    ("indexof_n", product),
    ("intersection", small),
    ("json.filter", foreign_texts::paths),
    ("json.marshal", written),
    ("json.marshal_with_options", formats::indented),
    ("json.patch", patched),
    ("json.remove", foreign_texts::paths),
    ("json.unmarshal", foreign_texts::json),
    ("lower", small),
    ("object.keys", small),
    ("object.subset", pairs),
    ("object.union", small),
    ("object.union_n", small),
    ("product", multiplied),
    ("replace", replaced),
    ("sort", small),
    ("split", parts),
    ("sprintf", formats::formatted),
    ("strings.any_prefix_match", pairs),
    ("strings.any_suffix_match", pairs),
    ("strings.replace_n", all_replaced),
    ("strings.reverse", small),
    ("substring", small),
    ("to_number", foreign_texts::number),
    ("trim", product),
    ("trim_left", product),
    ("trim_right", product),
    ("trim_space", small),
    ("union", small),
    ("units.parse", foreign_texts::number),
    ("units.parse_bytes", foreign_texts::number),
    ("upper", small),
    ("urlquery.decode", small),
    ("urlquery.decode_object", small),
    ("urlquery.encode", small),
    ("urlquery.encode_object", written),
    ("walk", walked),
    ("yaml.marshal", written),
    ("yaml.unmarshal", foreign_texts::yaml),
];

/// Nothing beyond what is counted when it is made.
#[expect(clippy::unnecessary_wraps, reason = "one of several")]
fn small(_: &[Value]) -> Result<(), Failed> {
    Ok(())
}

/// The first arguments, where all of them are texts.
pub(super) fn texts<const N: usize>(arguments: &[Value]) -> Option<[&str; N]> {
    let texts = arguments.iter().map(|value| match value {
        Value::String(text) => Some(&**text),
        _ => None,
    });
    let texts: Option<Vec<&str>> = texts.take(N).collect();
    texts?.try_into().ok()
}

/// That a text of `bytes` may be made.
pub(super) fn text_of(bytes: usize) -> Result<(), Failed> {
    if bytes > MAX_TEXT {
        return Err(TOO_LONG);
    }
    Ok(())
}

/// How many elements a collection has, or bytes a text.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.len(),
        Value::Set(set) => set.len(),
        Value::Object(object) => object.len(),
        _ => 1,
    }
}

/// What there is of elements, for what copies them all.
fn lists(arguments: &[Value]) -> Result<(), Failed> {
    let elements: usize = arguments.iter().map(length).sum();
    budget::would_fit(elements)
}

fn joined(arguments: &[Value]) -> Result<(), Failed> {
    let [Value::String(between), list] = arguments else {
        return Ok(());
    };
    let all: usize = match list {
        Value::Array(list) => list.iter().map(length).fold(0, usize::saturating_add),
        Value::Set(set) => set.iter().map(length).fold(0, usize::saturating_add),
        _ => 0,
    };
    text_of(all.saturating_add(between.len().saturating_mul(length(list))))
}

/// Whatever is written down of the arguments.
fn written(arguments: &[Value]) -> Result<(), Failed> {
    size::of(arguments).map(|_| ())
}

fn walked(arguments: &[Value]) -> Result<(), Failed> {
    let size = size::of(arguments)?;
    // Each value with its path.
    budget::would_fit(size.values.saturating_mul(size.depth + 4))
}

fn patched(arguments: &[Value]) -> Result<(), Failed> {
    size::of(arguments)?;
    let operation = Value::from("op");
    let copies = |list: &regorus::value::Array| {
        let names = list.iter().filter_map(|each| match each {
            Value::Object(members) => members.get(&operation),
            _ => None,
        });
        names.filter(|name| **name == Value::from("copy")).count()
    };
    match arguments.get(1) {
        Some(Value::Array(list)) if copies(list) > MAX_COPIES => {
            Err(Failed::Bound("a patch may copy ten times"))
        }
        _ => Ok(()),
    }
}

fn product(arguments: &[Value]) -> Result<(), Failed> {
    let steps = arguments.iter().map(length);
    if steps.fold(1, usize::saturating_mul) > MAX_STEPS {
        return Err(Failed::Bound("texts to compare may have fewer bytes"));
    }
    Ok(())
}

fn pairs(arguments: &[Value]) -> Result<(), Failed> {
    let collection = |value: &Value| match value {
        Value::String(_) => 1,
        other => length(other),
    };
    let pairs = arguments.iter().map(collection);
    if pairs.fold(1, usize::saturating_mul) > MAX_PAIRS {
        return Err(Failed::Bound("ten million pairs may be compared at once"));
    }
    Ok(())
}

fn multiplied(arguments: &[Value]) -> Result<(), Failed> {
    let digits = |each: &Value| size::digits(each);
    let all: usize = match arguments.first() {
        Some(Value::Array(list)) => list.iter().map(digits).fold(0, usize::saturating_add),
        Some(Value::Set(set)) => set.iter().map(digits).fold(0, usize::saturating_add),
        _ => 0,
    };
    if all > MAX_DIGITS {
        return Err(Failed::Bound("numbers to multiply may have 65536 digits"));
    }
    Ok(())
}

/// How long `text` becomes when `new` takes the place of `old`.
fn length_with(text: &str, old: &str, new: &str) -> usize {
    let places = text.matches(old).count();
    let kept = text.len().saturating_sub(places.saturating_mul(old.len()));
    kept.saturating_add(places.saturating_mul(new.len()))
}

fn replaced(arguments: &[Value]) -> Result<(), Failed> {
    match texts::<3>(arguments) {
        Some([text, old, new]) => text_of(length_with(text, old, new)),
        None => Ok(()),
    }
}

/// One after the other, as the engine does it.
fn all_replaced(arguments: &[Value]) -> Result<(), Failed> {
    let [Value::Object(patterns), Value::String(text)] = arguments else {
        return Ok(());
    };
    let mut text = text.to_string();
    let mut steps = 0_usize;
    for (old, new) in patterns.iter_sorted() {
        let (Value::String(old), Value::String(new)) = (old, new) else {
            return Ok(());
        };
        text_of(length_with(&text, old, new))?;
        text = text.replace(&**old, new);
        steps = steps.saturating_add(text.len());
        if steps > MAX_TEXT * 32 {
            return Err(Failed::Bound("a text may be replaced in fewer times"));
        }
    }
    Ok(())
}

fn parts(arguments: &[Value]) -> Result<(), Failed> {
    match texts::<2>(arguments) {
        // Each is a text of its own.
        Some([text, between]) => budget::would_fit(text.matches(between).count().saturating_mul(2)),
        None => Ok(()),
    }
}

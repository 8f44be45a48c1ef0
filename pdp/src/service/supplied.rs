//! Members of a question that the PDP supplies, whatever the caller says of them: put into the key, and
//! in the same way into the whole input.
//!
//! [`members`] is the one place that says which. They are computed from what is [`Asked`] and the
//! instant alone, before the question is projected, so that a decision stays a function of its key.

use edgeward_core::cache_key::{Item, Items, KeyError, write_item, write_value};
use edgeward_core::footprint::Footprint;
use edgeward_core::time::UnixSeconds;
use serde_json::{Map, Value};

use super::asked::Asked;
use super::clock;

/// One member: where, and what; none takes away what the caller says there.
pub(super) struct Supplied {
    pub(super) path: &'static [&'static str],
    pub(super) value: Option<Value>,
}

/// What is supplied to the question that is `asked` at `now`, as far as `vary` can be told apart.
pub(super) fn members(asked: &Asked<'_>, now: UnixSeconds, vary: &Footprint) -> Vec<Supplied> {
    const TIME: &[&str] = &["context", "time"];
    let mut supplied = Vec::new();
    // A caller that does not say when it asks, asks now. So there is a `context` in every question,
    // which can be told without its time.
    let reads = |path: &[&'static str]| vary.at(path.iter().copied()).is_some();
    if !asked.has_time && (reads(TIME) || !asked.has_context && reads(&["context"])) {
        supplied.push(Supplied {
            path: TIME,
            value: Some(clock::text_of(now).into()),
        });
    }
    supplied
}

/// Puts `supplied` into the whole input. What is in the way of a path is replaced by an object.
pub(super) fn put_into_input(input: &mut Value, supplied: Vec<Supplied>) {
    for Supplied { path, value } in supplied {
        put(input, path, value);
    }
}

fn put(place: &mut Value, path: &[&str], value: Option<Value>) {
    let Some((name, below)) = path.split_first() else {
        *place = value.unwrap_or_default();
        return;
    };
    if !place.is_object() {
        if value.is_none() {
            return;
        }
        *place = Value::Object(Map::new());
    }
    let Some(members) = place.as_object_mut() else {
        return;
    };
    match (below.is_empty(), value) {
        (true, None) => {
            members.remove(*name);
        }
        (false, None) => {
            if let Some(member) = members.get_mut(*name) {
                put(member, below, None);
            }
        }
        (_, value) => put(members.entry(*name).or_insert(Value::Null), below, value),
    }
}

/// Puts `supplied` into `key`, which encodes a projection on `vary`; `scratch` is overwritten.
pub(super) fn put_into_key(
    key: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    supplied: &[Supplied],
    vary: &Footprint,
) -> Result<(), KeyError> {
    for Supplied { path, value } in supplied {
        scratch.clear();
        let mut old = Some(Items::of(key));
        encode(scratch, &mut old, path, value.as_ref(), vary)?;
        std::mem::swap(key, scratch);
    }
    Ok(())
}

/// Writes the value that comes next in `old`, if there is one, with `value` at `path` below it.
fn encode(
    out: &mut Vec<u8>,
    old: &mut Option<Items<'_>>,
    path: &[&str],
    value: Option<&Value>,
    part: &Footprint,
) -> Result<(), KeyError> {
    let Some((name, below)) = path.split_first() else {
        if let Some(old) = old {
            old.skip()?;
        }
        if let Some(value) = value {
            write_value(out, &part.project(value.clone()));
        }
        return Ok(());
    };
    let is_object = match old {
        Some(old) => old.clone().read()? == Item::Object,
        None => false,
    };
    if !is_object {
        let kept = old.as_mut().map(Items::skip).transpose()?;
        match (kept, value) {
            (Some(kept), None) => out.extend_from_slice(kept),
            (None, None) => {}
            (_, Some(_)) => {
                write_item(out, Item::Object);
                fresh(out, name, below, value, part)?;
                write_item(out, Item::End);
            }
        }
        return Ok(());
    }
    let Some(items) = old else { return Ok(()) };
    items.read()?;
    write_item(out, Item::Object);
    let mut done = false;
    loop {
        let rest = items.rest();
        let member = match items.read()? {
            Item::Text(member) => member,
            Item::End => break,
            _ => return Err(KeyError),
        };
        if !done && member >= *name {
            done = true;
            if member == *name {
                replaced(out, items, member, below, value, part)?;
                continue;
            }
            fresh(out, name, below, value, part)?;
        }
        items.skip()?;
        let length = rest.len() - items.rest().len();
        out.extend_from_slice(rest.get(..length).ok_or(KeyError)?);
    }
    if !done {
        fresh(out, name, below, value, part)?;
    }
    write_item(out, Item::End);
    Ok(())
}

/// Writes a member that was not there, as far as it can be read.
fn fresh(
    out: &mut Vec<u8>,
    name: &str,
    below: &[&str],
    value: Option<&Value>,
    part: &Footprint,
) -> Result<(), KeyError> {
    let (Some(part), Some(_)) = (part.member(name), value) else {
        return Ok(());
    };
    write_item(out, Item::Text(name));
    encode(out, &mut None, below, value, part)
}

/// Writes a member that was there; it may be read, or it would not be.
fn replaced(
    out: &mut Vec<u8>,
    items: &mut Items<'_>,
    name: &str,
    below: &[&str],
    value: Option<&Value>,
    part: &Footprint,
) -> Result<(), KeyError> {
    let part = part.member(name).ok_or(KeyError)?;
    if below.is_empty() && value.is_none() {
        items.skip()?;
        return Ok(());
    }
    write_item(out, Item::Text(name));
    let mut old = Some(items.clone());
    encode(out, &mut old, below, value, part)?;
    if let Some(old) = old {
        *items = old;
    }
    Ok(())
}

#[cfg(test)]
#[path = "supplied_tests.rs"]
mod tests;

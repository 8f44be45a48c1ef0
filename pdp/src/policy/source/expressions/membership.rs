//! `in` as a value: in OPA it is undefined where one of its sides is, as a call is; to the engine it is false
//! then. So `b := x in input.list` becomes the call that OPA makes of it.
//!
//! Of a set, a member is its own key: `0, 0 in {0}` holds in OPA, and to the engine it does not.
//!
//! What this is not: `x in input.list` as a condition, which holds or does not, undefined or false.

use regorus::unstable::Expr;
use regorus::{Engine, Value};

use super::Walk;
use super::spans::whole;
use crate::policy::set::LoadError;

/// The function, by the name that OPA gives it: of a value and a collection.
pub(in crate::policy) const MEMBER: &str = "internal.member_2";
/// Of a key, the value at it, and a collection.
pub(in crate::policy) const MEMBER_AT: &str = "internal.member_3";

impl Walk<'_> {
    /// Makes a call of `expr`, if it is `in`.
    pub(super) fn membership(&mut self, expr: &Expr) {
        let Expr::Membership {
            key,
            value,
            collection,
            ..
        } = expr
        else {
            return;
        };
        let function = if key.is_some() { MEMBER_AT } else { MEMBER };
        let places: Vec<(usize, usize)> = key
            .iter()
            .chain([value, collection])
            .map(|side| self.object(side).unwrap_or_else(|| whole(side)))
            .map(|side| self.in_parentheses(side))
            .collect();
        let (Some((start, _)), Some((_, end))) = (places.first(), places.last()) else {
            return;
        };
        let (start, end) = (*start, *end);
        let arguments: Vec<String> = places
            .into_iter()
            .map(|(start, end)| self.read(start, end))
            .collect();
        // What is done in it is in the arguments.
        self.cut(start, end);
        let text = format!("{function}({})", arguments.join(", "));
        self.edits.insert(start, (end, text));
    }

    /// The bytes of a side with the parentheses around it, which are no part of the engine's spans.
    pub(super) fn in_parentheses(&self, (mut start, mut end): (usize, usize)) -> (usize, usize) {
        loop {
            let before = self.source.get(..start).unwrap_or_default().trim_end();
            let behind = self.source.get(end..).unwrap_or_default();
            let close = behind.len() - behind.trim_start().len();
            if !(before.ends_with('(') && behind.trim_start().starts_with(')')) {
                return (start, end);
            }
            start = before.len() - 1;
            end += close + 1;
        }
    }
}

/// Gives the engine the functions.
pub(super) fn install(engine: &mut Engine) -> Result<(), LoadError> {
    let two = |args: Vec<Value>| match args.as_slice() {
        [value, collection] => Ok(Value::from(is_member(value, collection))),
        _ => Ok(Value::Undefined),
    };
    let three = |args: Vec<Value>| match args.as_slice() {
        [key, value, collection] => Ok(Value::from(is_member_at(key, value, collection))),
        _ => Ok(Value::Undefined),
    };
    engine
        .add_extension(MEMBER.to_owned(), 2, Box::new(two))
        .and_then(|()| engine.add_extension(MEMBER_AT.to_owned(), 3, Box::new(three)))
        .map_err(|error| LoadError::engine(&error))
}

/// Whether `value` is in `collection`: nothing is in what is none.
pub(in crate::policy) fn is_member(value: &Value, collection: &Value) -> bool {
    match collection {
        Value::Array(items) => items.contains(value),
        Value::Set(items) => items.contains(value),
        Value::Object(members) => members.values().any(|member| member == value),
        _ => false,
    }
}

fn is_member_at(key: &Value, value: &Value, collection: &Value) -> bool {
    match collection {
        Value::Array(_) | Value::Object(_) => collection[key] == *value,
        Value::Set(items) => key == value && items.contains(value),
        _ => false,
    }
}

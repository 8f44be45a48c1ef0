//! Changes to a bundle's data, as the `patch.json` of OPA's delta bundles lists them: applied in their
//! order, all of them or none.
//!
//! What each does is what OPA 1.4.2 does, except where OPA guesses: no path, no `value`, a member nobody
//! knows and indices such as `+1` are errors here. What this is not: JSON Patch (RFC 6902), of which it
//! has the paths and a third of the operations.

use std::fmt;

use edgeward_core::json::{self, JsonError};
use edgeward_core::request::percent_decode;
use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::roots::{Roots, RootsError};

/// Operations one patch may have.
const MAX_OPERATIONS: usize = 1_000_000;
/// Items of arrays that the operations of one patch may move to other places, all together.
const MAX_MOVED: usize = 50_000_000;
/// Names one path may have.
const MAX_NAMES: usize = 128;

/// A list of changes.
#[derive(Debug, PartialEq, Eq)]
pub struct Patch {
    operations: Vec<Operation>,
    bytes: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
struct Operation {
    action: Action,
    path: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Action {
    Upsert(Json),
    Replace(Json),
    Remove,
}

/// Why a patch is none, or cannot be applied.
#[derive(Debug, Error)]
pub enum PatchError {
    /// Not JSON, or a member twice.
    #[error("patch.json: {0}")]
    Json(#[from] JsonError),
    /// Not a list of operations.
    #[error("patch.json: {0}")]
    Shape(String),
    /// One operation.
    #[error("patch.json: `data[{index}]`{shown}: {reason}")]
    Operation {
        /// Its place in the list.
        index: usize,
        /// What it is, as far as that is known.
        shown: String,
        /// What is wrong.
        reason: String,
    },
    /// It would change what its bundle does not speak for.
    #[error("patch.json: {0}")]
    Roots(#[from] RootsError),
}

impl Patch {
    /// Reads `{"data": [{"op": …, "path": …, "value": …}]}`.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, PatchError> {
        let shape = |what: &str| PatchError::Shape(what.to_owned());
        let mut members = json::parse_object(&bytes)?;
        let Some(Json::Array(listed)) = members.remove("data") else {
            return Err(shape("must have a list of operations as `data`"));
        };
        if let Some(name) = members.keys().next() {
            return Err(PatchError::Shape(format!("has `{name}` beside `data`")));
        }
        if listed.is_empty() {
            return Err(shape(
                "has no operation, which OPA takes for a bundle without data: serve a whole bundle",
            ));
        }
        if listed.len() > MAX_OPERATIONS {
            let what = format!("has more than {MAX_OPERATIONS} operations");
            return Err(PatchError::Shape(what));
        }
        let read = |(index, value)| {
            Operation::read(value).map_err(|reason| PatchError::Operation {
                index,
                shown: String::new(),
                reason,
            })
        };
        let operations: Result<_, _> = listed.into_iter().enumerate().map(read).collect();
        Ok(Self {
            operations: operations?,
            bytes,
        })
    }

    /// The `patch.json` itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Refuses what changes anything outside of `roots`.
    pub fn check(&self, roots: &Roots) -> Result<(), PatchError> {
        let mut paths = self.operations.iter().map(|operation| &operation.path);
        match paths.find(|path| !roots.have(path.iter().map(String::as_str))) {
            Some(path) => Err(roots.outside(path.join(".")).into()),
            None => Ok(()),
        }
    }

    /// Changes `data`. After an error it is good for nothing.
    pub(super) fn apply(&self, data: Map<String, Json>) -> Result<Map<String, Json>, PatchError> {
        let mut root = Json::Object(data);
        let mut moved = 0;
        for (index, operation) in self.operations.iter().enumerate() {
            operation
                .apply(&mut root, &mut moved)
                .map_err(|reason| PatchError::Operation {
                    index,
                    shown: format!(" ({operation})"),
                    reason,
                })?;
        }
        match root {
            Json::Object(data) => Ok(data),
            // Every path has a name, so that only what is below the root is ever replaced.
            _ => Err(PatchError::Shape("replaces all of `data`".to_owned())),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            Action::Upsert(_) => "upsert",
            Action::Replace(_) => "replace",
            Action::Remove => "remove",
        };
        write!(f, "{action} `data.{}`", self.path.join("."))
    }
}

impl Operation {
    fn read(value: Json) -> Result<Self, String> {
        let Json::Object(mut members) = value else {
            return Err("must be an object".to_owned());
        };
        let (op, path) = (members.remove("op"), members.remove("path"));
        let value = members.remove("value");
        if let Some(name) = members.keys().next() {
            return Err(format!("`{name}` is no member of an operation"));
        }
        let path = match &path {
            Some(Json::String(text)) => names(text)?,
            _ => return Err("must have a `path`".to_owned()),
        };
        let given = || {
            value
                .clone()
                .ok_or_else(|| "must have a `value`".to_owned())
        };
        let action = match op.as_ref().and_then(Json::as_str) {
            Some("upsert") => Action::Upsert(given()?),
            Some("replace") => Action::Replace(given()?),
            Some("remove") => Action::Remove,
            _ => return Err("`op` must be `upsert`, `replace` or `remove`".to_owned()),
        };
        Ok(Self { action, path })
    }

    /// Adds to `moved` how many items of arrays it moves.
    fn apply(&self, root: &mut Json, moved: &mut usize) -> Result<(), String> {
        let Some((last, parents)) = self.path.split_last() else {
            return Err("`path` names nothing".to_owned());
        };
        let may_make = matches!(self.action, Action::Upsert(_));
        match reach(root, parents, may_make)? {
            Json::Object(members) => self.apply_to_member(members, last),
            Json::Array(items) => self.apply_to_item(items, last, moved),
            _ => Err(no_members(last)),
        }
    }

    fn apply_to_member(&self, members: &mut Map<String, Json>, name: &str) -> Result<(), String> {
        let is_there = members.contains_key(name);
        match &self.action {
            Action::Replace(_) | Action::Remove if !is_there => Err(missing(name)),
            Action::Upsert(value) | Action::Replace(value) => {
                members.insert(name.to_owned(), value.clone());
                Ok(())
            }
            Action::Remove => {
                members.remove(name);
                Ok(())
            }
        }
    }

    /// An upsert into an array inserts before the item of that index, or at the end (`-`).
    fn apply_to_item(
        &self,
        items: &mut Vec<Json>,
        name: &str,
        moved: &mut usize,
    ) -> Result<(), String> {
        let end = items.len();
        let index = if name == "-" { Some(end) } else { index(name) };
        if !matches!(self.action, Action::Replace(_)) {
            let behind = index.map_or(0, |index| end.saturating_sub(index));
            *moved = moved.saturating_add(behind);
        }
        if *moved > MAX_MOVED {
            return Err(format!("moves more than {MAX_MOVED} items of arrays"));
        }
        match (&self.action, index) {
            (Action::Upsert(value), Some(index)) if index <= end => {
                items.insert(index, value.clone());
                Ok(())
            }
            (Action::Replace(value), Some(index)) => {
                let item = items.get_mut(index).ok_or_else(|| missing(name))?;
                value.clone_into(item);
                Ok(())
            }
            (Action::Remove, Some(index)) if index < end => {
                items.remove(index);
                Ok(())
            }
            _ => Err(missing(name)),
        }
    }
}

/// What stands at `path`; with `may_make` objects are made where nothing stands.
fn reach<'j>(root: &'j mut Json, path: &[String], may_make: bool) -> Result<&'j mut Json, String> {
    let mut at = root;
    for name in path {
        at = match at {
            Json::Object(members) => {
                if may_make && !members.contains_key(name) {
                    members.insert(name.clone(), Json::Object(Map::new()));
                }
                members.get_mut(name).ok_or_else(|| missing(name))?
            }
            Json::Array(items) => index(name)
                .and_then(|index| items.get_mut(index))
                .ok_or_else(|| missing(name))?,
            _ => return Err(no_members(name)),
        };
    }
    Ok(at)
}

/// A path's names: percent-encoded, and before that written as in a JSON pointer (RFC 6901).
fn names(path: &str) -> Result<Vec<String>, String> {
    let trimmed = path.trim_matches('/');
    if trimmed.is_empty() {
        return Err("`path` names nothing: replace what is below `data` by its names".to_owned());
    }
    let decoded = |name: &str| {
        let name = percent_decode(name)?;
        Some(name.replace("~1", "/").replace("~0", "~"))
    };
    let names: Option<Vec<String>> = trimmed.split('/').map(decoded).collect();
    let names = names.ok_or_else(|| "`path` is not percent-encoded UTF-8".to_owned())?;
    if names.len() > MAX_NAMES {
        return Err(format!("`path` has more than {MAX_NAMES} names"));
    }
    Ok(names)
}

/// An array index as RFC 6901 section 4 has it.
fn index(name: &str) -> Option<usize> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_digit());
    let has_zeros = name.len() > 1 && name.starts_with('0');
    (is_plain && !has_zeros).then(|| name.parse().ok())?
}

fn missing(name: &str) -> String {
    format!("there is no `{name}`")
}

fn no_members(name: &str) -> String {
    format!("`{name}` would be below what is neither an object nor an array")
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;

//! A path below `data`, and what it leads to within a value.

use std::fmt;

use regorus::Value;

/// A path below `data`: names, as they are. The empty path is `data` itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference(Vec<String>);

impl Reference {
    /// The document that these names lead to, from `data`. Any text is a name.
    pub fn of(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().collect())
    }

    /// The document at `path`, plain names with dots between from `data` on.
    pub fn at(path: &str) -> Self {
        Self::of(path.split('.').skip(1).map(str::to_owned))
    }

    /// Whether it is `path`, plain names with dots between from `data` on.
    pub fn is(&self, path: &str) -> bool {
        let names = path.strip_prefix("data.").map(|names| names.split('.'));
        names.is_some_and(|names| names.eq(self.0.iter().map(String::as_str)))
    }

    /// The names.
    pub fn parts(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Reference {
    /// As Rego would write it: `data.shop["x-y"].allow`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("data")?;
        for part in &self.0 {
            write_part(f, part)?;
        }
        Ok(())
    }
}

/// One name of a reference as Rego writes it; only for what people and the engine's own table read.
pub(super) fn write_part(out: &mut impl fmt::Write, part: &str) -> fmt::Result {
    let is_name = part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name {
        write!(out, ".{part}")
    } else {
        write!(out, "[{}]", serde_json::Value::from(part))
    }
}

/// What `names` lead to within `value`: members by name, else by number; elements by their place;
/// members of a set by themselves.
pub(in crate::policy) fn descend(value: &Value, names: &[String]) -> Option<Value> {
    let mut at = value;
    for name in names {
        at = match at {
            Value::Object(members) => {
                let by_name = members.get(&Value::from(name.as_str()));
                by_name.or_else(|| members.get(&number(name)?))?
            }
            Value::Array(items) => items.get(place_of(name)?)?,
            Value::Set(items) => {
                let by_name = items.get(&Value::from(name.as_str()));
                by_name.or_else(|| items.get(&number(name)?))?
            }
            _ => return None,
        };
    }
    Some(at.clone())
}

/// As Go's `Atoi` reads it.
fn number(name: &str) -> Option<Value> {
    name.parse::<i64>().ok().map(Value::from)
}

fn place_of(name: &str) -> Option<usize> {
    name.parse::<i64>().ok()?.try_into().ok()
}

/// Puts `value` where `names` lead to within `whole`, making the objects on the way. Without a value,
/// or with one that is undefined, only these are made: the last name included where there is no value.
pub(in crate::policy) fn place(whole: &mut Value, names: &[String], value: Option<Value>) {
    match (names.split_first(), value) {
        (None, Some(Value::Undefined)) => {}
        (None, Some(value)) => *whole = value,
        (None, None) => {
            if whole.as_object().is_err() {
                *whole = Value::new_object();
            }
        }
        (Some((name, rest)), value) => {
            if whole.as_object().is_err() {
                *whole = Value::new_object();
            }
            let Ok(members) = whole.as_object_mut() else {
                return;
            };
            let name = Value::from(name.as_str());
            let is_last = rest.is_empty();
            if is_last && value == Some(Value::Undefined) {
                return;
            }
            let mut below = members.remove(&name).unwrap_or(Value::Undefined);
            place(&mut below, rest, value);
            members.insert(name, below);
        }
    }
}

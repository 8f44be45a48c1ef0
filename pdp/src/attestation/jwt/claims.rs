//! Claims into attributes: text, whole numbers and truth values, alone or in a list.
//!
//! A claim of another shape is an error, never absence: two readers that disagree about it are how a
//! token speaks for somebody else.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::attestation::{AttributeError, Attributes};

/// One claim, or several of a kind, and the attributes that they become.
#[derive(Debug, Clone, Copy)]
pub(super) enum Claim {
    /// The member at `path`, as `attribute`.
    One {
        path: &'static [&'static str],
        attribute: &'static str,
        is_needed: bool,
    },
    /// Every member of the object at `path`, by its own name; of an object in it, `name.member`.
    Below(&'static [&'static str]),
    /// Every claim whose name begins so, by its own name.
    Prefixed(&'static str),
}

impl Claim {
    pub(super) const fn needed(path: &'static [&'static str], attribute: &'static str) -> Self {
        Self::One {
            path,
            attribute,
            is_needed: true,
        }
    }

    pub(super) const fn known(path: &'static [&'static str], attribute: &'static str) -> Self {
        Self::One {
            path,
            attribute,
            is_needed: false,
        }
    }

    pub(super) const fn all_below(path: &'static [&'static str]) -> Self {
        Self::Below(path)
    }

    pub(super) const fn all_named(prefix: &'static str) -> Self {
        Self::Prefixed(prefix)
    }
}

/// A claim that repeats attributes: `prefix`, then their values with colons between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub(super) prefix: &'static str,
    pub(super) attributes: &'static [&'static str],
}

impl Named {
    /// Whether `text` says the same as the attributes.
    pub(super) fn agrees(&self, text: &str, attributes: &Attributes) -> bool {
        let values: Option<Vec<&str>> = self
            .attributes
            .iter()
            .map(|name| attributes.single(name))
            .collect();
        values.is_some_and(|values| text.strip_prefix(self.prefix) == Some(&values.join(":")))
    }
}

/// Why claims cannot be read as a platform's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClaimError {
    /// One that this platform always tells.
    #[error("claim `{0}` is missing")]
    Missing(String),
    /// One that is neither text, whole number or truth value, nor a list of these.
    #[error("claim `{0}` has the wrong type")]
    Type(String),
    /// One whose text nobody should match or log, or too many of them.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
}

/// Tells `attributes` what `claim` says in `claims`.
pub(super) fn tell(
    claim: Claim,
    claims: &Map<String, Value>,
    attributes: &mut Attributes,
) -> Result<(), ClaimError> {
    match claim {
        Claim::One {
            path,
            attribute,
            is_needed,
        } => match at(path, claims)? {
            // What is told as nothing (`null`, an empty text or list) is not told.
            Some(value) if !is_nothing(value) => {
                tell_value(&path.join("."), attribute, value, attributes)
            }
            _ if is_needed => Err(ClaimError::Missing(path.join("."))),
            _ => Ok(()),
        },
        Claim::Below(path) => match at(path, claims)? {
            None => Ok(()),
            Some(Value::Object(members)) => tell_all(&path.join("."), "", members, attributes),
            Some(_) => Err(ClaimError::Type(path.join("."))),
        },
        Claim::Prefixed(prefix) => {
            let mine = claims.iter().filter(|(name, _)| name.starts_with(prefix));
            for (name, value) in mine.filter(|(_, value)| !is_nothing(value)) {
                tell_value(name, name, value, attributes)?;
            }
            Ok(())
        }
    }
}

/// Tells the claim that the configuration names, wherever an issuer put it at the top.
pub(in crate::attestation) fn tell_named(
    name: &str,
    claims: &Map<String, Value>,
    attributes: &mut Attributes,
) -> Result<(), ClaimError> {
    match claims.get(name) {
        Some(value) if !is_nothing(value) => tell_value(name, name, value, attributes),
        _ => Ok(()),
    }
}

fn at<'c>(path: &[&str], claims: &'c Map<String, Value>) -> Result<Option<&'c Value>, ClaimError> {
    let Some((last, parents)) = path.split_last() else {
        return Ok(None);
    };
    let mut members = claims;
    for name in parents {
        members = match members.get(*name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(inner)) => inner,
            Some(_) => return Err(ClaimError::Type(path.join("."))),
        };
    }
    Ok(members.get(*last))
}

/// All members, those of objects in it by both names; deeper ones are an error.
fn tell_all(
    path: &str,
    prefix: &str,
    members: &Map<String, Value>,
    attributes: &mut Attributes,
) -> Result<(), ClaimError> {
    for (name, value) in members {
        let attribute = format!("{prefix}{name}");
        match value {
            Value::Object(inner) if prefix.is_empty() => {
                tell_all(
                    &format!("{path}.{name}"),
                    &format!("{name}."),
                    inner,
                    attributes,
                )?;
            }
            value if is_nothing(value) => {}
            // Told already under a name of ours.
            _ if !attributes.values(&attribute).is_empty() => {}
            value => tell_value(&format!("{path}.{name}"), &attribute, value, attributes)?,
        }
    }
    Ok(())
}

fn tell_value(
    path: &str,
    attribute: &str,
    value: &Value,
    attributes: &mut Attributes,
) -> Result<(), ClaimError> {
    match value {
        Value::Array(values) => {
            for value in values {
                let text = text(value).ok_or_else(|| ClaimError::Type(path.to_owned()))?;
                attributes.tell(attribute, text)?;
            }
            Ok(())
        }
        value => {
            let text = text(value).ok_or_else(|| ClaimError::Type(path.to_owned()))?;
            Ok(attributes.tell(attribute, text)?)
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(holds) => Some(holds.to_string()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        _ => None,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}

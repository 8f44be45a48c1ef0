//! Selectors: which attributes a workload must have, each with the values that will do.

use std::collections::BTreeMap;

use thiserror::Error;

use super::pattern::{Pattern, PatternError};
use crate::attestation::{Attributes, MAX_TEXT_BYTES};

/// The most attributes that selectors name.
pub const MAX_SELECTORS: usize = 32;
/// The most alternatives of one attribute.
pub const MAX_ALTERNATIVES: usize = 64;

/// Attributes with patterns. They hold where each of them has a value that one of its alternatives
/// matches. An attribute that was not told has no value, so that it never holds; of one with
/// several values (groups, say) one is enough, as one alternative is.
///
/// INVARIANT: at least one attribute, each once, in order of their names; at least one of them has an
/// alternative, and all its alternatives have literal text: selectors of nothing but wildcards would
/// hold for everybody whom the provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selectors(Box<[Selector]>);

/// One attribute, and the patterns of which one must match one of its values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    name: Box<str>,
    alternatives: Box<[Pattern]>,
}

/// What is wrong with selectors.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SelectorsError {
    /// No attribute is named.
    #[error("no attribute is named: name those that only this workload has")]
    None,
    /// More than [`MAX_SELECTORS`].
    #[error("more than {MAX_SELECTORS} attributes are named")]
    TooMany,
    /// An empty name, or one that no attribute can have.
    #[error(
        "`{0}` cannot be the name of an attribute: it is empty, too long, or has control characters"
    )]
    Name(String),
    /// No pattern is given for this attribute.
    #[error("`{0}` has no value: give one, or a list of alternatives")]
    NoAlternative(String),
    /// More than [`MAX_ALTERNATIVES`] are given.
    #[error("`{0}` has more than {MAX_ALTERNATIVES} alternatives")]
    TooManyAlternatives(String),
    /// The same pattern is given twice.
    #[error("`{name}` has `{pattern}` twice")]
    Twice {
        /// The attribute.
        name: String,
        /// The pattern.
        pattern: String,
    },
    /// The text is no pattern.
    #[error("`{name}`, `{pattern}`: {error}")]
    Pattern {
        /// The attribute.
        name: String,
        /// The text.
        pattern: String,
        /// What is wrong with it.
        error: PatternError,
    },
    /// Wildcards, and nothing else.
    #[error(
        "every attribute may have any value: that is everybody whom the provider vouches for; give at least one attribute a value, in each of its alternatives"
    )]
    Everybody,
}

impl Selectors {
    /// Reads attributes with the texts of their alternatives.
    pub fn new(named: BTreeMap<String, Vec<String>>) -> Result<Self, SelectorsError> {
        if named.is_empty() {
            return Err(SelectorsError::None);
        }
        if named.len() > MAX_SELECTORS {
            return Err(SelectorsError::TooMany);
        }
        let selectors = named
            .into_iter()
            .map(|(name, texts)| Selector::new(name, texts))
            .collect::<Result<Box<[Selector]>, _>>()?;
        let binds = |selector: &Selector| selector.alternatives.iter().all(Pattern::has_literal);
        if !selectors.iter().any(binds) {
            return Err(SelectorsError::Everybody);
        }
        Ok(Self(selectors))
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Selector> {
        self.0.iter()
    }

    /// Whether all hold.
    pub fn hold(&self, attributes: &Attributes) -> bool {
        self.first_that_fails(attributes).is_none()
    }

    /// The first that does not hold, by name.
    pub fn first_that_fails(&self, attributes: &Attributes) -> Option<&Selector> {
        self.iter().find(|selector| !selector.holds(attributes))
    }

    /// Whether these surely do not hold where `other` does not: each attribute of `other` is named
    /// here as well, and no alternative here reaches beyond those there.
    pub fn imply(&self, other: &Self) -> bool {
        other.iter().all(|theirs| {
            self.iter()
                .any(|ours| ours.name == theirs.name && theirs.covers(ours))
        })
    }
}

impl Selector {
    fn new(name: String, texts: Vec<String>) -> Result<Self, SelectorsError> {
        if name.is_empty() || name.len() > MAX_TEXT_BYTES || name.chars().any(char::is_control) {
            return Err(SelectorsError::Name(name));
        }
        if texts.is_empty() {
            return Err(SelectorsError::NoAlternative(name));
        }
        if texts.len() > MAX_ALTERNATIVES {
            return Err(SelectorsError::TooManyAlternatives(name));
        }
        let mut alternatives = Vec::with_capacity(texts.len());
        for text in texts {
            let pattern = match text.parse::<Pattern>() {
                Ok(pattern) => pattern,
                Err(error) => {
                    let pattern = text;
                    return Err(SelectorsError::Pattern {
                        name,
                        pattern,
                        error,
                    });
                }
            };
            if alternatives.contains(&pattern) {
                let pattern = text;
                return Err(SelectorsError::Twice { name, pattern });
            }
            alternatives.push(pattern);
        }
        // In one order, so that selectors that say the same are equal.
        alternatives.sort_unstable();
        Ok(Self {
            name: name.into_boxed_str(),
            alternatives: alternatives.into_boxed_slice(),
        })
    }

    /// The attribute.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The patterns of which one must match.
    pub fn alternatives(&self) -> &[Pattern] {
        &self.alternatives
    }

    /// Whether one of the attribute's values is matched by one of the alternatives; or each of them, where
    /// [`Attributes::is_each`].
    pub fn holds(&self, attributes: &Attributes) -> bool {
        let values = attributes.values(&self.name);
        let will_do = |value: &String| self.alternatives.iter().any(|one| one.matches(value));
        if attributes.is_each(&self.name) {
            return !values.is_empty() && values.iter().all(will_do);
        }
        values.iter().any(will_do)
    }

    /// Whether each alternative of `other` is covered by one of these.
    fn covers(&self, other: &Self) -> bool {
        let covered = |pattern: &Pattern| self.alternatives.iter().any(|ours| ours.covers(pattern));
        other.alternatives.iter().all(covered)
    }
}

#[cfg(test)]
#[path = "selectors_tests.rs"]
mod tests;

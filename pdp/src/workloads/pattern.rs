//! A pattern of one attribute's value: a text, in which `*` and `**` stand for runs of it.
//!
//! - Without `*`: the very text, byte for byte, in its case.
//! - `*`: any run, also none, of characters other than `/` and `:`. These part the texts that
//!   platforms tell (`owner/repository`, `repo:…:ref:…`, `arn:aws:…`), so that `*` never reaches out
//!   of the part that it stands in: `octo/*` is each repository of `octo`, on no ref but those named.
//! - `**`: any run, also none, of all characters.
//!
//! What this is not: a regular expression, or another vendor's condition language. There is nothing
//! for a single character, no class, no negation and no way to mean a literal `*`: what an attribute
//! may be is to be read off its pattern without a manual.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::attestation::MAX_TEXT_BYTES;

/// The most `*` and `**` of one pattern.
pub const MAX_WILDCARDS: usize = 8;

/// A pattern that was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    text: Box<str>,
    /// None where the text is to be matched as it is.
    parts: Option<Box<[Part]>>,
}

/// INVARIANT: a literal is never empty, and two wildcards are never neighbours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    Literal(Box<str>),
    /// `*`
    Within,
    /// `**`
    Across,
}

/// The text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PatternError {
    /// No text at all: no attribute is empty.
    #[error("an empty text matches nothing, for no attribute is empty")]
    Empty,
    /// More than [`MAX_TEXT_BYTES`].
    #[error("longer than {MAX_TEXT_BYTES} bytes, as no attribute is")]
    TooLong,
    /// Line feeds and their like, which no attribute has.
    #[error("has a control character, as no attribute has")]
    Control,
    /// `?`, which elsewhere stands for one character.
    #[error(
        "`?` has no meaning here: write the text out, or `*` for any run without `/` and `:`, `**` for any run"
    )]
    QuestionMark,
    /// `***`
    #[error("`***` has no meaning: `*` is any run without `/` and `:`, `**` is any run")]
    Stars,
    /// More than [`MAX_WILDCARDS`].
    #[error("more than {MAX_WILDCARDS} times `*` or `**`: write several alternatives instead")]
    TooManyWildcards,
}

impl Pattern {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The only text that it matches; none where there is a wildcard.
    pub fn exact(&self) -> Option<&str> {
        self.parts.is_none().then_some(&*self.text)
    }

    /// Whether any text of a value must be as written: not so for `*` and `**` alone.
    pub fn has_literal(&self) -> bool {
        self.literals().next().is_some()
    }

    /// What every value that matches begins with; empty where the pattern begins with a wildcard.
    pub fn literal_prefix(&self) -> &str {
        match self.parts.as_deref() {
            None => &self.text,
            Some([Part::Literal(prefix), ..]) => prefix,
            Some(_) => "",
        }
    }

    /// Whether `value` is one that the pattern stands for.
    pub fn matches(&self, value: &str) -> bool {
        self.parts.as_deref().map_or(value == &*self.text, |parts| {
            parts_match(parts, value.as_bytes())
        })
    }

    /// Whether every value that `other` matches is surely matched by this one. `false` may also
    /// mean that it was not seen: only plain cases are (the same text, an exact value, `text**`).
    pub fn covers(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        if let Some(exact) = other.exact() {
            return self.matches(exact);
        }
        match self.parts.as_deref() {
            Some([Part::Across]) => true,
            Some([Part::Literal(prefix), Part::Across]) => {
                other.literal_prefix().starts_with(&**prefix)
            }
            _ => false,
        }
    }

    fn literals(&self) -> impl Iterator<Item = &str> {
        let whole = self.exact().into_iter();
        let parts = self.parts.as_deref().unwrap_or_default().iter();
        whole.chain(parts.filter_map(|part| match part {
            Part::Literal(text) => Some(&**text),
            Part::Within | Part::Across => None,
        }))
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > MAX_TEXT_BYTES {
            return Err(PatternError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(PatternError::Control);
        }
        if text.contains('?') {
            return Err(PatternError::QuestionMark);
        }
        if text.contains("***") {
            return Err(PatternError::Stars);
        }
        let parts = text.contains('*').then(|| parts_of(text));
        let is_wildcard = |part: &&Part| !matches!(part, Part::Literal(_));
        if parts.iter().flatten().filter(is_wildcard).count() > MAX_WILDCARDS {
            return Err(PatternError::TooManyWildcards);
        }
        Ok(Self {
            text: text.into(),
            parts: parts.map(Vec::into_boxed_slice),
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The parts of a text without `***`.
fn parts_of(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for (number, across) in text.split("**").enumerate() {
        if number > 0 {
            parts.push(Part::Across);
        }
        for (number, literal) in across.split('*').enumerate() {
            if number > 0 {
                parts.push(Part::Within);
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.into()));
            }
        }
    }
    parts
}

/// Whether `parts` match all of `value`: after each part, which places of the value can be reached.
///
/// INVARIANT: the work is at the most length of the value times number of parts, each step the
/// comparison of a literal: no value, however odd, makes it more.
fn parts_match(parts: &[Part], value: &[u8]) -> bool {
    match parts {
        [Part::Literal(prefix), Part::Across] => return value.starts_with(prefix.as_bytes()),
        [Part::Literal(prefix), ..] if !value.starts_with(prefix.as_bytes()) => return false,
        [.., Part::Literal(suffix)] if !value.ends_with(suffix.as_bytes()) => return false,
        _ => {}
    }
    let mut reached = vec![false; value.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for part in parts {
        match part {
            Part::Literal(text) => reached = beyond(text.as_bytes(), value, &reached),
            Part::Within => spread(&mut reached, value, |byte| !matches!(byte, b'/' | b':')),
            Part::Across => spread(&mut reached, value, |_| true),
        }
    }
    reached.last().copied().unwrap_or_default()
}

/// The ends of `text` in `value`, where it begins at a place that was reached.
fn beyond(text: &[u8], value: &[u8], reached: &[bool]) -> Vec<bool> {
    let mut ends = vec![false; reached.len()];
    for (at, _) in reached.iter().enumerate().filter(|(_, is)| **is) {
        let fits = value.get(at..).is_some_and(|rest| rest.starts_with(text));
        if fits && let Some(end) = ends.get_mut(at + text.len()) {
            *end = true;
        }
    }
    ends
}

/// Reaches from each place to those that a wildcard of bytes that it `takes` leads to.
fn spread(reached: &mut [bool], value: &[u8], takes: impl Fn(u8) -> bool) {
    let mut before = false;
    let bytes = std::iter::once(None).chain(value.iter().map(|byte| Some(*byte)));
    for (place, byte) in reached.iter_mut().zip(bytes) {
        *place |= before && byte.is_some_and(&takes);
        before = *place;
    }
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;

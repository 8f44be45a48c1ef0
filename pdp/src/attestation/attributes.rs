//! What a platform vouches for, in its own words: names with texts.

use std::collections::{BTreeMap, BTreeSet, btree_map};

use thiserror::Error;

/// The most attributes that one workload is given.
pub const MAX_ATTRIBUTES: usize = 256;
/// The most values of one attribute.
pub const MAX_VALUES: usize = 256;
/// The longest name or value, in bytes.
pub const MAX_TEXT_BYTES: usize = 2048;

/// Attested attributes: each name with one value or more, in the order in which they were told.
///
/// INVARIANT: whatever is in here was covered by a proof that was checked. Nothing that merely came
/// along with the evidence is put in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    told: BTreeMap<String, Vec<String>>,
    /// Those of which each value must be as selectors have it.
    each: BTreeSet<&'static str>,
}

/// More than is taken, or text that nobody should match or log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AttributeError {
    /// More than [`MAX_ATTRIBUTES`] names, or [`MAX_VALUES`] values of one.
    #[error("more attributes than are taken")]
    TooMany,
    /// A value that is empty, longer than [`MAX_TEXT_BYTES`], or has control characters.
    #[error("attribute `{0}` is empty, too long, or has control characters")]
    Value(String),
}

impl Attributes {
    /// Adds one value of `name`. A name may be told several times: it then has several values.
    pub fn tell(&mut self, name: &str, value: impl Into<String>) -> Result<(), AttributeError> {
        let value = value.into();
        let is_taken = !value.is_empty()
            && value.len() <= MAX_TEXT_BYTES
            && !value.chars().any(char::is_control);
        if !is_taken {
            return Err(AttributeError::Value(name.to_owned()));
        }
        if self.told.len() >= MAX_ATTRIBUTES && !self.told.contains_key(name) {
            return Err(AttributeError::TooMany);
        }
        let values = self.told.entry(name.to_owned()).or_default();
        if values.len() >= MAX_VALUES {
            return Err(AttributeError::TooMany);
        }
        values.push(value);
        Ok(())
    }

    /// Adds one value of `name`, of which not one value counts but all: of the images in a pod, say, where
    /// one that is known says nothing of the others.
    pub fn tell_each(
        &mut self,
        name: &'static str,
        value: impl Into<String>,
    ) -> Result<(), AttributeError> {
        self.each.insert(name);
        self.tell(name, value)
    }

    /// Whether all values of `name` must be as selectors have it, and not only one.
    pub fn is_each(&self, name: &str) -> bool {
        self.each.contains(name)
    }

    /// The values of `name`; none where the platform did not tell it.
    pub fn values(&self, name: &str) -> &[String] {
        self.told.get(name).map_or(&[], Vec::as_slice)
    }

    /// The value of `name`, where it has exactly one.
    pub fn single(&self, name: &str) -> Option<&str> {
        match self.values(name) {
            [only] => Some(only),
            _ => None,
        }
    }

    /// All of them, by name.
    pub fn iter(&self) -> btree_map::Iter<'_, String, Vec<String>> {
        self.told.iter()
    }
}

impl<'a> IntoIterator for &'a Attributes {
    type Item = (&'a String, &'a Vec<String>);
    type IntoIter = btree_map::Iter<'a, String, Vec<String>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_never_empty_and_of_several_values_none_is_the_single_one() {
        let mut attributes = Attributes::default();
        for bad in [
            String::new(),
            "a\nb".to_owned(),
            "a".repeat(MAX_TEXT_BYTES + 1),
        ] {
            attributes.tell("name", bad).unwrap_err();
        }
        assert!(attributes.values("name").is_empty());
        attributes.tell("name", "a").unwrap();
        assert_eq!(attributes.single("name"), Some("a"));
        attributes.tell("name", "b").unwrap();
        assert_eq!(attributes.single("name"), None);
        assert_eq!(attributes.values("name"), ["a", "b"]);
    }

    #[test]
    fn a_platform_cannot_tell_more_than_is_taken() {
        let mut attributes = Attributes::default();
        for number in 0..MAX_ATTRIBUTES {
            attributes.tell(&number.to_string(), "a").unwrap();
        }
        assert_eq!(attributes.tell("more", "a"), Err(AttributeError::TooMany));
        for _ in 1..MAX_VALUES {
            attributes.tell("0", "a").unwrap();
        }
        assert_eq!(attributes.tell("0", "a"), Err(AttributeError::TooMany));
    }
}

//! The parts of `data` that a policy bundle speaks for: its manifest's `roots`.
//!
//! INVARIANT: no root lies within another, so that each part of `data` has one owner.

use serde_json::{Map, Value as Json};
use thiserror::Error;

/// Roots one bundle may have.
const MAX_ROOTS: usize = 1024;

/// Paths below `data`, each as its names; one that is empty is all of `data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots(Vec<Vec<String>>);

/// Why roots are none, or what is outside of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RootsError {
    /// Two of them say who owns the same part.
    #[error("roots `{0}` and `{1}` overlap: keep the wider one")]
    Within(String, String),
    /// One with an empty name in it.
    #[error("root `{0}` has an empty name: write names with one `/` between two")]
    EmptyName(String),
    /// More than anybody needs.
    #[error("more than {MAX_ROOTS} roots")]
    TooMany,
    /// Data that this bundle has no say in.
    #[error("`data.{0}` is outside of the bundle's roots ({1})")]
    Outside(String, String),
}

impl Default for Roots {
    /// All of `data`: what a bundle without a manifest speaks for.
    fn default() -> Self {
        Self(vec![Vec::new()])
    }
}

impl Roots {
    /// Reads roots as a manifest has them: names with `/` between two, slashes around them allowed.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, RootsError> {
        let mut roots: Vec<Vec<String>> = Vec::new();
        for text in texts {
            let trimmed = text.trim_matches('/');
            let names = trimmed.split('/').filter(|_| !trimmed.is_empty());
            let root: Vec<String> = names.map(str::to_owned).collect();
            if root.iter().any(String::is_empty) {
                return Err(RootsError::EmptyName(text.to_owned()));
            }
            if let Some(other) = roots.iter().find(|other| overlap(other, &root)) {
                return Err(RootsError::Within(other.join("/"), root.join("/")));
            }
            roots.push(root);
            if roots.len() > MAX_ROOTS {
                return Err(RootsError::TooMany);
            }
        }
        Ok(Self(roots))
    }

    /// A part of `data` that both speak for.
    pub fn shared(&self, other: &Self) -> Option<String> {
        let mut pairs = self.0.iter().flat_map(|own| {
            let others = other.0.iter();
            others.map(move |theirs| (own, theirs))
        });
        let (own, theirs) = pairs.find(|(own, theirs)| overlap(own, theirs))?;
        let longer = if own.len() > theirs.len() {
            own
        } else {
            theirs
        };
        Some(longer.join("/"))
    }

    /// Whether they speak for `path`, names below `data`.
    pub fn have<'a>(&self, path: impl IntoIterator<Item = &'a str, IntoIter: Clone>) -> bool {
        let path = path.into_iter();
        let mut roots = self.0.iter();
        roots.any(|root| {
            let mut path = path.clone();
            root.iter().all(|name| path.next() == Some(name))
        })
    }

    /// Refuses a document with a value that they do not speak for.
    pub(super) fn check(&self, data: &Map<String, Json>) -> Result<(), RootsError> {
        self.check_below(data, &mut Vec::new())
    }

    fn check_below(
        &self,
        members: &Map<String, Json>,
        path: &mut Vec<String>,
    ) -> Result<(), RootsError> {
        for (name, value) in members {
            path.push(name.clone());
            if !self.have(path.iter().map(String::as_str)) {
                let leads = |root: &Vec<String>| root.starts_with(path);
                match value {
                    Json::Object(below) if self.0.iter().any(leads) => {
                        self.check_below(below, path)?;
                    }
                    _ => return Err(self.outside(path.join("."))),
                }
            }
            path.pop();
        }
        Ok(())
    }

    /// What to say of `place`, dotted, which they do not speak for.
    pub(super) fn outside(&self, place: String) -> RootsError {
        let roots: Vec<String> = self.texts().collect();
        RootsError::Outside(place, roots.join(", "))
    }

    /// As a manifest has them.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|root| root.join("/"))
    }
}

fn overlap(a: &[String], b: &[String]) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn roots(texts: &[&str]) -> Roots {
        Roots::parse(texts.iter().copied()).unwrap()
    }

    #[test]
    fn a_root_within_another_is_refused_and_names_that_begin_alike_are_not_one() {
        for (texts, ok) in [
            (&["a/b", "a/c"][..], true),
            (&["a", "ab"], true),
            (&["a", "a/b"], false),
            (&["a/b", "a"], false),
            (&["", "a"], false),
            (&["a", "/a/"], false),
            (&["a//b"], false),
            (&[], true),
        ] {
            let parsed = Roots::parse(texts.iter().copied());
            assert_eq!(parsed.is_ok(), ok, "{texts:?}: {parsed:?}");
        }
        assert_eq!(
            roots(&["a/b", "c"]).shared(&roots(&["a"])),
            Some("a/b".into())
        );
        assert_eq!(roots(&["a/b"]).shared(&roots(&["a/c", "d"])), None);
        assert_eq!(roots(&[""]).shared(&roots(&["d"])), Some("d".into()));
        assert_eq!(roots(&[]).shared(&roots(&[""])), None);
    }

    #[test]
    fn data_outside_of_the_roots_is_named() {
        let check = |texts: &[&str], data: Json| {
            let checked = roots(texts).check(data.as_object().unwrap());
            checked.map_err(|error| error.to_string())
        };
        assert_eq!(check(&[""], json!({"x": 1})), Ok(()));
        assert_eq!(check(&["a/b"], json!({"a": {"b": 1}})), Ok(()));
        assert_eq!(check(&["a/b"], json!({"a": {}})), Ok(()));
        let outside = check(&["a/b", "c"], json!({"a": {"b": 1, "x": 2}, "c": 3}));
        assert!(outside.unwrap_err().contains("`data.a.x`"));
        assert!(check(&["a/b"], json!({"a": 1})).is_err());
        assert!(check(&[], json!({"a": {}})).is_err());
    }
}

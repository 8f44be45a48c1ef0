//! Which parts of a question the policy can read: what tells two questions apart, and no more.
//!
//! A tree over member names. It is computed by the PDP from the policy (`pdp/src/policy/footprint/`),
//! told to the filter by the sync feed as `vary`, and used by both in the same way: the policy is
//! evaluated on the *projection* of its input and a decision is remembered under the canonical
//! bytes of that projection ([`crate::cache_key`]). So a decision is a function of its key, however
//! wrong the footprint may be.
//!
//! On the wire: `true` is a whole subtree, an object names members: `{"subject":{"id":true}}`.

use std::fmt::Write as _;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use thiserror::Error;

/// What may be read of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Footprint {
    /// All of it.
    Whole,
    /// If it is an object, these members of it and no other; if it is not, all of it: whether
    /// something is an object can be told by asking for a member. Without any member, only that.
    Members(Parts),
}

/// Members by name, each once and in the order of their names. A list and not a map: they are few,
/// and a map of its own takes six kilobytes of the filter's module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts(Vec<(String, Footprint)>);

/// A value that is no footprint: neither `true` nor an object of footprints. Says where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("must be `true` or an object of such: `{0}` is neither")]
pub struct FootprintError(String);

impl FootprintError {
    fn below(self, name: &str) -> Self {
        if self.0.is_empty() {
            Self(name.to_owned())
        } else {
            Self([name, &self.0].join("."))
        }
    }
}

impl Footprint {
    /// Nothing is read.
    pub fn nothing() -> Self {
        Self::Members(Parts::default())
    }

    /// Adds everything below `path`, an empty one being all there is. It only ever widens.
    pub fn widen<'p>(&mut self, path: impl IntoIterator<Item = &'p str>) {
        self.add(&mut path.into_iter(), &Self::Whole);
    }

    /// Adds that `path` is asked for and no member of it: whether it is there, and its value when that
    /// is no object.
    pub fn touch<'p>(&mut self, path: impl IntoIterator<Item = &'p str>) {
        self.add(&mut path.into_iter(), &Self::nothing());
    }

    /// Adds `end`, which is all or nothing, at `path`.
    fn add(&mut self, path: &mut dyn Iterator<Item = &str>, end: &Self) {
        let Some(name) = path.next() else {
            if *end == Self::Whole {
                *self = Self::Whole;
            }
            return;
        };
        let Self::Members(members) = self else { return };
        if let Some((_, part)) = members.0.iter_mut().find(|(other, _)| other == name) {
            part.add(path, end);
        } else {
            let mut part = Self::nothing();
            part.add(path, end);
            members.put(name, part);
        }
    }

    /// What may be read of the member `name`; none is nothing at all.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Whole => Some(&Self::Whole),
            Self::Members(members) => members.get(name),
        }
    }

    /// What may be read at `path`; none is nothing at all.
    pub fn at<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Option<&Self> {
        path.into_iter()
            .try_fold(self, |place, name| place.member(name))
    }

    /// The part of `value` that may be read.
    #[must_use]
    pub fn project(&self, value: Value) -> Value {
        match (self, value) {
            (Self::Members(tracked), Value::Object(mut members)) => {
                let mut kept = Map::new();
                for (name, part) in tracked.iter() {
                    if let Some(value) = members.remove(name) {
                        kept.insert(name.clone(), part.project(value));
                    }
                }
                Value::Object(kept)
            }
            (_, value) => value,
        }
    }

    /// The paths below which everything may be read, such as `subject.id`, in order; an empty one is
    /// the whole.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect(&mut String::new(), &mut paths);
        paths
    }

    /// Reads the wire form.
    pub fn from_json(value: &Value) -> Result<Self, FootprintError> {
        match value {
            Value::Bool(true) => Ok(Self::Whole),
            Value::Object(members) => {
                let mut parts = Parts::default();
                for (name, value) in members {
                    let part = Self::from_json(value).map_err(|error| error.below(name))?;
                    parts.put(name, part);
                }
                Ok(Self::Members(parts))
            }
            _ => Err(FootprintError(String::new())),
        }
    }

    fn collect(&self, prefix: &mut String, paths: &mut Vec<String>) {
        let Self::Members(members) = self else {
            paths.push(prefix.clone());
            return;
        };
        let length = prefix.len();
        for (name, part) in members.iter() {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if !name.is_empty() && name.bytes().all(plain) {
                prefix.push_str(if length == 0 { "" } else { "." });
                prefix.push_str(name);
            } else {
                // As Rego writes it; a `String` takes whatever is written.
                let _ = write!(prefix, "[{}]", Value::from(name.as_str()));
            }
            part.collect(prefix, paths);
            prefix.truncate(length);
        }
    }
}

impl Parts {
    /// The members' names.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(name, _)| name)
    }

    /// Names and parts.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Footprint)> {
        self.0.iter().map(|(name, part)| (name, part))
    }

    /// What may be read of the member `name`.
    pub fn get(&self, name: &str) -> Option<&Footprint> {
        self.iter()
            .find(|(other, _)| *other == name)
            .map(|(_, part)| part)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn put(&mut self, name: &str, part: Footprint) {
        let place = self.0.partition_point(|(other, _)| other.as_str() < name);
        self.0.insert(place, (name.to_owned(), part));
    }
}

impl Serialize for Footprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole => serializer.serialize_bool(true),
            Self::Members(members) => {
                let mut map = serializer.serialize_map(None)?;
                for (name, part) in members.iter() {
                    map.serialize_entry(name, part)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn footprint(paths: &[&[&str]]) -> Footprint {
        let mut footprint = Footprint::nothing();
        for path in paths {
            footprint.widen(path.iter().copied());
        }
        footprint
    }

    #[test]
    fn it_only_ever_widens() {
        let wide = footprint(&[&["a", "b"], &["a"], &["a", "c"]]);
        assert_eq!(wide, footprint(&[&["a"]]));
        assert_eq!(footprint(&[&["a"], &[]]), Footprint::Whole);
        let mut touched = footprint(&[&["a", "b"]]);
        touched.touch(["a", "b", "c"]);
        touched.touch(["a"]);
        assert_eq!(touched, footprint(&[&["a", "b"]]));
        touched.touch(["d"]);
        assert_eq!(touched.at(["d"]), Some(&Footprint::nothing()));
        assert_eq!(wide.paths(), ["a"]);
        assert_eq!(
            footprint(&[&["a", "x-y"], &["a", "b"], &["c"]]).paths(),
            ["a.b", r#"a["x-y"]"#, "c"]
        );
    }

    #[test]
    fn a_projection_keeps_what_may_be_read_and_tells_missing_null_and_empty_apart() {
        let narrow = footprint(&[&["a", "b"], &["c"]]);
        for (whole, kept) in [
            (
                json!({"a": {"b": 1, "x": 2}, "c": [1], "y": 3}),
                json!({"a": {"b": 1}, "c": [1]}),
            ),
            (json!({"a": {"b": null}}), json!({"a": {"b": null}})),
            (json!({"a": {"x": 2}}), json!({"a": {}})),
            (json!({"a": "text"}), json!({"a": "text"})),
            (json!({"a": [1]}), json!({"a": [1]})),
            (json!({}), json!({})),
            (json!(7), json!(7)),
        ] {
            assert_eq!(narrow.project(whole), kept);
        }
    }

    #[test]
    fn what_is_no_footprint_is_refused_by_its_place() {
        for (wire, place) in [
            (json!(false), "``"),
            (json!({"a": {"b": 1}}), "`a.b`"),
            (json!({"a": null}), "`a`"),
        ] {
            let error = Footprint::from_json(&wire).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }

    fn any_footprint() -> impl Strategy<Value = Footprint> {
        let leaf = prop_oneof![Just(Footprint::Whole), Just(Footprint::nothing())];
        leaf.prop_recursive(4, 16, 3, |inner| {
            prop::collection::btree_map("[ab.\"\\PC]{0,2}", inner, 0..3).prop_map(|members| {
                let mut parts = Parts::default();
                for (name, part) in members {
                    parts.put(&name, part);
                }
                Footprint::Members(parts)
            })
        })
    }

    proptest! {
        #[test]
        fn what_is_told_is_what_is_read(footprint in any_footprint()) {
            let wire = serde_json::to_value(&footprint).unwrap();
            prop_assert_eq!(Footprint::from_json(&wire).unwrap(), footprint);
        }
    }
}

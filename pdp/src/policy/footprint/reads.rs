//! What was found to be read, and where: the analysis' result while it grows.
//!
//! It only ever grows. It does not know how a policy is walked.

use std::collections::{BTreeMap, BTreeSet};

use edgeward_core::footprint::Footprint;

use super::super::gate::paths::Path;
use super::analysis::{Analysis, Place, Uncacheable, Why, Widening};
use super::builtins::{self, Depends};
use super::origin::{Document, Origin};

/// Parts of a question that the decision contract makes objects: reading one whole reads members
/// that the policy does not name.
const OBJECTS: [&[&str]; 10] = [
    &["subject"],
    &["subject", "properties"],
    &["subject", "properties", "claims"],
    &["action"],
    &["resource"],
    &["resource", "properties"],
    &["resource", "properties", "headers"],
    &["resource", "properties", "query"],
    &["context"],
    &["context", "source"],
];

/// Everything read so far.
pub(super) struct Reads {
    input: Footprint,
    data: Footprint,
    /// Places in `input` that the policy names, whatever is then done with them.
    named: BTreeSet<Path>,
    /// Places in `input` read with all that is in them, with where and why.
    whole: BTreeMap<Path, BTreeSet<(Place, Why)>>,
    clock: Option<Place>,
    uncacheable: Option<Uncacheable>,
}

impl Reads {
    pub(super) fn new() -> Self {
        Self {
            input: Footprint::nothing(),
            data: Footprint::nothing(),
            named: BTreeSet::new(),
            whole: BTreeMap::new(),
            clock: None,
            uncacheable: None,
        }
    }

    /// Whether `origin` is there, and whether it is an object, `false` or something else, is read.
    pub(super) fn touch(&mut self, origin: &Origin) {
        let footprint = match origin.document {
            Document::Input => &mut self.input,
            Document::Data => &mut self.data,
        };
        footprint.touch(origin.path.iter().map(String::as_str));
        if origin.document == Document::Input && !self.named.contains(&origin.path) {
            self.named.insert(origin.path.clone());
        }
    }

    /// `origin` is read with all that is in it.
    pub(super) fn whole(&mut self, origin: &Origin, place: &Place, why: &Why) {
        let path = origin.path.iter().map(String::as_str);
        match origin.document {
            Document::Input => {
                self.input.widen(path);
                self.whole
                    .entry(origin.path.clone())
                    .or_default()
                    .insert((place.clone(), why.clone()));
            }
            Document::Data => self.data.widen(path),
        }
    }

    /// The built-in `function` is called at `place`.
    pub(super) fn calls(&mut self, function: &str, place: &Place) {
        match builtins::depends_on(function) {
            Depends::Arguments => {}
            Depends::Clock => {
                self.clock.get_or_insert_with(|| place.clone());
            }
            Depends::World => {
                self.uncacheable.get_or_insert_with(|| Uncacheable {
                    function: function.to_owned(),
                    place: place.clone(),
                });
            }
        }
    }

    /// The result.
    pub(super) fn analysis(self) -> Analysis {
        let mut widenings = Vec::new();
        for (path, reasons) in &self.whole {
            for (place, why) in reasons {
                if self.is_widening(path, why) {
                    widenings.push(Widening {
                        path: path.clone(),
                        place: place.clone(),
                        why: why.clone(),
                    });
                }
            }
        }
        Analysis {
            input: self.input,
            data: self.data,
            clock: self.clock,
            uncacheable: self.uncacheable,
            widenings,
        }
    }

    /// Whether reading `path` whole for `why` most likely reads more than the author had in mind.
    fn is_widening(&self, path: &[String], why: &Why) -> bool {
        let known_object = path.is_empty() || OBJECTS.iter().any(|object| *object == path);
        let more_is_named = || {
            self.named
                .iter()
                .any(|named| named.len() > path.len() && named.starts_with(path))
        };
        match why {
            Why::ComputedKey | Why::Loop if is_list(path) => more_is_named(),
            Why::ComputedKey | Why::Loop | Why::With | Why::Unbounded => true,
            Why::Argument(function) if builtins::looks_into_objects(function) => true,
            _ => known_object || more_is_named(),
        }
    }
}

/// Whether the decision contract makes `path` a list, which cannot be read in part.
fn is_list(path: &[String]) -> bool {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(
        names.as_slice(),
        ["resource", "properties", "segments"]
            | ["resource", "properties", "headers" | "query", _]
            | ["context", "schedules"]
            | ["context", "source", "networks"]
    )
}

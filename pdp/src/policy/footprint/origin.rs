//! Where a value may come from: the abstract value of the analysis.
//!
//! A value is the set of the places in `input` and `data` that it may be a copy of. One that is made
//! by the policy itself, or of which everything has been recorded as read already, has none.

use std::collections::BTreeSet;

use super::super::gate::paths::Path;

/// Deepest place that is followed; what lies deeper counts as read with all that is around it.
pub(super) const MAX_DEPTH: usize = 24;

/// Most places one value is followed to.
pub(super) const MAX_ORIGINS: usize = 64;

/// A document of the engine.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Document {
    Input,
    Data,
}

/// A place in a document.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Origin {
    pub document: Document,
    /// Member names from the root of the document.
    pub path: Path,
}

impl Origin {
    /// All of the document.
    pub(super) fn whole(document: Document) -> Self {
        Self {
            document,
            path: Path::new(),
        }
    }

    /// The place `path` leads to when its first name is that of the document.
    pub(super) fn named(path: &[String]) -> Option<Self> {
        let (first, rest) = path.split_first()?;
        let document = match first.as_str() {
            "input" => Document::Input,
            "data" => Document::Data,
            _ => return None,
        };
        Some(Self {
            document,
            path: rest.to_vec(),
        })
    }

    /// Its member `name`; none when that is deeper than is followed.
    pub(super) fn member(&self, name: &str) -> Option<Self> {
        if self.path.len() >= MAX_DEPTH {
            return None;
        }
        let mut origin = self.clone();
        origin.path.push(name.to_owned());
        Some(origin)
    }
}

/// All the places a value may come from.
pub(super) type Origins = BTreeSet<Origin>;

/// Adds `more` to `origins`. Returns whether that changed them, and what no longer found room.
pub(super) fn join(origins: &mut Origins, more: Origins) -> (bool, Vec<Origin>) {
    let mut changed = false;
    let mut left_over = Vec::new();
    for origin in more {
        if origins.contains(&origin) {
            continue;
        }
        if origins.len() >= MAX_ORIGINS {
            left_over.push(origin);
        } else {
            changed |= origins.insert(origin);
        }
    }
    (changed, left_over)
}

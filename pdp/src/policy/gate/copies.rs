//! How often rules and built-in functions put what they are given into what they give (`growth`).

use std::collections::BTreeMap;

use super::paths::Path;

/// Built-in functions whose answers hold what they are given. All others give texts, numbers and the like,
/// which have bounds of their own.
const HOLDING: [&str; 18] = [
    "array.concat",
    "array.flatten",
    "array.reverse",
    "array.slice",
    "intersection",
    "json.filter",
    "json.patch",
    "json.remove",
    "max",
    "min",
    "object.filter",
    "object.get",
    "object.remove",
    "object.union",
    "object.union_n",
    "sort",
    "union",
    "walk",
];

/// Whether the answers of the built-in function `root.named` hold what it is given.
pub(super) fn is_holding(root: Option<&str>, named: &[String]) -> bool {
    let parts: Vec<&str> = root
        .into_iter()
        .chain(named.iter().map(String::as_str))
        .collect();
    HOLDING.contains(&parts.join(".").as_str())
}

/// What the values of rules hold.
#[derive(Default)]
pub(super) struct Known<'a>(BTreeMap<&'a [String], u64>);

impl<'a> Known<'a> {
    /// Remembers what the value of the rule at `path` holds.
    pub(super) fn insert(&mut self, path: &'a [String], copies: u64) {
        self.0.insert(path, copies);
    }

    /// What the value of the rule at `path` holds; none where there is no rule.
    pub(super) fn rule(&self, path: &Path) -> Option<u64> {
        self.0.get(path.as_slice()).copied()
    }

    /// What rules at `path`, above it and below it hold together.
    pub(super) fn document(&self, path: &Path) -> u64 {
        let above = (1..path.len()).filter_map(|length| self.0.get(path.get(..length)?));
        let below = self.0.range(path.as_slice()..);
        let below = below.take_while(|(name, _)| name.starts_with(path));
        let copies = above.chain(below.map(|(_, copies)| copies));
        copies.fold(1, |all, copies| all.saturating_add(*copies))
    }
}

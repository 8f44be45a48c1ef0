//! Guards that make a pattern mean just the object that is written: `{"a": x} = input` becomes
//! `b = input; is_object(b); count(b) == 1; {"a": x} = b`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use regorus::unstable::{Expr, LiteralStmt, Ref};

use super::Walk;
use super::spans::{all_of, range, whole};
use crate::policy::gate::scope::variables_in;

impl Walk<'_> {
    /// Whether a guard says all of `pattern`.
    pub(super) fn can_be_exact(&self, pattern: &Expr) -> bool {
        let functions = ["is_object", "count"];
        let has_functions = functions.iter().all(|name| {
            self.elsewhere(name).is_none() && !self.scopes.iter().any(|s| s.contains(name))
        });
        has_functions && self.object(pattern).is_some() && is_plain(pattern)
    }

    /// The bytes of an object: the engine's span of one with several members starts at the last of them.
    pub(super) fn object(&self, object: &Expr) -> Option<(usize, usize)> {
        let Expr::Object { fields, span, .. } = object else {
            return None;
        };
        let (_, first, _) = fields.first()?;
        let before = self.source.get(..whole(first).0)?.trim_end();
        let start = before.strip_suffix('{')?.len();
        let (_, end) = range(span);
        self.source
            .get(start..end)?
            .ends_with('}')
            .then_some((start, end))
    }

    /// Puts a guard in front of `statement`, which compares `pattern` with `other`.
    pub(super) fn exactly(&mut self, statement: &LiteralStmt, pattern: &Expr, other: &Expr) {
        if !statement.with_mods.is_empty() {
            // The guard would have to be evaluated with them too.
            self.refuse_pattern(pattern);
            return;
        }
        let (start, end) = range(&statement.span);
        let Some(place) = self.object(pattern) else {
            self.refuse_pattern(pattern);
            return;
        };
        let sides = [place, whole(other)];
        let (start, end) = sides.iter().fold((start, end), |(from, to), side| {
            (from.min(side.0), to.max(side.1))
        });
        let name = self.next_name();
        let guard = guard(pattern, &name);
        let [pattern, other] = sides.map(|(from, to)| self.cut(from, to));
        // What the other is stands first, its lines too: they are as many as before.
        let text = format!("{name} = {other}; {guard}{pattern} = {name}");
        self.edits.insert(start, (end, text));
    }

    /// A name in the place of `parameter`, and what must hold of it; none where it cannot be said.
    pub(super) fn named(&mut self, parameter: &Ref<Expr>) -> Option<String> {
        // What is a parameter's own name in the head would be a rule's in the body.
        let is_elsewhere = |name: &&str| {
            self.rules.is_some_and(|rules| rules.contains(*name))
                || self.names.import(name).is_some()
        };
        if variables_in([parameter]).iter().any(is_elsewhere) || !self.can_be_exact(parameter) {
            return None;
        }
        let name = self.next_name();
        let mut guard = guard(parameter, &name);
        let (start, end) = self.object(parameter)?;
        let pattern = self.cut(start, end);
        // On one line: lines stay where they are.
        let _ = write!(guard, "{} = {name}; ", pattern.replace('\n', " "));
        self.edits.insert(start, (end, name));
        Some(guard)
    }

    /// Puts `guard` in front of `statement`.
    pub(super) fn guarded(&mut self, statement: &LiteralStmt, guard: &str) {
        let (start, end) = all_of(statement);
        let text = format!("{guard}{}", self.cut(start, end));
        self.edits.insert(start, (end, text));
    }
}

/// Says of `name` that it is an object with as many members as `pattern`.
fn guard(pattern: &Expr, name: &str) -> String {
    let members = match pattern {
        Expr::Object { fields, .. } => fields.len(),
        _ => 0,
    };
    format!("is_object({name}); count({name}) == {members}; ")
}

/// An object of names and plain values, under names that are written, each once. None with an object in
/// it: the engine's spans of those are not to be relied on.
fn is_plain(pattern: &Expr) -> bool {
    let Expr::Object { fields, .. } = pattern else {
        return false;
    };
    let mut keys = BTreeSet::new();
    fields.iter().all(|(_, key, value)| {
        let is_text = matches!(key.as_ref(), Expr::String { .. });
        is_text && keys.insert(key.span().text()) && is_leaf(value)
    })
}

fn is_leaf(value: &Expr) -> bool {
    match value {
        Expr::Array { items, .. } => items.iter().all(|item| is_leaf(item)),
        Expr::Var { .. }
        | Expr::String { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. } => true,
        _ => false,
    }
}

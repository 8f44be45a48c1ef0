//! Rules about what a query comes to once its fragments are spread: that this ends, that introspection is
//! not too deep, and that a subscription has one field.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::document::{Field, Operation, QueryDocument, Selection};
use super::query::refused;
use super::{Failed, MAX_DEPTH};

/// Lists of types that introspection may go through, one inside the other, is less than this.
const MAX_LISTS: usize = 3;

pub(super) fn check(document: &QueryDocument, context: &Context<'_, '_>) -> Result<(), Failed> {
    let mut done = BTreeSet::new();
    for name in context.fragments.keys().copied() {
        ends(name, context, &mut Vec::new(), &mut done)?;
    }
    let mut depths = Depths {
        context,
        known: BTreeMap::new(),
    };
    let operations = document.operations.iter().map(|one| &one.selection_set);
    let fragments = document.fragments.iter().map(|one| &one.selection_set);
    for selections in operations.chain(fragments) {
        depths.introspection(selections)?;
    }
    for operation in &document.operations {
        subscription(operation, context)?;
    }
    Ok(())
}

/// That a fragment is not spread inside of itself.
fn ends<'s>(
    name: &'s str,
    context: &Context<'s, '_>,
    path: &mut Vec<&'s str>,
    done: &mut BTreeSet<&'s str>,
) -> Result<(), Failed> {
    if path.contains(&name) {
        return refused(format!("cannot spread fragment `{name}` within itself"));
    }
    if path.len() >= MAX_DEPTH {
        return Err(Failed::Bound(
            "64 fragments may be spread inside each other",
        ));
    }
    let Some(fragment) = context.fragments.get(name).filter(|_| !done.contains(name)) else {
        return Ok(());
    };
    path.push(name);
    let mut inside = BTreeSet::new();
    spread_in(&fragment.selection_set, &mut inside);
    for name in inside {
        context.steps.take(path.len())?;
        ends(name, context, path, done)?;
    }
    path.pop();
    done.insert(name);
    Ok(())
}

fn spread_in<'s>(selections: &'s [Selection], names: &mut BTreeSet<&'s str>) {
    for selection in selections {
        match selection {
            Selection::Field(field) => spread_in(&field.selection_set, names),
            Selection::Inline(inline) => spread_in(&inline.selection_set, names),
            Selection::Spread(spread) => {
                names.insert(&spread.name);
            }
        }
    }
}

struct Depths<'c, 's, 'a> {
    context: &'c Context<'s, 'a>,
    /// Whether a fragment goes too deep, from each depth on.
    known: BTreeMap<(&'s str, usize), bool>,
}

impl<'s> Depths<'_, 's, '_> {
    fn introspection(&mut self, selections: &'s [Selection]) -> Result<(), Failed> {
        for selection in selections {
            let inside = match selection {
                Selection::Field(field) => {
                    let is_root = matches!(field.name.as_str(), "__schema" | "__type");
                    if is_root && self.field(field, 0)? {
                        return refused("maximum introspection depth exceeded".to_owned());
                    }
                    &field.selection_set
                }
                Selection::Inline(inline) => &inline.selection_set,
                Selection::Spread(_) => continue,
            };
            self.introspection(inside)?;
        }
        Ok(())
    }

    fn field(&mut self, field: &'s Field, depth: usize) -> Result<bool, Failed> {
        let name = field.name.as_str();
        let is_list = matches!(
            name,
            "fields" | "interfaces" | "possibleTypes" | "inputFields"
        );
        let depth = depth + usize::from(is_list);
        Ok(depth >= MAX_LISTS || self.any(&field.selection_set, depth)?)
    }

    fn any(&mut self, selections: &'s [Selection], depth: usize) -> Result<bool, Failed> {
        for selection in selections {
            self.context.steps.take(1)?;
            let is_too_deep = match selection {
                Selection::Field(field) => self.field(field, depth)?,
                Selection::Inline(inline) => self.any(&inline.selection_set, depth)?,
                Selection::Spread(spread) => self.spread(&spread.name, depth)?,
            };
            if is_too_deep {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn spread(&mut self, name: &'s str, depth: usize) -> Result<bool, Failed> {
        if let Some(known) = self.known.get(&(name, depth)) {
            return Ok(*known);
        }
        let Some(fragment) = self.context.fragments.get(name).copied() else {
            return Ok(false);
        };
        let is_too_deep = self.any(&fragment.selection_set, depth)?;
        self.known.insert((name, depth), is_too_deep);
        Ok(is_too_deep)
    }
}

fn subscription(operation: &Operation, context: &Context<'_, '_>) -> Result<(), Failed> {
    if operation.kind != "subscription" {
        return Ok(());
    }
    let mut names = BTreeSet::new();
    fields(
        &operation.selection_set,
        context,
        &mut BTreeSet::new(),
        &mut names,
    );
    if names.len() > 1 {
        return refused("a subscription must select only one field".to_owned());
    }
    if names.iter().any(|name| name.starts_with("__")) {
        return refused("a subscription must not select introspection".to_owned());
    }
    Ok(())
}

/// The names of the fields that selections come to.
fn fields<'s>(
    selections: &'s [Selection],
    context: &Context<'s, '_>,
    visited: &mut BTreeSet<&'s str>,
    names: &mut BTreeSet<&'s str>,
) {
    for selection in selections {
        match selection {
            Selection::Field(field) => {
                names.insert(&field.name);
            }
            Selection::Inline(inline) => fields(&inline.selection_set, context, visited, names),
            Selection::Spread(spread) => {
                let name = spread.name.as_str();
                let fragment = context.fragments.get(name).copied();
                if let Some(fragment) = fragment.filter(|_| visited.insert(name)) {
                    fields(&fragment.selection_set, context, visited, names);
                }
            }
        }
    }
}

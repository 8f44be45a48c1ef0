//! Fields that would be told under one name must be one field: pairs of them are compared in gqlparser's
//! order, with what it remembers of pairs that it has compared, for that decides which it compares at all.

use std::collections::{BTreeMap, BTreeSet};

use super::Failed;
use super::context::Context;
use super::document::{Argument, Field, Selection, Type};
use super::query::refused;
use super::schema::Whole;

/// Selections that may be compared inside each other.
const MAX_DEPTH: usize = 256;

/// A field and the type that it is of.
type Placed<'s, 'a> = (&'s Field, Option<&'s Whole<'a>>);

/// What a selection has, through its inline fragments: fields by the name that they are told under, and
/// the names of fragments.
#[derive(Default)]
struct Collected<'s, 'a> {
    names: Vec<&'s str>,
    fields: BTreeMap<&'s str, Vec<Placed<'s, 'a>>>,
    spreads: Vec<&'s str>,
}

impl Collected<'_, '_> {
    fn is_same(&self, other: &Self) -> bool {
        let (own, others) = (
            self.fields.values().flatten(),
            other.fields.values().flatten(),
        );
        own.clone().count() == others.clone().count()
            && own
                .zip(others)
                .all(|(own, other)| std::ptr::eq(own.0, other.0))
    }
}

pub(super) struct Overlap<'w, 's, 'a> {
    context: &'w Context<'s, 'a>,
    /// Pairs of fragments, and whether what is of both was known to exclude each other.
    pairs: BTreeMap<(&'s str, &'s str), bool>,
    /// Fragments that the selection in hand has been compared with.
    compared: BTreeSet<&'s str>,
    depth: usize,
}

impl<'w, 's, 'a> Overlap<'w, 's, 'a> {
    pub(super) fn new(context: &'w Context<'s, 'a>) -> Self {
        Self {
            context,
            pairs: BTreeMap::new(),
            compared: BTreeSet::new(),
            depth: 0,
        }
    }

    /// Compares what one selection has with itself.
    pub(super) fn within(
        &mut self,
        parent: Option<&'s Whole<'a>>,
        selections: &'s [Selection],
    ) -> Result<(), Failed> {
        if selections.is_empty() {
            return Ok(());
        }
        let all = self.collect(parent, selections)?;
        for name in &all.names {
            let fields = all.fields.get(name).map(Vec::as_slice).unwrap_or_default();
            for (index, one) in fields.iter().enumerate() {
                for other in fields.iter().skip(index + 1) {
                    self.pair(false, *one, *other)?;
                }
            }
        }
        self.compared.clear();
        for (index, name) in all.spreads.iter().enumerate() {
            self.with_fragment(false, &all, name)?;
            for other in all.spreads.iter().skip(index + 1) {
                self.fragments(false, name, other)?;
            }
        }
        Ok(())
    }

    fn collect(
        &self,
        parent: Option<&'s Whole<'a>>,
        selections: &'s [Selection],
    ) -> Result<Collected<'s, 'a>, Failed> {
        let mut all = Collected::default();
        self.collect_into(&mut all, parent, selections)?;
        Ok(all)
    }

    fn collect_into(
        &self,
        all: &mut Collected<'s, 'a>,
        parent: Option<&'s Whole<'a>>,
        selections: &'s [Selection],
    ) -> Result<(), Failed> {
        self.context.steps.take(selections.len())?;
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    let alias = field.alias.as_str();
                    let name = if alias.is_empty() { &field.name } else { alias };
                    let same = all.fields.entry(name).or_default();
                    if same.is_empty() {
                        all.names.push(name);
                    }
                    same.push((field, parent));
                }
                Selection::Inline(inline) => {
                    let inside = self.context.narrowed(parent, inline);
                    self.collect_into(all, inside, &inline.selection_set)?;
                }
                Selection::Spread(spread) => all.spreads.push(&spread.name),
            }
        }
        Ok(())
    }

    /// What a fragment has, where there is such a one.
    fn collect_fragment(&self, name: &str) -> Result<Option<Collected<'s, 'a>>, Failed> {
        let fragment = self.context.fragments.get(name).copied();
        let of = fragment.map(|fragment| {
            let parent = self.context.schema.named(&fragment.type_condition);
            self.collect(parent, &fragment.selection_set)
        });
        of.transpose()
    }

    fn with_fragment(
        &mut self,
        exclusive: bool,
        all: &Collected<'s, 'a>,
        name: &'s str,
    ) -> Result<(), Failed> {
        if !self.compared.insert(name) {
            return Ok(());
        }
        let Some(of) = self.collect_fragment(name)? else {
            return Ok(());
        };
        if all.is_same(&of) {
            return Ok(());
        }
        self.between(exclusive, all, &of)?;
        for inside in of.spreads.iter().filter(|inside| **inside != name) {
            self.with_fragment(exclusive, all, inside)?;
        }
        Ok(())
    }

    fn fragments(&mut self, exclusive: bool, left: &'s str, right: &'s str) -> Result<(), Failed> {
        self.context.steps.take(1)?;
        let known = self.pairs.get(&(left, right));
        if left == right || known.is_some_and(|known| exclusive || !known) {
            return Ok(());
        }
        self.pairs.insert((left, right), exclusive);
        self.pairs.insert((right, left), exclusive);
        let (of_left, of_right) = (self.collect_fragment(left)?, self.collect_fragment(right)?);
        let (Some(of_left), Some(of_right)) = (of_left, of_right) else {
            return Ok(());
        };
        self.between(exclusive, &of_left, &of_right)?;
        for inside in of_right.spreads {
            self.fragments(exclusive, left, inside)?;
        }
        for inside in of_left.spreads {
            self.fragments(exclusive, inside, right)?;
        }
        Ok(())
    }

    fn between(
        &mut self,
        exclusive: bool,
        left: &Collected<'s, 'a>,
        right: &Collected<'s, 'a>,
    ) -> Result<(), Failed> {
        self.context.steps.take(left.names.len())?;
        for name in &left.names {
            let of = |all: &Collected<'s, 'a>| all.fields.get(name).cloned().unwrap_or_default();
            let others = of(right);
            for one in of(left) {
                for other in &others {
                    self.pair(exclusive, one, *other)?;
                }
            }
        }
        Ok(())
    }

    fn pair(
        &mut self,
        exclusive: bool,
        (left, left_parent): Placed<'s, 'a>,
        (right, right_parent): Placed<'s, 'a>,
    ) -> Result<(), Failed> {
        self.context.steps.take(1)?;
        let (Some(left_of), Some(right_of)) = (left_parent, right_parent) else {
            return Ok(());
        };
        let schema = self.context.schema;
        let left_field = schema.field(left_parent, &left.name);
        let right_field = schema.field(right_parent, &right.name);
        let are_objects = left_of.kind == "OBJECT" && right_of.kind == "OBJECT";
        let are_known = left_field.is_some() && right_field.is_some();
        let exclusive = exclusive || left_of.name != right_of.name && are_objects && are_known;
        let told = if left.alias.is_empty() {
            &left.name
        } else {
            &left.alias
        };
        if !exclusive {
            let arguments = (left.arguments.len() + 1) * (right.arguments.len() + 1);
            self.context.steps.take(arguments)?;
            if left.name != right.name || !same_arguments(&left.arguments, &right.arguments) {
                return refused(format!("fields `{told}` conflict"));
            }
        }
        let types = left_field.zip(right_field);
        if types.is_some_and(|(left, right)| self.types_conflict(&left.r#type, &right.r#type)) {
            return refused(format!("fields `{told}` are of conflicting types"));
        }
        let left = self.collect(self.context.inside(left_field), &left.selection_set)?;
        let right = self.collect(self.context.inside(right_field), &right.selection_set)?;
        if self.depth >= MAX_DEPTH {
            return Err(Failed::Bound(
                "256 selections may be compared inside each other",
            ));
        }
        self.depth += 1;
        self.inside(exclusive, &left, &right)?;
        self.depth -= 1;
        Ok(())
    }

    /// Compares what two fields have inside.
    fn inside(
        &mut self,
        exclusive: bool,
        left: &Collected<'s, 'a>,
        right: &Collected<'s, 'a>,
    ) -> Result<(), Failed> {
        self.between(exclusive, left, right)?;
        for name in &right.spreads {
            self.compared.clear();
            self.with_fragment(exclusive, left, name)?;
        }
        for name in &left.spreads {
            self.compared.clear();
            self.with_fragment(exclusive, right, name)?;
        }
        for one in &left.spreads {
            for other in &right.spreads {
                self.fragments(exclusive, one, other)?;
            }
        }
        Ok(())
    }

    fn types_conflict(&self, left: &Type, right: &Type) -> bool {
        match (&left.elem, &right.elem) {
            (Some(left), Some(right)) => return self.types_conflict(left, right),
            (None, None) => {}
            _ => return true,
        }
        let schema = self.context.schema;
        let named = (schema.named(&left.named), schema.named(&right.named));
        let (Some(one), Some(other)) = named else {
            return true;
        };
        left.non_null != right.non_null
            || one.is_leaf() && other.is_leaf() && one.name != other.name
    }
}

fn same_arguments(left: &[Argument], right: &[Argument]) -> bool {
    // Of lists and objects gqlparser compares only that they are such.
    let same = |one: &Argument, other: &Argument| {
        one.name == other.name
            && one.value.kind == other.value.kind
            && one.value.raw == other.value.raw
    };
    left.len() == right.len()
        && left
            .iter()
            .all(|one| right.iter().any(|other| same(one, other)))
}

//! Whether a query is valid against a schema, by the rules that gqlparser has, walked in its order: each
//! operation with the fragments that it spreads, then each fragment for itself.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::document::{
    Argument, Directive, Field, Fragment, Inline, Operation, QueryDocument, Selection, Spread,
    VariableDefinition,
};
use super::overlap::Overlap;
use super::schema::{Schema, Whole};
use super::schema_document::FieldDefinition;
use super::steps::Steps;
use super::{Failed, context, spreads};

/// Judges `document`.
pub(super) fn check(
    schema: &Schema<'_>,
    document: &QueryDocument,
    steps: &Steps,
) -> Result<(), Failed> {
    let mut fragments = BTreeMap::new();
    for fragment in &document.fragments {
        fragments.entry(fragment.name.as_str()).or_insert(fragment);
    }
    let context = Context {
        schema,
        fragments,
        steps,
    };
    if !document.placed {
        context::places(document, &context)?;
    }
    spreads::check(document, &context)?;
    names(document)?;
    let mut walk = Walk {
        overlap: Overlap::new(&context),
        context: &context,
        operation: None,
        visited: BTreeSet::new(),
        used: BTreeSet::new(),
        spread: BTreeSet::new(),
    };
    for operation in &document.operations {
        walk.operation(operation)?;
    }
    for fragment in &document.fragments {
        walk.fragment(fragment)?;
    }
    Ok(())
}

pub(super) fn refused<T>(why: String) -> Result<T, Failed> {
    Err(Failed::Refused(why))
}

/// That operations and fragments can be told apart.
fn names(document: &QueryDocument) -> Result<(), Failed> {
    let many = document.operations.len() > 1;
    let mut seen = BTreeSet::new();
    for operation in &document.operations {
        let name = operation.name.as_str();
        if many && name.is_empty() || !seen.insert(name) {
            return refused(format!("there can be only one operation named `{name}`"));
        }
    }
    let mut seen = BTreeSet::new();
    let mut names = document
        .fragments
        .iter()
        .map(|fragment| fragment.name.as_str());
    match names.find(|name| !seen.insert(*name)) {
        Some(name) => refused(format!("there can be only one fragment named `{name}`")),
        None => Ok(()),
    }
}

pub(super) struct Walk<'w, 's, 'a> {
    pub(super) context: &'w Context<'s, 'a>,
    overlap: Overlap<'w, 's, 'a>,
    /// None where a fragment is walked for itself.
    pub(super) operation: Option<&'s Operation>,
    visited: BTreeSet<&'s str>,
    /// Variables.
    pub(super) used: BTreeSet<&'s str>,
    /// Fragments that any operation spreads.
    spread: BTreeSet<&'s str>,
}

impl<'s, 'a> Walk<'_, 's, 'a> {
    fn operation(&mut self, operation: &'s Operation) -> Result<(), Failed> {
        let schema = self.context.schema;
        let root = schema.root(&operation.kind);
        let Some(root) = root else {
            let name = &operation.kind;
            return refused(format!("schema does not support operation type `{name}`"));
        };
        self.operation = Some(operation);
        self.visited.clear();
        self.used.clear();
        self.variables(&operation.variable_definitions)?;
        self.directives(&operation.directives, context::place(operation))?;
        self.selections(Some(root), &operation.selection_set)?;
        self.overlap.within(Some(root), &operation.selection_set)?;
        for variable in &operation.variable_definitions {
            let name = variable.variable.as_str();
            if !variable.used && !self.used.contains(name) {
                return refused(format!("variable `${name}` is never used"));
            }
        }
        Ok(())
    }

    fn variables(&mut self, variables: &'s [VariableDefinition]) -> Result<(), Failed> {
        let mut seen = BTreeSet::new();
        for variable in variables {
            let name = &variable.variable;
            if !seen.insert(name) {
                return refused(format!("there can be only one variable named `${name}`"));
            }
            let found = self.context.schema.of(&variable.r#type);
            if !found.is_some_and(Whole::is_input) {
                return refused(format!("variable `${name}` is of no input type"));
            }
        }
        for variable in variables {
            if let Some(value) = &variable.default_value {
                self.value(value, Some(&variable.r#type), false)?;
            }
            self.directives(&variable.directives, "VARIABLE_DEFINITION")?;
        }
        Ok(())
    }

    fn fragment(&mut self, fragment: &'s Fragment) -> Result<(), Failed> {
        let name = fragment.name.as_str();
        let found = self.context.schema.named(&fragment.type_condition);
        if !found.is_some_and(Whole::is_composite) {
            return refused(format!("fragment `{name}` is of no composite type"));
        }
        if !self.spread.contains(name) {
            return refused(format!("fragment `{name}` is never used"));
        }
        self.operation = None;
        self.visited.clear();
        self.directives(&fragment.directives, "FRAGMENT_DEFINITION")?;
        self.selections(found, &fragment.selection_set)?;
        self.overlap.within(found, &fragment.selection_set)
    }

    fn selections(
        &mut self,
        parent: Option<&'s Whole<'a>>,
        selections: &'s [Selection],
    ) -> Result<(), Failed> {
        for selection in selections {
            self.context.steps.take(1)?;
            match selection {
                Selection::Field(field) => self.field(parent, field)?,
                Selection::Inline(inline) => self.inline(parent, inline)?,
                Selection::Spread(spread) => self.spread(parent, spread)?,
            }
        }
        Ok(())
    }

    fn field(&mut self, parent: Option<&'s Whole<'a>>, field: &'s Field) -> Result<(), Failed> {
        let name = &field.name;
        let definition = self.context.schema.field(parent, name);
        if let (Some(parent), None) = (parent, definition) {
            let parent = parent.name;
            return refused(format!("cannot query field `{name}` on type `{parent}`"));
        }
        let inside = self.context.inside(definition);
        let known = definition.map(|field| field.arguments.as_slice());
        self.arguments(&field.arguments, known, name)?;
        self.directives(&field.directives, "FIELD")?;
        self.selections(inside, &field.selection_set)?;
        if let Some(inside) = inside {
            if inside.is_leaf() && !field.selection_set.is_empty() {
                return refused(format!("field `{name}` must not have a selection"));
            }
            if !inside.is_leaf() && field.selection_set.is_empty() {
                return refused(format!("field `{name}` must have a selection"));
            }
        }
        if self.operation.is_some() {
            self.overlap.within(inside, &field.selection_set)?;
        }
        Ok(())
    }

    fn inline(&mut self, parent: Option<&'s Whole<'a>>, inline: &'s Inline) -> Result<(), Failed> {
        let inside = self.context.narrowed(parent, inline);
        self.directives(&inline.directives, "INLINE_FRAGMENT")?;
        self.selections(inside, &inline.selection_set)?;
        let name = inline.type_condition.as_str();
        if !name.is_empty() {
            if !inside.is_some_and(Whole::is_composite) {
                return refused(format!("fragment on `{name}`, which is no composite type"));
            }
            self.possible(parent, name)?;
        }
        self.overlap.within(inside, &inline.selection_set)
    }

    fn spread(&mut self, parent: Option<&'s Whole<'a>>, spread: &'s Spread) -> Result<(), Failed> {
        let name = spread.name.as_str();
        self.directives(&spread.directives, "FRAGMENT_SPREAD")?;
        let Some(fragment) = self.context.fragments.get(name).copied() else {
            return refused(format!("unknown fragment `{name}`"));
        };
        if self.operation.is_some() {
            self.spread.insert(name);
        }
        if self.visited.insert(name) {
            self.directives(&fragment.directives, "FRAGMENT_DEFINITION")?;
            let inside = self.context.schema.named(&fragment.type_condition);
            self.selections(inside, &fragment.selection_set)?;
        }
        self.possible(parent, &fragment.type_condition)
    }

    /// That something of the type `parent` can be of the type called `name`.
    fn possible(&self, parent: Option<&Whole<'_>>, name: &str) -> Result<(), Failed> {
        let parent = parent.filter(|parent| parent.is_composite());
        let found = self.context.schema.named(name);
        let found = found.filter(|found| found.is_composite());
        let (Some(parent), Some(found)) = (parent, found) else {
            return Ok(());
        };
        if self
            .context
            .schema
            .overlap(parent, found, self.context.steps)?
        {
            return Ok(());
        }
        refused(format!("`{}` can never be `{name}`", parent.name))
    }

    fn directives(&mut self, directives: &'s [Directive], place: &str) -> Result<(), Failed> {
        let mut seen = BTreeSet::new();
        for directive in directives {
            let name = directive.name.as_str();
            let definition = self.context.schema.directives.get(name).copied();
            let Some(definition) = definition else {
                return refused(format!("unknown directive `@{name}`"));
            };
            self.context.steps.take(1 + definition.locations.len())?;
            self.arguments(&directive.arguments, Some(&definition.arguments), name)?;
            if !definition
                .locations
                .iter()
                .any(|location| location == place)
            {
                return refused(format!("directive `@{name}` may not be used on {place}"));
            }
            if !seen.insert(name) && !definition.is_repeatable {
                return refused(format!("directive `@{name}` can only be used once here"));
            }
        }
        Ok(())
    }

    /// Arguments against those that are known: each once, and all that must be there.
    fn arguments(
        &mut self,
        arguments: &'s [Argument],
        known: Option<&'a [FieldDefinition]>,
        of: &str,
    ) -> Result<(), Failed> {
        let mut given = BTreeSet::new();
        let all = known.unwrap_or_default();
        self.context
            .steps
            .take((arguments.len() + 1) * (all.len() + 1))?;
        for argument in arguments {
            let name = &argument.name;
            let definition = all.iter().find(|definition| definition.name == *name);
            if known.is_some() && definition.is_none() {
                return refused(format!("unknown argument `{name}` of `{of}`"));
            }
            if !given.insert(name) {
                return refused(format!("there can be only one argument named `{name}`"));
            }
            let wanted = definition.map(|definition| &definition.r#type);
            let has_default = definition.is_some_and(FieldDefinition::has_default);
            self.value(&argument.value, wanted, has_default)?;
        }
        for wanted in all {
            let must = wanted.r#type.non_null && wanted.default_value.is_none();
            if must && !given.contains(&wanted.name) {
                return refused(format!("argument `{}` of `{of}` is required", wanted.name));
            }
        }
        Ok(())
    }
}

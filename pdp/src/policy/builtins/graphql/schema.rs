//! A schema to ask: the types of a document and of the prelude, with all that is added to them.
//!
//! What this is not: a judge of its definitions (`definitions`), of which it only refuses what cannot be
//! put together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::document::{Directive, Type};
use super::schema_document::{
    Definition, DirectiveDefinition, EnumValue, FieldDefinition, SchemaDocument,
};
use super::steps::Steps;
use super::{Failed, definitions, parse};

static PRELUDE: LazyLock<Result<SchemaDocument, Failed>> =
    LazyLock::new(|| parse::schema(include_str!("prelude.graphql")));

/// Directives of the prelude that a schema may define anew.
const REDEFINED: [&str; 6] = [
    "include",
    "skip",
    "deprecated",
    "specifiedBy",
    "defer",
    "oneOf",
];

/// A type with all that was added to it.
#[derive(Debug)]
pub(super) struct Whole<'a> {
    pub(super) name: &'a str,
    pub(super) kind: &'a str,
    pub(super) is_built_in: bool,
    pub(super) directives: Vec<&'a Directive>,
    pub(super) interfaces: Vec<&'a str>,
    pub(super) fields: Vec<&'a FieldDefinition>,
    pub(super) members: Vec<&'a str>,
    pub(super) values: Vec<&'a EnumValue>,
    /// By name, the first of each.
    by_name: BTreeMap<&'a str, &'a FieldDefinition>,
}

impl<'a> Whole<'a> {
    fn new(definition: &'a Definition) -> Self {
        Self {
            name: &definition.name,
            kind: &definition.kind,
            is_built_in: false,
            directives: Vec::new(),
            interfaces: Vec::new(),
            fields: Vec::new(),
            members: Vec::new(),
            values: Vec::new(),
            by_name: BTreeMap::new(),
        }
    }

    fn add(&mut self, definition: &'a Definition) {
        self.directives.extend(&definition.directives);
        self.interfaces
            .extend(definition.interfaces.iter().map(String::as_str));
        self.members
            .extend(definition.types.iter().map(String::as_str));
        self.values.extend(&definition.enum_values);
        for field in &definition.fields {
            self.add_field(field);
        }
    }

    fn add_field(&mut self, field: &'a FieldDefinition) {
        self.fields.push(field);
        self.by_name.entry(field.name.as_str()).or_insert(field);
    }

    pub(super) fn field(&self, name: &str) -> Option<&'a FieldDefinition> {
        self.by_name.get(name).copied()
    }

    /// Whether it is one of these kinds, told by their names.
    pub(super) fn is_any(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.kind)
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.is_any(&["ENUM", "SCALAR"])
    }

    pub(super) fn is_composite(&self) -> bool {
        self.is_any(&["OBJECT", "INTERFACE", "UNION"])
    }

    pub(super) fn is_input(&self) -> bool {
        self.is_any(&["SCALAR", "ENUM", "INPUT_OBJECT"])
    }
}

#[derive(Debug, Default)]
pub(super) struct Schema<'a> {
    pub(super) types: BTreeMap<&'a str, Whole<'a>>,
    pub(super) directives: BTreeMap<&'a str, &'a DirectiveDefinition>,
    /// The objects, and interfaces, that a type may turn out to be.
    possible: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// By operation.
    roots: BTreeMap<&'a str, &'a str>,
    typename: Option<&'a FieldDefinition>,
}

impl<'a> Schema<'a> {
    /// Puts `document` together, and judges it.
    pub(super) fn new(document: &'a SchemaDocument, steps: &Steps) -> Result<Self, Failed> {
        let prelude = PRELUDE.as_ref();
        let prelude = prelude.map_err(|why| Failed::refused(format!("the prelude: {why}")))?;
        let mut schema = Self::default();
        schema.define(prelude, true)?;
        schema.define(document, false)?;
        for added in &document.extensions {
            schema.extend(added)?;
        }
        schema.find_possible();
        schema.find_roots(document)?;
        definitions::check(&schema, document, steps)?;
        schema.add_meta(prelude);
        Ok(schema)
    }

    fn define(&mut self, document: &'a SchemaDocument, built_in: bool) -> Result<(), Failed> {
        for definition in &document.definitions {
            let mut found = Whole::new(definition);
            found.is_built_in = built_in || definition.built_in;
            found.add(definition);
            if self.types.insert(found.name, found).is_some() {
                let name = &definition.name;
                return Err(Failed::refused(format!("cannot redeclare type {name}")));
            }
        }
        for directive in &document.directives {
            let name = directive.name.as_str();
            let before = self.directives.insert(name, directive);
            if before.is_some() && !REDEFINED.contains(&name) {
                return Err(Failed::refused(format!(
                    "cannot redeclare directive {name}"
                )));
            }
        }
        Ok(())
    }

    fn extend(&mut self, added: &'a Definition) -> Result<(), Failed> {
        let name = added.name.as_str();
        let found = self.types.entry(name).or_insert_with(|| Whole::new(added));
        if found.kind != added.kind {
            return Err(Failed::refused(format!(
                "cannot extend type {name}: it is another kind"
            )));
        }
        found.add(added);
        Ok(())
    }

    fn find_possible(&mut self) {
        for found in self.types.values() {
            let name = found.name;
            if found.kind == "UNION" {
                let all = self.possible.entry(name).or_default();
                all.extend(found.members.iter().copied());
            }
            if found.is_any(&["OBJECT", "INPUT_OBJECT", "INTERFACE"]) {
                for interface in &found.interfaces {
                    self.possible.entry(interface).or_default().insert(name);
                }
            }
            if found.is_any(&["OBJECT", "INPUT_OBJECT"]) {
                self.possible.entry(name).or_default().insert(name);
            }
        }
    }

    fn find_roots(&mut self, document: &'a SchemaDocument) -> Result<(), Failed> {
        if document.schema.len() > 1 {
            return Err(Failed::refused("cannot have multiple schema entry points"));
        }
        for definition in document.schema.iter().chain(&document.schema_extension) {
            for root in &definition.operation_types {
                let (operation, name) = (root.operation.as_str(), root.r#type.as_str());
                if !self.types.contains_key(name) {
                    return Err(Failed::refused(format!(
                        "schema root {operation}: no type {name}"
                    )));
                }
                self.roots.insert(operation, name);
            }
        }
        if document.schema.is_empty() {
            let usual = [
                ("query", "Query"),
                ("mutation", "Mutation"),
                ("subscription", "Subscription"),
            ];
            for (operation, name) in usual {
                if self.types.contains_key(name) {
                    self.roots.entry(operation).or_insert(name);
                }
            }
        }
        Ok(())
    }

    /// The fields of introspection.
    fn add_meta(&mut self, prelude: &'a SchemaDocument) {
        let fields = prelude.extensions.iter().flat_map(|added| &added.fields);
        let query = self.roots.get("query");
        let mut query = query.and_then(|name| self.types.get_mut(name));
        for field in fields {
            if field.name == "__typename" {
                self.typename = Some(field);
            } else if let Some(query) = &mut query {
                query.add_field(field);
            }
        }
    }

    pub(super) fn named(&self, name: &str) -> Option<&Whole<'a>> {
        self.types.get(name)
    }

    pub(super) fn of(&self, found: &Type) -> Option<&Whole<'a>> {
        self.named(found.name())
    }

    pub(super) fn root(&self, operation: &str) -> Option<&Whole<'a>> {
        let operation = if operation.is_empty() {
            "query"
        } else {
            operation
        };
        self.roots.get(operation).and_then(|name| self.named(name))
    }

    /// A field of a type; each has one that tells its name.
    pub(super) fn field(
        &self,
        parent: Option<&Whole<'a>>,
        name: &str,
    ) -> Option<&'a FieldDefinition> {
        if name == "__typename" {
            return self.typename;
        }
        parent.and_then(|parent| parent.field(name))
    }

    pub(super) fn may_be(&self, name: &str, other: &str) -> bool {
        self.possible
            .get(name)
            .is_some_and(|all| all.contains(other))
    }

    /// Whether something may be of both types.
    pub(super) fn overlap(
        &self,
        left: &Whole<'_>,
        right: &Whole<'_>,
        steps: &Steps,
    ) -> Result<bool, Failed> {
        let (one, other);
        let left = match left.kind {
            "OBJECT" => {
                one = BTreeSet::from([left.name]);
                Some(&one)
            }
            _ => self
                .possible
                .get(left.name)
                .map(|set| -> &BTreeSet<&str> { set }),
        };
        other = self.possible.get(right.name);
        let (Some(left), Some(right)) = (left, other) else {
            return Ok(false);
        };
        steps.take(left.len().min(right.len()))?;
        let (few, many) = if left.len() < right.len() {
            (left, right)
        } else {
            (right, left)
        };
        Ok(few.iter().any(|name| many.contains(name)))
    }
}

//! What the parts of a query are judged against.

use std::collections::BTreeMap;

use super::Failed;
use super::document::{Directive, Fragment, Inline, Operation, QueryDocument, Selection};
use super::schema::{Schema, Whole};
use super::schema_document::FieldDefinition;
use super::steps::Steps;

pub(super) struct Context<'s, 'a> {
    pub(super) schema: &'s Schema<'a>,
    pub(super) fragments: BTreeMap<&'s str, &'s Fragment>,
    pub(super) steps: &'s Steps,
}

impl<'s, 'a> Context<'s, 'a> {
    /// Whether those of the directives that are known may be here.
    fn may_be(&self, directives: &[Directive], place: &str) -> bool {
        let known = |one: &Directive| self.schema.directives.get(one.name.as_str());
        let mut known = directives.iter().filter_map(known);
        known.all(|known| known.locations.iter().any(|location| location == place))
    }

    /// The same of all that is selected, which is fields.
    fn may_be_inside(&self, selections: &[Selection]) -> bool {
        selections.iter().all(|selection| match selection {
            Selection::Field(field) => {
                self.may_be(&field.directives, "FIELD") && self.may_be_inside(&field.selection_set)
            }
            _ => false,
        })
    }

    /// The type that the selections of a field are of.
    pub(super) fn inside(&self, field: Option<&FieldDefinition>) -> Option<&'s Whole<'a>> {
        field.and_then(|field| self.schema.of(&field.r#type))
    }

    /// The type that the selections of an inline fragment are of.
    pub(super) fn narrowed(
        &self,
        parent: Option<&'s Whole<'a>>,
        inline: &Inline,
    ) -> Option<&'s Whole<'a>> {
        match inline.type_condition.as_str() {
            "" => parent,
            name => self.schema.named(name),
        }
    }
}

/// That each directive may be where it is. gqlparser fails where one of an object for a document is not.
pub(super) fn places(document: &QueryDocument, context: &Context<'_, '_>) -> Result<(), Failed> {
    let mut sound = true;
    for operation in &document.operations {
        sound &= context.may_be(&operation.directives, place(operation));
        sound &= context.may_be_inside(&operation.selection_set);
        for variable in &operation.variable_definitions {
            sound &= context.may_be(&variable.directives, "VARIABLE_DEFINITION");
        }
    }
    for fragment in &document.fragments {
        sound &= context.may_be(&fragment.directives, "FRAGMENT_DEFINITION");
        sound &= context.may_be_inside(&fragment.selection_set);
    }
    if sound {
        return Ok(());
    }
    Err(Failed::Bound("a directive of an AST must be where it may"))
}

/// Where the directives of an operation are.
pub(super) fn place(operation: &Operation) -> &'static str {
    match operation.kind.as_str() {
        "mutation" => "MUTATION",
        "subscription" => "SUBSCRIPTION",
        _ => "QUERY",
    }
}

//! Whether a type has what the interfaces that it implements want.

use super::Failed;
use super::definitions::{Check, refused};
use super::document::Type;
use super::schema::Whole;
use super::schema_document::FieldDefinition;

impl Check<'_, '_> {
    pub(super) fn implements(&self, found: &Whole<'_>, name: &str) -> Result<(), Failed> {
        let interface = self.schema.named(name).filter(|of| of.kind == "INTERFACE");
        let Some(interface) = interface else {
            return refused(format!("`{name}` is no interface"));
        };
        for wanted in &interface.fields {
            let Some(field) = found.field(&wanted.name) else {
                return refused(format!(
                    "{} lacks field `{}` of {name}",
                    found.name, wanted.name
                ));
            };
            self.implements_field(field, wanted)?;
        }
        self.steps
            .take(found.interfaces.len() * interface.interfaces.len())?;
        let missing = interface
            .interfaces
            .iter()
            .find(|one| !found.interfaces.contains(one));
        match missing {
            Some(missing) => refused(format!("{} must implement {missing}", found.name)),
            None => Ok(()),
        }
    }

    fn implements_field(
        &self,
        field: &FieldDefinition,
        wanted: &FieldDefinition,
    ) -> Result<(), Failed> {
        let name = &wanted.name;
        self.steps
            .take(1 + 2 * field.arguments.len() * wanted.arguments.len())?;
        if !self.is_covariant(&wanted.r#type, &field.r#type) {
            return refused(format!("field `{name}` must have the interface's type"));
        }
        for argument in &wanted.arguments {
            let own = field.arguments.iter().find(|own| own.name == argument.name);
            if !own.is_some_and(|own| argument.r#type.fits(&own.r#type)) {
                return refused(format!(
                    "field `{name}` must have argument `{}`",
                    argument.name
                ));
            }
        }
        for own in &field.arguments {
            let is_new = !wanted
                .arguments
                .iter()
                .any(|argument| argument.name == own.name);
            if is_new && own.r#type.non_null && own.default_value.is_none() {
                return refused(format!(
                    "argument `{}` of `{name}` must be optional",
                    own.name
                ));
            }
        }
        Ok(())
    }

    fn is_covariant(&self, wanted: &Type, own: &Type) -> bool {
        if wanted.non_null && !own.non_null {
            return false;
        }
        if !wanted.named.is_empty() {
            return wanted.named == own.named || self.schema.may_be(&wanted.named, &own.named);
        }
        match (&wanted.elem, &own.elem) {
            (Some(wanted), Some(own)) => self.is_covariant(wanted, own),
            _ => false,
        }
    }
}

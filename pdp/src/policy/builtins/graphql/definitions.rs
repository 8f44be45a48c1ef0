//! Whether the definitions of a schema are sound, by the rules that gqlparser has, and no others: it lets
//! arguments of a field share a name, and default values be of any type.

use std::collections::BTreeSet;

use super::Failed;
use super::document::{Directive, Type, kind};
use super::schema::{Schema, Whole};
use super::schema_document::{DirectiveDefinition, FieldDefinition, SchemaDocument};
use super::steps::Steps;

/// Judges `schema`, which is `document` put together.
pub(super) fn check(
    schema: &Schema<'_>,
    document: &SchemaDocument,
    steps: &Steps,
) -> Result<(), Failed> {
    let check = Check { schema, steps };
    for found in schema.types.values() {
        check.definition(found)?;
    }
    for directive in schema.directives.values() {
        reserved(&directive.name)?;
        check.arguments(&directive.arguments, Some(directive))?;
    }
    for definition in document.schema.iter().chain(&document.schema_extension) {
        check.directives(&definition.directives, "SCHEMA", None)?;
        check.once(&definition.directives)?;
    }
    Ok(())
}

pub(super) fn refused<T>(why: String) -> Result<T, Failed> {
    Err(Failed::Refused(why))
}

fn reserved(name: &str) -> Result<(), Failed> {
    if name.starts_with("__") {
        return refused(format!("name `{name}` must not begin with `__`"));
    }
    Ok(())
}

/// That no name is there twice.
fn unique<'a>(names: impl Iterator<Item = &'a str>, what: &str) -> Result<(), Failed> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return refused(format!("{what} `{name}` can only be defined once"));
        }
    }
    Ok(())
}

pub(super) struct Check<'s, 'a> {
    pub(super) schema: &'s Schema<'a>,
    pub(super) steps: &'s Steps,
}

impl Check<'_, '_> {
    fn definition(&self, found: &Whole<'_>) -> Result<(), Failed> {
        let name = found.name;
        for field in &found.fields {
            reserved(&field.name)?;
            self.known(&field.r#type)?;
            self.arguments(&field.arguments, None)?;
            let place = match found.kind {
                "INPUT_OBJECT" => "INPUT_FIELD_DEFINITION",
                _ => "FIELD_DEFINITION",
            };
            self.directives(&field.directives, place, None)?;
            self.once(&field.directives)?;
        }
        for member in &found.members {
            let of = self.schema.named(member);
            if of.is_none_or(|of| of.kind != "OBJECT") {
                return refused(format!("member `{member}` of {name} is no object"));
            }
        }
        unique(found.members.iter().copied(), "member")?;
        for interface in &found.interfaces {
            self.implements(found, interface)?;
        }
        self.parts(found)?;
        unique(
            found.fields.iter().map(|field| field.name.as_str()),
            "field",
        )?;
        if !found.is_built_in {
            reserved(name)?;
        }
        self.directives(found.directives.iter().copied(), found.kind, None)
    }

    /// What each kind of type must have.
    fn parts(&self, found: &Whole<'_>) -> Result<(), Failed> {
        let name = found.name;
        let allowed: &[&str] = match found.kind {
            "OBJECT" | "INTERFACE" => &["SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM"],
            "INPUT_OBJECT" => &["SCALAR", "ENUM", "INPUT_OBJECT"],
            _ => &[],
        };
        if !allowed.is_empty() {
            if found.fields.is_empty() {
                return refused(format!("{name} must define one or more fields"));
            }
            for field in &found.fields {
                if !self
                    .schema
                    .of(&field.r#type)
                    .is_some_and(|of| of.is_any(allowed))
                {
                    return refused(format!("field `{}` of {name}: another kind", field.name));
                }
            }
        }
        for value in &found.values {
            self.directives(&value.directives, "ENUM_VALUE", None)?;
            self.once(&value.directives)?;
        }
        if found.kind == "ENUM" {
            if found.values.is_empty() {
                return refused(format!("{name} must define one or more values"));
            }
            unique(
                found.values.iter().map(|value| value.name.as_str()),
                "value",
            )?;
            let mut names = found.values.iter().map(|value| value.name.as_str());
            if names.any(|name| matches!(name, "true" | "false" | "null")) {
                return refused(format!("a value of {name} is no name"));
            }
        }
        Ok(())
    }

    fn known(&self, found: &Type) -> Result<(), Failed> {
        match self.schema.of(found) {
            Some(_) => Ok(()),
            None => refused(format!("undefined type {}", found.name())),
        }
    }

    fn arguments(
        &self,
        arguments: &[FieldDefinition],
        of: Option<&DirectiveDefinition>,
    ) -> Result<(), Failed> {
        for argument in arguments {
            reserved(&argument.name)?;
            self.known(&argument.r#type)?;
            if !self
                .schema
                .of(&argument.r#type)
                .is_some_and(Whole::is_input)
            {
                return refused(format!("argument `{}`: no input type", argument.name));
            }
            self.directives(&argument.directives, "ARGUMENT_DEFINITION", of)?;
            self.once(&argument.directives)?;
        }
        Ok(())
    }

    fn directives<'d>(
        &self,
        directives: impl IntoIterator<Item = &'d Directive>,
        place: &str,
        of: Option<&DirectiveDefinition>,
    ) -> Result<(), Failed> {
        for directive in directives {
            let name = &directive.name;
            reserved(name)?;
            if of.is_some_and(|of| of.name == *name) {
                return refused(format!("directive {name} cannot refer to itself"));
            }
            let Some(definition) = self.schema.directives.get(name.as_str()) else {
                return refused(format!("undefined directive {name}"));
            };
            if !definition
                .locations
                .iter()
                .any(|location| location == place)
            {
                return refused(format!("directive {name} is not applicable on {place}"));
            }
            self.steps.take(
                (directive.arguments.len() + 1) * (definition.arguments.len() + 1)
                    + definition.locations.len(),
            )?;
            Self::given(directive, definition)?;
        }
        Ok(())
    }

    /// That a directive has the arguments that it must, and no others.
    fn given(directive: &Directive, definition: &DirectiveDefinition) -> Result<(), Failed> {
        for argument in &directive.arguments {
            if !definition
                .arguments
                .iter()
                .any(|known| known.name == argument.name)
            {
                return refused(format!(
                    "undefined argument {} for {}",
                    argument.name, directive.name
                ));
            }
        }
        for wanted in &definition.arguments {
            let mut given = directive.arguments.iter();
            let given = given.find(|argument| argument.name == wanted.name);
            let is_given = given.is_some_and(|argument| argument.value.kind != kind::NULL);
            if wanted.r#type.non_null && !is_given && wanted.default_value.is_none() {
                return refused(format!("{} lacks argument {}", directive.name, wanted.name));
            }
        }
        Ok(())
    }

    /// That no directive is there twice which may not be; of types themselves nobody asks.
    fn once(&self, directives: &[Directive]) -> Result<(), Failed> {
        let single = directives.iter().map(|directive| directive.name.as_str());
        let single = single.filter(|name| {
            let definition = self.schema.directives.get(name);
            definition.is_some_and(|definition| !definition.is_repeatable)
        });
        unique(single, "directive")
    }
}

//! Schemas: types, directives, entry points, and what is added to them.

use super::super::document::Comments;
use super::super::schema_document::{
    Definition, DirectiveDefinition, EnumValue, FieldDefinition, OperationType, SchemaDefinition,
    SchemaDocument,
};
use super::{Failed, Kind, Parser};

/// Words that a schema may have.
const MAX_TOKENS: usize = 150_000;

/// Where directives may stand, but for schemas and types of each kind.
const PLACES: [&str; 19] = [
    "QUERY",
    "MUTATION",
    "SUBSCRIPTION",
    "FIELD",
    "FRAGMENT_DEFINITION",
    "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
    "SCHEMA",
    "SCALAR",
    "OBJECT",
    "FIELD_DEFINITION",
    "ARGUMENT_DEFINITION",
    "INTERFACE",
    "UNION",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
];

/// A description, and the comments in front of it.
#[derive(Default)]
struct Description(String, Option<Comments>);

/// Reads a schema.
pub(in super::super) fn schema(text: &str) -> Result<SchemaDocument, Failed> {
    let mut parser = Parser::new(text, MAX_TOKENS)?;
    let mut document = SchemaDocument::default();
    while !parser.is(Kind::End) {
        let description = parser.description()?;
        if !parser.is(Kind::Name) {
            return Err(parser.wrong("a definition"));
        }
        match parser.current.text.as_ref() {
            "schema" => document.schema.push(parser.entry_points(description)?),
            "directive" => document.directives.push(parser.directive(description)?),
            "extend" if description.0.is_empty() => parser.extension(&mut document)?,
            _ => {
                let comment = parser.comments();
                let mut definition = parser.definition(false)?;
                definition.after_description_comment = comment;
                (
                    definition.description,
                    definition.before_description_comment,
                ) = (description.0, description.1);
                document.definitions.push(definition);
            }
        }
    }
    document.comment = parser.comments();
    Ok(document)
}

impl Parser<'_> {
    fn description(&mut self) -> Result<Description, Failed> {
        if !self.is(Kind::Text) && !self.is(Kind::Block) {
            return Ok(Description::default());
        }
        let comments = self.comments();
        Ok(Description(self.next()?.into_owned(), comments))
    }

    /// The same of a part of a type, whose comments go with an empty one.
    fn inner_description(&mut self) -> Result<Description, Failed> {
        let Description(text, comments) = self.description()?;
        let comments = comments.filter(|_| !text.is_empty());
        Ok(Description(text, comments))
    }

    fn entry_points(&mut self, description: Description) -> Result<SchemaDefinition, Failed> {
        let after_description_comment = self.comments();
        self.keyword("schema")?;
        let directives = self.directives(true)?;
        let (operation_types, end_of_definition_comment) =
            self.some_commented((b'{', b'}'), |parser| {
                let comment = parser.comments();
                let operation = parser.operation_type()?;
                parser.expect_sign(b':')?;
                Ok(OperationType {
                    operation,
                    r#type: parser.name()?,
                    comment,
                })
            })?;
        Ok(SchemaDefinition {
            description: description.0,
            directives,
            operation_types,
            before_description_comment: description.1,
            after_description_comment,
            end_of_definition_comment,
        })
    }

    /// A type, or what is added to one, which has no description.
    fn definition(&mut self, added: bool) -> Result<Definition, Failed> {
        let kind = match self.current.text.as_ref() {
            "scalar" => "SCALAR",
            "type" => "OBJECT",
            "interface" => "INTERFACE",
            "union" => "UNION",
            "enum" => "ENUM",
            "input" => "INPUT_OBJECT",
            _ => return Err(self.wrong("a definition")),
        };
        if !self.is(Kind::Name) {
            return Err(self.wrong("a definition"));
        }
        self.next()?;
        let mut found = Definition {
            kind: kind.to_owned(),
            name: self.name()?,
            ..Definition::default()
        };
        // Interfaces may be implemented by one from the start, but not later.
        if self.reads("implements") && (kind == "OBJECT" || kind == "INTERFACE" && !added) {
            self.next()?;
            found.interfaces = self.names(b'&')?;
        }
        found.directives = self.directives(kind != "INPUT_OBJECT" || !added)?;
        let braces = (b'{', b'}');
        match kind {
            "OBJECT" | "INTERFACE" => {
                (found.fields, found.end_of_definition_comment) =
                    self.some_commented(braces, Self::field)?;
            }
            "INPUT_OBJECT" => {
                (found.fields, found.end_of_definition_comment) =
                    self.some_commented(braces, Self::argument)?;
            }
            "ENUM" => {
                (found.enum_values, found.end_of_definition_comment) =
                    self.some_commented(braces, Self::enum_value)?;
            }
            "UNION" if self.skip_sign(b'=')? => found.types = self.names(b'|')?,
            _ => {}
        }
        Ok(found)
    }

    fn extension(&mut self, document: &mut SchemaDocument) -> Result<(), Failed> {
        let comment = self.comments();
        self.keyword("extend")?;
        if self.reads("schema") {
            let mut found = self.entry_points(Description::default())?;
            if found.directives.is_empty() && found.operation_types.is_empty() {
                return Err(self.wrong("what is added"));
            }
            found.after_description_comment = comment;
            document.schema_extension.push(found);
            return Ok(());
        }
        let mut found = self.definition(true)?;
        let adds = !found.directives.is_empty()
            || !found.interfaces.is_empty()
            || !found.fields.is_empty()
            || !found.types.is_empty()
            || !found.enum_values.is_empty();
        if !adds {
            return Err(self.wrong("what is added"));
        }
        found.after_description_comment = comment;
        document.extensions.push(found);
        Ok(())
    }

    fn field(&mut self) -> Result<FieldDefinition, Failed> {
        let description = self.inner_description()?;
        let after_description_comment = self.comments();
        let name = self.name()?;
        let arguments = self.argument_definitions()?;
        self.expect_sign(b':')?;
        Ok(FieldDefinition {
            description: description.0,
            name,
            arguments,
            default_value: None,
            r#type: self.type_reference()?,
            directives: self.directives(true)?,
            before_description_comment: description.1,
            after_description_comment,
        })
    }

    fn argument_definitions(&mut self) -> Result<Vec<FieldDefinition>, Failed> {
        self.some((b'(', b')'), Self::argument)
    }

    /// An argument, or a field of an input object.
    fn argument(&mut self) -> Result<FieldDefinition, Failed> {
        let description = self.inner_description()?;
        let after_description_comment = self.comments();
        let name = self.name()?;
        self.expect_sign(b':')?;
        let r#type = self.type_reference()?;
        let has_default = self.skip_sign(b'=')?;
        Ok(FieldDefinition {
            description: description.0,
            name,
            arguments: Vec::new(),
            default_value: has_default.then(|| self.value(true)).transpose()?,
            r#type,
            directives: self.directives(true)?,
            before_description_comment: description.1,
            after_description_comment,
        })
    }

    fn enum_value(&mut self) -> Result<EnumValue, Failed> {
        let description = self.inner_description()?;
        let after_description_comment = self.comments();
        Ok(EnumValue {
            description: description.0,
            name: self.name()?,
            directives: self.directives(true)?,
            before_description_comment: description.1,
            after_description_comment,
        })
    }

    fn directive(&mut self, description: Description) -> Result<DirectiveDefinition, Failed> {
        let after_description_comment = self.comments();
        self.keyword("directive")?;
        self.expect_sign(b'@')?;
        let name = self.name()?;
        let arguments = self.argument_definitions()?;
        let is_repeatable = self.is(Kind::Name) && self.reads("repeatable");
        if is_repeatable {
            self.next()?;
        }
        self.keyword("on")?;
        let locations = self.names(b'|')?;
        if let Some(other) = locations
            .iter()
            .find(|name| !PLACES.contains(&name.as_str()))
        {
            return Err(Failed::refused(format!(
                "no place for a directive: `{other}`"
            )));
        }
        Ok(DirectiveDefinition {
            description: description.0,
            name,
            arguments,
            locations,
            is_repeatable,
            before_description_comment: description.1,
            after_description_comment,
        })
    }
}

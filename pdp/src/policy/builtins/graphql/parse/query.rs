//! Queries: operations and fragments.

use super::super::document::{
    Field, Fragment, Inline, Operation, QueryDocument, Selection, Spread, VariableDefinition,
};
use super::{Failed, Kind, Parser};

/// Words that a query may have.
const MAX_TOKENS: usize = 20_000;

/// Reads a query.
pub(in super::super) fn query(text: &str) -> Result<QueryDocument, Failed> {
    let mut parser = Parser::new(text, MAX_TOKENS)?;
    let mut document = QueryDocument {
        placed: true,
        ..QueryDocument::default()
    };
    while !parser.is(Kind::End) {
        if parser.is_sign(b'{') {
            document.operations.push(Operation {
                kind: "query".to_owned(),
                selection_set: parser.selections()?,
                ..Operation::default()
            });
        } else if parser.is(Kind::Name) && parser.reads("fragment") {
            document.fragments.push(parser.fragment()?);
        } else if parser.is(Kind::Name) {
            document.operations.push(parser.operation()?);
        } else {
            return Err(parser.wrong("a definition"));
        }
    }
    Ok(document)
}

impl Parser<'_> {
    /// `query`, `mutation` or `subscription`.
    pub(super) fn operation_type(&mut self) -> Result<String, Failed> {
        match self.current.text.as_ref() {
            "query" | "mutation" | "subscription" => Ok(self.next()?.into_owned()),
            _ => Err(self.wrong("an operation")),
        }
    }

    fn operation(&mut self) -> Result<Operation, Failed> {
        let comment = self.comments();
        let kind = self.operation_type()?;
        let name = if self.is(Kind::Name) {
            self.name()?
        } else {
            String::new()
        };
        Ok(Operation {
            kind,
            name,
            variable_definitions: self.variable_definitions()?,
            directives: self.directives(false)?,
            selection_set: self.selections()?,
            comment,
        })
    }

    fn fragment(&mut self) -> Result<Fragment, Failed> {
        let comment = self.comments();
        self.keyword("fragment")?;
        if self.reads("on") {
            return Err(self.wrong("a name"));
        }
        let name = self.name()?;
        let variable_definition = self.variable_definitions()?;
        self.keyword("on")?;
        Ok(Fragment {
            name,
            variable_definition,
            type_condition: self.name()?,
            directives: self.directives(false)?,
            selection_set: self.selections()?,
            comment,
        })
    }

    fn variable_definitions(&mut self) -> Result<Vec<VariableDefinition>, Failed> {
        self.some((b'(', b')'), |parser| {
            let comment = parser.comments();
            let variable = parser.variable()?;
            parser.expect_sign(b':')?;
            let r#type = parser.type_reference()?;
            let has_default = parser.skip_sign(b'=')?;
            Ok(VariableDefinition {
                variable,
                r#type,
                default_value: has_default.then(|| parser.value(true)).transpose()?,
                directives: parser.directives(false)?,
                comment,
                used: false,
            })
        })
    }

    fn selections(&mut self) -> Result<Vec<Selection>, Failed> {
        if !self.is_sign(b'{') {
            return Err(self.wrong("{"));
        }
        self.deeper(|parser| parser.some((b'{', b'}'), Self::selection))
    }

    fn selection(&mut self) -> Result<Selection, Failed> {
        let comment = self.comments();
        if self.is(Kind::Spread) {
            self.next()?;
            if self.is(Kind::Name) && !self.reads("on") {
                return Ok(Selection::Spread(Spread {
                    name: self.name()?,
                    directives: self.directives(false)?,
                    comment,
                }));
            }
            let is_conditional = self.reads("on");
            if is_conditional {
                self.next()?;
            }
            return Ok(Selection::Inline(Inline {
                type_condition: is_conditional
                    .then(|| self.name())
                    .transpose()?
                    .unwrap_or_default(),
                directives: self.directives(false)?,
                selection_set: self.selections()?,
                comment,
            }));
        }
        let alias = self.name()?;
        let name = if self.skip_sign(b':')? {
            self.name()?
        } else {
            alias.clone()
        };
        let (arguments, directives) = (self.arguments(false)?, self.directives(false)?);
        let has_selections = self.is_sign(b'{');
        Ok(Selection::Field(Field {
            alias,
            name,
            arguments,
            directives,
            selection_set: has_selections
                .then(|| self.selections())
                .transpose()?
                .unwrap_or_default(),
            comment,
        }))
    }
}

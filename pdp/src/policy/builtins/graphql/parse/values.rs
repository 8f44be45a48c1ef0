//! Values, types, and the directives and arguments that have them.

use super::super::document::{Argument, Child, Directive, Type, Value, kind};
use super::{Failed, Kind, Parser};

impl Parser<'_> {
    pub(super) fn directives(&mut self, constant: bool) -> Result<Vec<Directive>, Failed> {
        let mut directives = Vec::new();
        while self.skip_sign(b'@')? {
            directives.push(Directive {
                name: self.name()?,
                arguments: self.arguments(constant)?,
                location: String::new(),
            });
        }
        Ok(directives)
    }

    pub(super) fn arguments(&mut self, constant: bool) -> Result<Vec<Argument>, Failed> {
        self.some((b'(', b')'), |parser| {
            let comment = parser.comments();
            let name = parser.name()?;
            parser.expect_sign(b':')?;
            let value = parser.value(constant)?;
            Ok(Argument {
                name,
                value,
                comment,
            })
        })
    }

    pub(super) fn variable(&mut self) -> Result<String, Failed> {
        self.expect_sign(b'$')?;
        self.name()
    }

    pub(super) fn value(&mut self, constant: bool) -> Result<Value, Failed> {
        let kind = match self.current.kind {
            Kind::Sign(b'[') => return self.deeper(|parser| parser.list(constant)),
            Kind::Sign(b'{') => return self.deeper(|parser| parser.object(constant)),
            Kind::Sign(b'$') if !constant => {
                return Ok(Value {
                    raw: self.variable()?,
                    ..Value::default()
                });
            }
            Kind::Int => kind::INT,
            Kind::Float => kind::FLOAT,
            Kind::Text => kind::STRING,
            Kind::Block => kind::BLOCK,
            Kind::Name if self.reads("true") || self.reads("false") => kind::BOOLEAN,
            Kind::Name if self.reads("null") => kind::NULL,
            Kind::Name => kind::ENUM,
            _ => return Err(self.wrong("a value")),
        };
        Ok(Value {
            kind,
            raw: self.next()?.into_owned(),
            ..Value::default()
        })
    }

    pub(super) fn list(&mut self, constant: bool) -> Result<Value, Failed> {
        let comment = self.comments();
        let children = self.each((b'[', b']'), |parser| {
            Ok(Child {
                name: String::new(),
                value: parser.value(constant)?,
                comment: None,
            })
        })?;
        self.next()?;
        Ok(Value {
            kind: kind::LIST,
            children,
            comment,
            ..Value::default()
        })
    }

    pub(super) fn object(&mut self, constant: bool) -> Result<Value, Failed> {
        let comment = self.comments();
        let children = self.each((b'{', b'}'), |parser| {
            let comment = parser.comments();
            let name = parser.name()?;
            parser.expect_sign(b':')?;
            let value = parser.value(constant)?;
            Ok(Child {
                name,
                value,
                comment,
            })
        })?;
        self.next()?;
        Ok(Value {
            kind: kind::OBJECT,
            children,
            comment,
            ..Value::default()
        })
    }

    pub(super) fn type_reference(&mut self) -> Result<Type, Failed> {
        let mut found = Type::default();
        if self.skip_sign(b'[')? {
            found.elem = Some(Box::new(self.deeper(Self::type_reference)?));
            self.expect_sign(b']')?;
        } else {
            found.named = self.name()?;
        }
        found.non_null = self.skip_sign(b'!')?;
        Ok(found)
    }
}

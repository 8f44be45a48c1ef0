//! A query as the Go library gqlparser has it in JSON, which is what OPA's built-ins answer and take, and
//! what it shares with schemas (`schema_document`). Comments that gqlparser writes but does not read again
//! are not read here either.
//!
//! What this is not: a judge of what is written.

use serde::{Deserialize, Deserializer, Serialize};

use super::intake;

/// Kinds of values, by gqlparser's numbers.
pub(super) mod kind {
    pub(in super::super) const VARIABLE: u8 = 0;
    pub(in super::super) const INT: u8 = 1;
    pub(in super::super) const FLOAT: u8 = 2;
    pub(in super::super) const STRING: u8 = 3;
    pub(in super::super) const BLOCK: u8 = 4;
    pub(in super::super) const BOOLEAN: u8 = 5;
    pub(in super::super) const NULL: u8 = 6;
    pub(in super::super) const ENUM: u8 = 7;
    pub(in super::super) const LIST: u8 = 8;
    pub(in super::super) const OBJECT: u8 = 9;
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct QueryDocument {
    pub(super) operations: Vec<Operation>,
    pub(super) fragments: Vec<Fragment>,
    pub(super) comment: Option<Comments>,
    /// Whether it was read from text, so that each part has a place there.
    #[serde(skip)]
    pub(super) placed: bool,
}

/// Comments in front of something, one behind the other.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Comments {
    pub(super) list: Vec<Comment>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Comment {
    pub(super) value: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Operation {
    #[serde(rename = "Operation", deserialize_with = "intake::operation")]
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) variable_definitions: Vec<VariableDefinition>,
    pub(super) directives: Vec<Directive>,
    #[serde(deserialize_with = "intake::selections")]
    pub(super) selection_set: Vec<Selection>,
    #[serde(skip_deserializing)]
    pub(super) comment: Option<Comments>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Fragment {
    pub(super) name: String,
    pub(super) variable_definition: Vec<VariableDefinition>,
    pub(super) type_condition: String,
    pub(super) directives: Vec<Directive>,
    #[serde(deserialize_with = "intake::selections")]
    pub(super) selection_set: Vec<Selection>,
    #[serde(skip_deserializing)]
    pub(super) comment: Option<Comments>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Selection {
    Field(Field),
    Spread(Spread),
    Inline(Inline),
}

/// gqlparser reads every selection of an object as a field: a fragment has no place in one.
impl<'de> Deserialize<'de> for Selection {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Field::deserialize(from).map(Self::Field)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Field {
    pub(super) alias: String,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) arguments: Vec<Argument>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) directives: Vec<Directive>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "intake::selections")]
    pub(super) selection_set: Vec<Selection>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub(super) comment: Option<Comments>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Spread {
    pub(super) name: String,
    pub(super) directives: Vec<Directive>,
    pub(super) comment: Option<Comments>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inline {
    pub(super) type_condition: String,
    pub(super) directives: Vec<Directive>,
    pub(super) selection_set: Vec<Selection>,
    pub(super) comment: Option<Comments>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VariableDefinition {
    #[serde(default)]
    pub(super) variable: String,
    #[serde(deserialize_with = "intake::some_type")]
    pub(super) r#type: Type,
    #[serde(default, deserialize_with = "intake::default_value")]
    pub(super) default_value: Option<Value>,
    #[serde(default)]
    pub(super) directives: Vec<Directive>,
    #[serde(default)]
    pub(super) comment: Option<Comments>,
    #[serde(default)]
    pub(super) used: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
    pub(super) location: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Argument {
    #[serde(default)]
    pub(super) name: String,
    #[serde(deserialize_with = "intake::value")]
    pub(super) value: Value,
    #[serde(default)]
    pub(super) comment: Option<Comments>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Value {
    #[serde(default)]
    pub(super) raw: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) children: Vec<Child>,
    pub(super) kind: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<Comments>,
    #[serde(default)]
    pub(super) expected_type_has_default: bool,
}

/// An element of a list, which has no name, or a field of an object.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Child {
    #[serde(default)]
    pub(super) name: String,
    #[serde(deserialize_with = "intake::value")]
    pub(super) value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<Comments>,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Type {
    #[serde(rename = "NamedType")]
    pub(super) named: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) elem: Option<Box<Type>>,
    pub(super) non_null: bool,
}

impl Type {
    /// The name at its core; empty where there is none.
    pub(super) fn name(&self) -> &str {
        match &self.elem {
            Some(elem) if self.named.is_empty() => elem.name(),
            _ => &self.named,
        }
    }

    /// Whether a value of this type may stand where one of `other` is wanted.
    pub(super) fn fits(&self, other: &Self) -> bool {
        let elements_fit = match (&self.elem, &other.elem) {
            (Some(own), Some(other)) => own.fits(other),
            (own, _) => own.is_none(),
        };
        self.named == other.named && elements_fit && (self.non_null || !other.non_null)
    }
}

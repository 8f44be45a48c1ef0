//! A schema as the Go library gqlparser has it in JSON: what is written, in its order, and not yet put
//! together (`schema`).

use serde::{Deserialize, Serialize};

use super::document::{Comments, Directive, Type, Value};
use super::intake;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SchemaDocument {
    pub(super) schema: Vec<SchemaDefinition>,
    pub(super) schema_extension: Vec<SchemaDefinition>,
    pub(super) directives: Vec<DirectiveDefinition>,
    pub(super) definitions: Vec<Definition>,
    pub(super) extensions: Vec<Definition>,
    pub(super) comment: Option<Comments>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SchemaDefinition {
    pub(super) description: String,
    pub(super) directives: Vec<Directive>,
    pub(super) operation_types: Vec<OperationType>,
    pub(super) before_description_comment: Option<Comments>,
    pub(super) after_description_comment: Option<Comments>,
    pub(super) end_of_definition_comment: Option<Comments>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct OperationType {
    pub(super) operation: String,
    pub(super) r#type: String,
    pub(super) comment: Option<Comments>,
}

/// A type, or what is added to one.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Definition {
    pub(super) kind: String,
    pub(super) description: String,
    pub(super) name: String,
    pub(super) directives: Vec<Directive>,
    pub(super) interfaces: Vec<String>,
    pub(super) fields: Vec<FieldDefinition>,
    pub(super) types: Vec<String>,
    pub(super) enum_values: Vec<EnumValue>,
    pub(super) built_in: bool,
    pub(super) before_description_comment: Option<Comments>,
    pub(super) after_description_comment: Option<Comments>,
    pub(super) end_of_definition_comment: Option<Comments>,
}

/// A field, or an argument, which has none itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FieldDefinition {
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "intake::arguments")]
    pub(super) arguments: Vec<FieldDefinition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "intake::default_value")]
    pub(super) default_value: Option<Value>,
    #[serde(deserialize_with = "intake::some_type")]
    pub(super) r#type: Type,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) directives: Vec<Directive>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before_description_comment: Option<Comments>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after_description_comment: Option<Comments>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct EnumValue {
    pub(super) description: String,
    pub(super) name: String,
    pub(super) directives: Vec<Directive>,
    pub(super) before_description_comment: Option<Comments>,
    pub(super) after_description_comment: Option<Comments>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct DirectiveDefinition {
    pub(super) description: String,
    pub(super) name: String,
    #[serde(deserialize_with = "intake::arguments")]
    pub(super) arguments: Vec<FieldDefinition>,
    pub(super) locations: Vec<String>,
    pub(super) is_repeatable: bool,
    pub(super) before_description_comment: Option<Comments>,
    pub(super) after_description_comment: Option<Comments>,
}

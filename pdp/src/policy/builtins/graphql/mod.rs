//! `graphql.*`: queries and schemas of GraphQL read, judged and told as OPA does, which is as the Go library
//! gqlparser does: its tree as JSON, and its rules with what they let pass.
//!
//! Edgeward reads and judges by itself: `apollo-compiler` calls other documents valid than gqlparser, has no
//! comments in its tree, and brings thirty crates. What is not as in OPA is an error, which denies: documents
//! beyond bounds, and objects for documents that are not as these built-ins write them (`intake`); but for a
//! whole number there that is written with a fraction, which the engine cannot tell from one without, and OPA
//! calls no document. Messages are in other words than OPA's.

mod context;
mod definitions;
mod document;
mod intake;
mod interfaces;
mod lexer;
mod overlap;
mod parse;
mod query;
mod schema;
mod schema_document;
mod spreads;
mod steps;
mod values;

use regorus::Value;

use self::document::QueryDocument;
use self::schema::Schema;
use self::schema_document::SchemaDocument;
use self::steps::Steps;
use super::arguments::Arguments;
use super::{Builtin, Failed};

/// What is here.
pub(super) const ALL: &[Builtin] = &[
    ("graphql.is_valid", 2, |a| verdict(both(a).map(|_| ()))),
    ("graphql.parse", 2, |a| {
        texts(a, &[0, 1])?;
        let (query, schema) = both(a)?;
        Ok(Value::from(vec![
            intake::object(&query)?,
            intake::object(&schema)?,
        ]))
    }),
    ("graphql.parse_and_verify", 2, |a| {
        let (valid, query, schema) = match both(a) {
            Ok((query, schema)) => (true, intake::object(&query)?, intake::object(&schema)?),
            Err(bound @ Failed::Bound(_)) => return Err(bound),
            Err(_) => (false, Value::new_object(), Value::new_object()),
        };
        Ok(Value::from(vec![Value::from(valid), query, schema]))
    }),
    ("graphql.parse_query", 1, |a| {
        intake::object(&parse::query(a.text(0)?)?)
    }),
    ("graphql.parse_schema", 1, |a| {
        intake::object(&parse::schema(a.text(0)?)?)
    }),
    ("graphql.schema_is_valid", 1, |a| {
        let schema = schema(a, 0);
        verdict(schema.and_then(|schema| Schema::new(&schema, &Steps::new()).map(|_| ())))
    }),
];

/// Brackets, types and fragments that may be inside each other.
const MAX_DEPTH: usize = 64;

/// Whether a document is valid. What passes a bound is neither valid nor invalid.
fn verdict(judged: Result<(), Failed>) -> Result<Value, Failed> {
    match judged {
        Err(bound @ Failed::Bound(_)) => Err(bound),
        judged => Ok(Value::from(judged.is_ok())),
    }
}

/// That each of these operands may be a document.
fn texts(a: &Arguments<'_>, operands: &[usize]) -> Result<(), Failed> {
    for operand in operands {
        if !matches!(a.any(*operand), Value::String(_) | Value::Object(_)) {
            return Err(a.wrong(*operand, "one of {string, object}"));
        }
    }
    Ok(())
}

fn query(a: &Arguments<'_>, operand: usize) -> Result<QueryDocument, Failed> {
    match a.any(operand) {
        object @ Value::Object(_) => intake::document(object),
        _ => parse::query(a.text(operand)?),
    }
}

fn schema(a: &Arguments<'_>, operand: usize) -> Result<SchemaDocument, Failed> {
    match a.any(operand) {
        object @ Value::Object(_) => intake::document(object),
        _ => parse::schema(a.text(operand)?),
    }
}

/// The query and the schema, where the one is valid against the other.
fn both(a: &Arguments<'_>) -> Result<(QueryDocument, SchemaDocument), Failed> {
    let (query, schema) = (query(a, 0)?, schema(a, 1)?);
    let steps = Steps::new();
    let whole = Schema::new(&schema, &steps)?;
    query::check(&whole, &query, &steps)?;
    drop(whole);
    Ok((query, schema))
}

//! Template strings: `$"user {id}"` becomes a call of a function of ours, which writes what OPA writes.
//!
//! As in OPA each part is a set of what it comes to: none is written `<undefined>`, and two are an
//! error. Lines stay where they are.

use std::fmt::Write as _;

use regorus::{Engine, Value};
use thiserror::Error;

use super::Replaced;
use super::token::{Kind, Piece, piece, tokens};
use crate::policy::bounded;
use crate::policy::builtins::Failed;
use crate::policy::set::LoadError;

/// The function, by the name that OPA gives its own.
pub(super) const FUNCTION: &str = "internal.template_string";

/// Why a template has no text.
#[derive(Debug, Error)]
enum TemplateError {
    #[error("a part of a template string must have one value, not several")]
    Several,
    #[error("a template string is written from a list of texts and sets")]
    NotParts,
    #[error(transparent)]
    Bound(#[from] Failed),
}

/// Writes the template `token`, `$` and quotes included, as a call.
pub(super) fn rewrite(token: &str, kind: Kind, depth: usize, out: &mut String) {
    let quote = if kind == Kind::Template { '"' } else { '`' };
    let mut rest = token.get(2..).unwrap_or_default();
    out.push_str(FUNCTION);
    out.push_str("([");
    let mut literal = String::new();
    loop {
        match piece(rest, quote, depth) {
            Some(Piece::Literal(length)) => {
                let text = rest.get(..length).unwrap_or_default();
                literal.push_str(if text == r"\{" { "{" } else { text });
                rest = rest.get(length..).unwrap_or_default();
            }
            Some(Piece::Code(length)) => {
                write_literal(&mut literal, quote, out);
                let code = rest.get(1..=length).unwrap_or_default();
                let _ = write!(out, "{{__part{depth}__ | __part{depth}__ := ");
                let code = tokens(code);
                super::write_tokens(&code, 0..code.len(), &Replaced::new(), depth + 1, out);
                out.push_str("}, ");
                rest = rest.get(length + 2..).unwrap_or_default();
            }
            // The tokenizer has seen the end.
            Some(Piece::End) | None => break,
        }
    }
    write_literal(&mut literal, quote, out);
    out.push_str("])");
}

fn write_literal(literal: &mut String, quote: char, out: &mut String) {
    if !literal.is_empty() {
        let _ = write!(out, "{quote}{literal}{quote}, ");
        literal.clear();
    }
}

/// Gives the engine the function.
pub(super) fn install(engine: &mut Engine) -> Result<(), LoadError> {
    let function = |args: Vec<Value>| Ok(join(&args)?);
    engine
        .add_extension(FUNCTION.to_owned(), 1, Box::new(function))
        .map_err(|error| LoadError::engine(&error))
}

fn join(arguments: &[Value]) -> Result<Value, TemplateError> {
    let [Value::Array(parts)] = arguments else {
        return Err(TemplateError::NotParts);
    };
    bounded::check_sizes(arguments)?;
    let mut text = String::new();
    for part in parts.iter() {
        match part {
            Value::String(literal) => text.push_str(literal),
            Value::Set(values) => {
                let mut values = values.iter();
                match (values.next(), values.next()) {
                    (None, _) => text.push_str("<undefined>"),
                    (Some(Value::String(value)), None) => text.push_str(value),
                    (Some(value), None) => write_value(value, &mut text),
                    _ => return Err(TemplateError::Several),
                }
            }
            _ => return Err(TemplateError::NotParts),
        }
    }
    let text = Value::from(text);
    bounded::budget::charge(&text)?;
    Ok(text)
}

/// As OPA writes a term: JSON, with blanks, and sets in braces. Values are no deeper than the engine lets them.
fn write_value(value: &Value, out: &mut String) {
    let listed = |items: &mut dyn Iterator<Item = &Value>, out: &mut String| {
        for (number, item) in items.enumerate() {
            out.push_str(if number > 0 { ", " } else { "" });
            write_value(item, out);
        }
    };
    match value {
        Value::Array(items) => {
            out.push('[');
            listed(&mut items.iter(), out);
            out.push(']');
        }
        Value::Set(items) if items.is_empty() => out.push_str("set()"),
        Value::Set(items) => {
            out.push('{');
            listed(&mut items.iter(), out);
            out.push('}');
        }
        Value::Object(members) => {
            out.push('{');
            for (number, (name, value)) in members.iter_sorted().enumerate() {
                out.push_str(if number > 0 { ", " } else { "" });
                write_value(name, out);
                out.push_str(": ");
                write_value(value, out);
            }
            out.push('}');
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

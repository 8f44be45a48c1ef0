//! The question: written by the filter, read by the PDP.

use serde_json::{Map, Number, Value};

use super::reader::Reader;
use super::{VERSION, WireError};
use crate::cache_key::{FALSE, LIST, NULL, NUMBER, OBJECT, TEXT, TRUE, write_text};

/// How deep values may be nested: as deep as the JSON reader lets them be.
const MAX_DEPTH: u32 = 128;

/// A question that was read.
#[derive(Debug, PartialEq)]
pub struct Question<'b> {
    /// The program whose footprint made the projection.
    pub program: &'b str,
    /// The projection onto [`super::about`].
    pub about: Value,
    /// The projection onto the program's footprint.
    pub input: Value,
}

/// Begins a question for `program`. Both projections follow, [`super::about`]'s first, as
/// `crate::cache_key` writes them.
pub fn write_question(out: &mut Vec<u8>, program: &str) {
    out.push(VERSION);
    write_text(out, program);
}

/// Reads a question.
pub fn read_question(body: &[u8]) -> Result<Question<'_>, WireError> {
    let mut reader = Reader(body);
    reader.expect(VERSION)?;
    let question = Question {
        program: reader.text()?,
        about: read_value(&mut reader, MAX_DEPTH)?,
        input: read_value(&mut reader, MAX_DEPTH)?,
    };
    reader.end()?;
    if question.about.is_object() && question.input.is_object() {
        Ok(question)
    } else {
        Err(WireError)
    }
}

/// The value that `crate::cache_key::write_value` wrote: whatever reads as one was written so, but
/// for the spelling of a number.
fn read_value(reader: &mut Reader<'_>, depth: u32) -> Result<Value, WireError> {
    let depth = depth.checked_sub(1).ok_or(WireError)?;
    match reader.byte()? {
        NULL => Ok(Value::Null),
        FALSE => Ok(Value::Bool(false)),
        TRUE => Ok(Value::Bool(true)),
        NUMBER => {
            let number: Number = reader.counted()?.parse().map_err(|_| WireError)?;
            Ok(Value::Number(number))
        }
        TEXT => Ok(Value::String(reader.counted()?.to_owned())),
        LIST => {
            let mut items = Vec::new();
            while !reader.take_if(crate::cache_key::END) {
                items.push(read_value(reader, depth)?);
            }
            Ok(Value::Array(items))
        }
        OBJECT => {
            let mut members = Map::new();
            let mut last = None;
            while !reader.take_if(crate::cache_key::END) {
                let name = reader.text()?;
                // In order, so that none is there twice.
                if last.is_some_and(|last| last >= name) {
                    return Err(WireError);
                }
                last = Some(name);
                members.insert(name.to_owned(), read_value(reader, depth)?);
            }
            Ok(Value::Object(members))
        }
        _ => Err(WireError),
    }
}

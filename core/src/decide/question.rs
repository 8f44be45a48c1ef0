//! The question: written by the filter, read by the PDP.

use serde_json::{Map, Value};

use super::reader::Reader;
use super::{MAX_QUESTIONS, VERSION, WireError};
use crate::cache_key::{Item, Items, write_text};

/// How deep values may be nested: as deep as the JSON reader lets those be that a caller says, and
/// what stands around them.
const MAX_DEPTH: u32 = 128 + 8;

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
    let question = take_question(&mut reader)?;
    reader.end()?;
    Ok(question)
}

/// Reads questions: one or more, one after the other, and no more than [`MAX_QUESTIONS`].
pub fn read_questions(body: &[u8]) -> Result<Vec<Question<'_>>, WireError> {
    let mut reader = Reader(body);
    let mut questions = vec![take_question(&mut reader)?];
    while !reader.is_at_end() {
        if questions.len() == MAX_QUESTIONS {
            return Err(WireError);
        }
        questions.push(take_question(&mut reader)?);
    }
    Ok(questions)
}

fn take_question<'b>(reader: &mut Reader<'b>) -> Result<Question<'b>, WireError> {
    reader.expect(VERSION)?;
    let question = Question {
        program: reader.text()?,
        about: take_value(reader)?,
        input: take_value(reader)?,
    };
    if question.about.is_object() && question.input.is_object() {
        Ok(question)
    } else {
        Err(WireError)
    }
}

fn take_value(reader: &mut Reader<'_>) -> Result<Value, WireError> {
    let mut items = Items::of(reader.0);
    let first = items.read()?;
    let value = value_of(first, &mut items, MAX_DEPTH)?;
    reader.0 = items.rest();
    Ok(value)
}

/// The value that `crate::cache_key::write_value` wrote, of which `first` was read: whatever reads as one
/// was written so, but for the spelling of a number.
fn value_of(first: Item<'_>, items: &mut Items<'_>, depth: u32) -> Result<Value, WireError> {
    let depth = depth.checked_sub(1).ok_or(WireError)?;
    Ok(match first {
        Item::Null => Value::Null,
        Item::Flag(flag) => Value::Bool(flag),
        Item::Number(text) => Value::Number(text.parse().map_err(|_| WireError)?),
        Item::Text(text) => Value::String(text.to_owned()),
        Item::List => {
            let mut list = Vec::new();
            loop {
                match items.read()? {
                    Item::End => break Value::Array(list),
                    item => list.push(value_of(item, items, depth)?),
                }
            }
        }
        Item::Object => {
            let mut members = Map::new();
            let mut last = None;
            loop {
                let name = match items.read()? {
                    Item::End => break Value::Object(members),
                    // In order, so that none is there twice.
                    Item::Text(name) if last < Some(name) => name,
                    _ => return Err(WireError),
                };
                last = Some(name);
                let first = items.read()?;
                members.insert(name.to_owned(), value_of(first, items, depth)?);
            }
        }
        Item::End => return Err(WireError),
    })
}

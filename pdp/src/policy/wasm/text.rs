//! Values as the text that compiled policies read and write: JSON, but for sets (`{1,2}`, `set()`) and for
//! names of members, which may be any value.
//!
//! What this is not: a reader for what a client sends. What is read here was written by a module, within
//! the memory that it may have; so it is bounded, but it is not trusted to be well-formed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use regorus::Value;
use thiserror::Error;

/// Values inside each other, more than any input or data file may have (128).
const MAX_DEPTH: usize = 512;

/// Why there is no text of a value, or no value of a text.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum TextError {
    /// Not what a module writes.
    #[error("is no value at byte {0}")]
    Syntax(usize),
    /// Nested beyond all bounds.
    #[error("nests more than {MAX_DEPTH} values")]
    TooDeep,
    /// Undefined, or a number that is none.
    #[error("has something that cannot be written")]
    Unwritable,
}

/// Adds the text of `value` to `out`.
pub(super) fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), TextError> {
    match value {
        Value::Undefined => return Err(TextError::Unwritable),
        Value::Number(number) => {
            // Writing to a list of bytes does not fail.
            let _ = match (number.as_u64(), number.as_i64()) {
                (Some(whole), _) => write!(out, "{whole}"),
                (None, Some(whole)) => write!(out, "{whole}"),
                (None, None) => write!(out, "{}", number.format_decimal()),
            };
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {
            serde_json::to_writer(&mut *out, value).map_err(|_| TextError::Unwritable)?;
        }
        Value::Array(items) => write_each((b'[', b']'), items.iter(), out, write)?,
        Value::Set(items) if items.is_empty() => out.extend_from_slice(b"set()"),
        Value::Set(items) => write_each((b'{', b'}'), items.iter(), out, write)?,
        Value::Object(members) => {
            write_each((b'{', b'}'), members.iter(), out, |(name, member), out| {
                write(name, out)?;
                out.push(b':');
                write(member, out)
            })?;
        }
    }
    Ok(())
}

fn write_each<T>(
    (open, close): (u8, u8),
    items: impl Iterator<Item = T>,
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>) -> Result<(), TextError>,
) -> Result<(), TextError> {
    out.push(open);
    for (place, item) in items.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(item, out)?;
    }
    out.push(close);
    Ok(())
}

/// The value that `text` is, to its end.
pub(super) fn read(text: &str) -> Result<Value, TextError> {
    let mut reader = Reader { text, rest: text };
    let value = reader.value(MAX_DEPTH)?;
    reader.skip_spaces();
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(reader.syntax())
    }
}

struct Reader<'t> {
    text: &'t str,
    rest: &'t str,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, TextError> {
        let depth = depth.checked_sub(1).ok_or(TextError::TooDeep)?;
        self.skip_spaces();
        if self.take("[") {
            let mut items = Vec::new();
            self.list("]", |reader| {
                items.push(reader.value(depth)?);
                Ok(())
            })?;
            return Ok(Value::from(items));
        }
        if self.take("{") {
            return self.braces(depth);
        }
        if self.rest.starts_with('"') {
            return self.string();
        }
        for (word, value) in [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
            ("set()", Value::from(BTreeSet::new())),
        ] {
            if self.take(word) {
                return Ok(value);
            }
        }
        self.number()
    }

    /// An object, or a set with members: which of them, its first member tells.
    fn braces(&mut self, depth: usize) -> Result<Value, TextError> {
        let mut members = BTreeMap::new();
        let mut items = BTreeSet::new();
        self.list("}", |reader| {
            let first = reader.value(depth)?;
            reader.skip_spaces();
            if reader.take(":") {
                members.insert(first, reader.value(depth)?);
            } else {
                items.insert(first);
            }
            Ok(())
        })?;
        match (members.is_empty(), items.is_empty()) {
            (_, true) => Ok(Value::from(members)),
            (true, false) => Ok(Value::from(items)),
            (false, false) => Err(self.syntax()),
        }
    }

    /// What `item` reads, with commas between, up to `close`.
    fn list(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Result<(), TextError>,
    ) -> Result<(), TextError> {
        self.skip_spaces();
        if self.take(close) {
            return Ok(());
        }
        loop {
            item(self)?;
            self.skip_spaces();
            if self.take(close) {
                return Ok(());
            }
            if !self.take(",") {
                return Err(self.syntax());
            }
        }
    }

    fn string(&mut self) -> Result<Value, TextError> {
        let mut is_escaped = false;
        let mut has_escapes = false;
        let mut bytes = self.rest.bytes().enumerate().skip(1);
        let end = bytes.find_map(|(place, byte)| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            has_escapes |= byte == b'\\';
            ends.then_some(place + 1)
        });
        let parts = end.and_then(|end| self.rest.split_at_checked(end));
        let (quoted, rest) = parts.ok_or_else(|| self.syntax())?;
        let value = if has_escapes {
            let text: String = serde_json::from_str(quoted).map_err(|_| self.syntax())?;
            Value::from(text)
        } else {
            Value::from(quoted.trim_matches('"'))
        };
        self.rest = rest;
        Ok(value)
    }

    /// As `value::from_json` has it, but for whole numbers of more than 64 bits, which stay whole.
    fn number(&mut self) -> Result<Value, TextError> {
        let is_in_number =
            |byte: u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let end = self.rest.bytes().position(|byte| !is_in_number(byte));
        let end = end.unwrap_or(self.rest.len());
        let parts = self.rest.split_at_checked(end);
        let (digits, rest) = parts.ok_or_else(|| self.syntax())?;
        let is_whole = !digits.contains(['.', 'e', 'E']);
        let value = if let Ok(whole) = digits.parse::<u64>() {
            Value::from(whole)
        } else if let Ok(whole) = digits.parse::<i64>() {
            Value::from(whole)
        } else if is_whole {
            Value::Number(digits.parse().map_err(|_| self.syntax())?)
        } else {
            let fraction = digits.parse::<f64>().map_err(|_| self.syntax())?;
            if !fraction.is_finite() {
                return Err(self.syntax());
            }
            Value::from(fraction)
        };
        self.rest = rest;
        Ok(value)
    }

    fn take(&mut self, start: &str) -> bool {
        let rest = self.rest.strip_prefix(start);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn syntax(&self) -> TextError {
        TextError::Syntax(self.text.len() - self.rest.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for text in [
            "null",
            "true",
            "-7",
            "18446744073709551616",
            "0.1",
            "\"\"",
            "\"a\\\"b\\\\\"",
            "\"\\u0000é\u{2028}\"",
            "[]",
            "{}",
            "set()",
            "{1,2}",
            "{[1]:{\"a\"},\"b\":set()}",
            "[{\"result\":{\"x\":[1,{2}]}}]",
        ] {
            let value = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let mut written = Vec::new();
            write(&value, &mut written).unwrap();
            let again = String::from_utf8(written).unwrap();
            assert_eq!(read(&again).as_ref(), Ok(&value), "{text}: {again}");
        }
        let set = Value::from(BTreeSet::from([Value::from(1_u64), Value::from("a")]));
        assert_eq!(read(" { \"a\" , 1 } "), Ok(set));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let deep = "[".repeat(MAX_DEPTH + 1);
        for text in [
            "", "{1:2,3}", "[1", "{", "\"", "\"\\\"", "1 2", "nul", "set(", "--1", "1e999", "[1,]",
            "'a'", "{\"a\":}", &deep,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(
            write(&Value::Undefined, &mut Vec::new()),
            Err(TextError::Unwritable)
        );
    }
}

//! The encoding of a key, item by item: written without a [`serde_json::Value`], and read back.
//!
//! What this is not: a judge of order. Whoever writes an object writes its members by name, each once.

use thiserror::Error;

use super::{END, FALSE, LIST, NULL, NUMBER, OBJECT, TEXT, TRUE, write_bytes};

/// One item. An object is `Object`, then name and value of each member, then `End`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'k> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number, as JSON spells it.
    Number(&'k str),
    /// A text, or the name of a member.
    Text(&'k str),
    /// The beginning of a list.
    List,
    /// The beginning of an object.
    Object,
    /// The end of the innermost list or object.
    End,
}

/// The bytes are no encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not the encoding of a value")]
pub struct KeyError;

/// Appends `item`.
pub fn write_item(out: &mut Vec<u8>, item: Item<'_>) {
    match item {
        Item::Null => out.push(NULL),
        Item::Flag(false) => out.push(FALSE),
        Item::Flag(true) => out.push(TRUE),
        Item::Number(text) => write_bytes(out, NUMBER, text.as_bytes()),
        Item::Text(text) => write_bytes(out, TEXT, text.as_bytes()),
        Item::List => out.push(LIST),
        Item::Object => out.push(OBJECT),
        Item::End => out.push(END),
    }
}

/// The items of an encoding, from the first.
#[derive(Debug, Clone)]
pub struct Items<'k>(&'k [u8]);

impl<'k> Items<'k> {
    /// Of these bytes.
    pub fn of(encoding: &'k [u8]) -> Self {
        Self(encoding)
    }

    /// The next item.
    pub fn read(&mut self) -> Result<Item<'k>, KeyError> {
        let (tag, rest) = self.0.split_first().ok_or(KeyError)?;
        self.0 = rest;
        Ok(match *tag {
            NULL => Item::Null,
            FALSE => Item::Flag(false),
            TRUE => Item::Flag(true),
            NUMBER => Item::Number(self.text()?),
            TEXT => Item::Text(self.text()?),
            LIST => Item::List,
            OBJECT => Item::Object,
            END => Item::End,
            _ => return Err(KeyError),
        })
    }

    /// The encoding of the value that comes next, which is passed over.
    pub fn skip(&mut self) -> Result<&'k [u8], KeyError> {
        let whole = self.0;
        let mut open = 0_usize;
        loop {
            match self.read()? {
                Item::List | Item::Object => open += 1,
                Item::End => open = open.checked_sub(1).ok_or(KeyError)?,
                _ => {}
            }
            if open == 0 {
                let length = whole.len() - self.0.len();
                return whole.get(..length).ok_or(KeyError);
            }
        }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'k [u8] {
        self.0
    }

    fn text(&mut self) -> Result<&'k str, KeyError> {
        let mut length = 0_usize;
        for shift in (0..usize::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(KeyError)?;
            self.0 = rest;
            length |= usize::from(byte & 0x7f)
                .checked_shl(shift)
                .ok_or(KeyError)?;
            if byte & 0x80 == 0 {
                let (text, rest) = self.0.split_at_checked(length).ok_or(KeyError)?;
                self.0 = rest;
                return str::from_utf8(text).map_err(|_| KeyError);
            }
        }
        Err(KeyError)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::super::tests::{any_footprint, any_value};
    use super::super::write_projection;
    use super::super::write_value;
    use super::*;

    fn read(items: &mut Items<'_>) -> Result<Value, KeyError> {
        let item = items.read()?;
        value_of(item, items)
    }

    fn value_of(item: Item<'_>, items: &mut Items<'_>) -> Result<Value, KeyError> {
        Ok(match item {
            Item::Null => Value::Null,
            Item::Flag(flag) => Value::Bool(flag),
            Item::Number(text) => serde_json::from_str(text).map_err(|_| KeyError)?,
            Item::Text(text) => text.into(),
            Item::List => {
                let mut list = Vec::new();
                loop {
                    match items.read()? {
                        Item::End => break Value::Array(list),
                        item => list.push(value_of(item, items)?),
                    }
                }
            }
            Item::Object => {
                let mut members = Map::new();
                loop {
                    match items.read()? {
                        Item::End => break Value::Object(members),
                        Item::Text(name) => members.insert(name.to_owned(), read(items)?),
                        _ => return Err(KeyError),
                    };
                }
            }
            Item::End => return Err(KeyError),
        })
    }

    proptest! {
        #[test]
        fn a_projection_is_written_as_if_it_had_been_made(
            claims in any_value(),
            vary in any_footprint(),
        ) {
            let properties = serde_json::json!({ "claims": claims, "issuer": "i" });
            let value = serde_json::json!({ "subject": { "id": 7, "properties": properties } });
            let (mut written, mut made) = (Vec::new(), Vec::new());
            write_projection(&mut written, &value, &vary);
            write_value(&mut made, &vary.project(value));
            prop_assert_eq!(written, made);
        }

        #[test]
        fn what_was_written_is_read(value in any_value(), long in 0..20_000_usize) {
            for value in [value, Value::from("é".repeat(long))] {
                let mut key = Vec::new();
                write_value(&mut key, &value);
                let whole = key.clone();
                key.push(TEXT);
                let mut items = Items::of(&key);
                prop_assert_eq!(items.clone().skip().unwrap(), &*whole);
                prop_assert_eq!(read(&mut items).unwrap(), value);
                prop_assert_eq!(items.rest(), &[TEXT]);
            }
        }

        #[test]
        fn bytes_that_nobody_wrote_are_an_error_or_come_to_an_end(bytes in prop::collection::vec(0..9_u8, 0..30)) {
            let mut items = Items::of(&bytes);
            if let Ok(value) = items.skip() {
                let mut written = Vec::new();
                let mut again = Items::of(value);
                while let Ok(item) = again.read() {
                    write_item(&mut written, item);
                }
                prop_assert_eq!(&*written, value);
            }
        }
    }
}

//! Bytes taken from the front, one piece at a time, where they are no key: those are read by
//! [`Items`]. It never reads past the end, and no length that it is told makes it allocate.

use super::WireError;
use crate::cache_key::{Item, Items};

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn byte(&mut self) -> Result<u8, WireError> {
        let (first, rest) = self.0.split_first().ok_or(WireError)?;
        self.0 = rest;
        Ok(*first)
    }

    /// Takes this very byte.
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), WireError> {
        if self.byte()? == byte {
            Ok(())
        } else {
            Err(WireError)
        }
    }

    /// Takes the byte if it is the next one.
    pub(super) fn take_if(&mut self, byte: u8) -> bool {
        let next = self.0.first() == Some(&byte);
        if next {
            self.0 = self.0.get(1..).unwrap_or_default();
        }
        next
    }

    /// A text with its tag.
    pub(super) fn text(&mut self) -> Result<&'b str, WireError> {
        let mut items = Items::of(self.0);
        let Item::Text(text) = items.read()? else {
            return Err(WireError);
        };
        self.0 = items.rest();
        Ok(text)
    }

    /// Eight bytes, the highest first.
    pub(super) fn number(&mut self) -> Result<u64, WireError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(WireError)?;
        self.0 = rest;
        Ok(u64::from_be_bytes(*number))
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// Nothing is left.
    pub(super) fn end(self) -> Result<(), WireError> {
        if self.is_at_end() {
            Ok(())
        } else {
            Err(WireError)
        }
    }
}

//! Bytes taken from the front, one piece at a time. It never reads past the end, and no length that
//! it is told makes it allocate.

use super::WireError;
use crate::cache_key::TEXT;

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
        self.expect(TEXT)?;
        self.counted()
    }

    /// A length, seven bits a byte and the lowest first, and as much text.
    pub(super) fn counted(&mut self) -> Result<&'b str, WireError> {
        let mut length = 0_usize;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let (text, rest) = self.0.split_at_checked(length).ok_or(WireError)?;
                self.0 = rest;
                return std::str::from_utf8(text).map_err(|_| WireError);
            }
        }
        Err(WireError)
    }

    /// Eight bytes, the highest first.
    pub(super) fn number(&mut self) -> Result<u64, WireError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(WireError)?;
        self.0 = rest;
        Ok(u64::from_be_bytes(*number))
    }

    /// Nothing is left.
    pub(super) fn end(self) -> Result<(), WireError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(WireError)
        }
    }
}

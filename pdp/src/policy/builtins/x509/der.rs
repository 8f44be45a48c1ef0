//! DER as Go's `cryptobyte` reads it: definite lengths in their shortest form, tags of one byte.
//!
//! A reader of its own, for the answer must not only be right where DER is: what OPA refuses has to be
//! refused. It borrows, does not recurse, and knows no structure: `certificate`, `request` and their like do.

use num_bigint::BigUint;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// Bytes of the longest part of an object identifier that is written as text.
const MAX_PART: usize = 256;

/// The tag of a context-specific element that has no parts.
pub(super) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag of a context-specific element that has parts.
pub(super) const fn parts(number: u8) -> u8 {
    0xa0 | number
}

/// Bytes of which elements are read, one after the other.
#[derive(Clone, Copy)]
pub(super) struct Reader<'d>(pub(super) &'d [u8]);

/// One element.
#[derive(Clone, Copy)]
pub(super) struct Element<'d> {
    pub(super) tag: u8,
    pub(super) body: &'d [u8],
    /// With tag and length.
    pub(super) whole: &'d [u8],
}

impl<'d> Reader<'d> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is_next(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    pub(super) fn any(&mut self) -> Option<Element<'d>> {
        let (&tag, after) = self.0.split_first()?;
        let (&first, after) = after.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, header) = if first & 0x80 == 0 {
            (usize::from(first), 2)
        } else {
            let count = usize::from(first & 0x7f);
            let digits = after.get(..count)?;
            if !(1..=4).contains(&count) || digits.first() == Some(&0) {
                return None;
            }
            let length = digits
                .iter()
                .fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
            if length < 0x80 {
                return None;
            }
            (length, 2 + count)
        };
        let (whole, rest) = self.0.split_at_checked(header.checked_add(length)?)?;
        self.0 = rest;
        let body = whole.get(header..)?;
        Some(Element { tag, body, whole })
    }

    pub(super) fn element(&mut self, tag: u8) -> Option<Element<'d>> {
        self.any().filter(|element| element.tag == tag)
    }

    /// What is in the next element, which must have this tag.
    pub(super) fn inside(&mut self, tag: u8) -> Option<Reader<'d>> {
        self.element(tag).map(|element| Reader(element.body))
    }

    /// What is in the next element if it has this tag.
    #[expect(clippy::option_option, reason = "malformed, absent or there")]
    pub(super) fn optional(&mut self, tag: u8) -> Option<Option<Reader<'d>>> {
        if self.is_next(tag) {
            self.inside(tag).map(Some)
        } else {
            Some(None)
        }
    }

    pub(super) fn boolean(&mut self) -> Option<bool> {
        match self.element(BOOLEAN)?.body {
            [0] => Some(false),
            [0xff] => Some(true),
            _ => None,
        }
    }

    /// The bytes of a whole number, in two's complement.
    pub(super) fn integer(&mut self, tag: u8) -> Option<&'d [u8]> {
        let body = self.element(tag)?.body;
        let shortest = match body {
            [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => false,
            [_, ..] => true,
        };
        shortest.then_some(body)
    }

    pub(super) fn small(&mut self, tag: u8) -> Option<i64> {
        let body = self.integer(tag)?;
        let negative = body.first()? & 0x80 != 0;
        let start = if negative { -1 } else { 0 };
        (body.len() <= 8).then(|| {
            body.iter()
                .fold(start, |sum: i64, byte| sum << 8 | i64::from(*byte))
        })
    }

    pub(super) fn bits(&mut self) -> Option<Bits<'d>> {
        let (&padding, bytes) = self.element(BIT_STRING)?.body.split_first()?;
        let unused = match bytes.last() {
            None => padding == 0,
            Some(last) => padding <= 7 && last & ((1 << padding) - 1) == 0,
        };
        unused.then_some(Bits { bytes, padding })
    }

    /// An object identifier whose parts have 31 bits.
    pub(super) fn oid(&mut self) -> Option<Vec<u32>> {
        oid(self.element(OBJECT_IDENTIFIER)?.body)
    }
}

/// A string of bits.
pub(super) struct Bits<'d> {
    bytes: &'d [u8],
    padding: u8,
}

impl Bits<'_> {
    pub(super) fn is_set(&self, number: usize) -> bool {
        let byte = self.bytes.get(number / 8).copied().unwrap_or_default();
        byte & (0x80 >> (number % 8)) != 0
    }

    /// The bytes, with what is unused in front.
    pub(super) fn right_aligned(&self) -> Vec<u8> {
        let mut before = 0_u8;
        let shifted = self.bytes.iter().map(|byte| {
            let joined = u16::from(before) << 8 | u16::from(*byte);
            before = *byte;
            let [_, low] = (joined >> self.padding).to_be_bytes();
            low
        });
        shifted.collect()
    }
}

/// The parts of an object identifier; none where one has more than 31 bits.
pub(super) fn oid(body: &[u8]) -> Option<Vec<u32>> {
    let mut read = Vec::with_capacity(body.len() + 1);
    let mut part = 0_u32;
    let mut within = false;
    for byte in body {
        if part >= 1 << 24 || (!within && *byte == 0x80) {
            return None;
        }
        part = part << 7 | u32::from(byte & 0x7f);
        within = byte & 0x80 != 0;
        if within {
            continue;
        }
        if read.is_empty() {
            let first = (part / 40).min(2);
            read.push(first);
            part -= 40 * first;
        }
        read.push(part);
        part = 0;
    }
    (!read.is_empty() && !within).then_some(read)
}

/// An object identifier of parts of any size, with dots; none where one is longer than any that is used.
/// What does not end is left out, as in Go.
pub(super) fn dotted(body: &[u8]) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut groups: Vec<u8> = Vec::new();
    for byte in body {
        groups.push(byte & 0x7f);
        if groups.len() > MAX_PART {
            return None;
        }
        if byte & 0x80 != 0 {
            continue;
        }
        let mut part = BigUint::from_radix_be(&groups, 128)?;
        groups.clear();
        if parts.is_empty() {
            let first = (&part / 40_u32).min(BigUint::from(2_u32));
            part -= &first * 40_u32;
            parts.push(first.to_string());
        }
        parts.push(part.to_string());
    }
    Some(parts.join("."))
}

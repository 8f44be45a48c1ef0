//! Parameters of a query, read in one way only: none twice whatever its case, none that is unknown,
//! no spelling that two readers could take for two things.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::AwsStsRefusal;

/// Parameters by their names.
#[derive(Debug)]
pub(super) struct Parameters(BTreeMap<&'static str, String>);

impl Parameters {
    /// Reads `query`, which may have only `known` names, spelt so.
    pub(super) fn read(query: &str, known: &[&'static str]) -> Result<Self, AwsStsRefusal> {
        let mut seen = Vec::new();
        let mut found = BTreeMap::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').ok_or(AwsStsRefusal::Unreadable)?;
            let (name, value) = (decoded(name)?, decoded(value)?);
            let folded = name.to_ascii_lowercase();
            if seen.contains(&folded) {
                return Err(AwsStsRefusal::Duplicate(name));
            }
            seen.push(folded);
            let Some(known) = known.iter().find(|known| **known == name) else {
                return Err(AwsStsRefusal::Parameter(name));
            };
            found.insert(*known, value);
        }
        Ok(Self(found))
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The query as AWS signs it: in the order of names, everything encoded but unreserved characters.
    pub(super) fn canonical(&self) -> String {
        let pairs = self
            .0
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// Text of visible ASCII characters. A `+` may be read as a space: it must be encoded.
fn decoded(text: &str) -> Result<String, AwsStsRefusal> {
    let mut decoded = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next()), digit(bytes.next()));
                let value = high.zip(low).map(|(high, low)| high * 16 + low);
                value.and_then(|value| u8::try_from(value).ok())
            }
            b'+' => None,
            byte => Some(byte),
        };
        let byte = byte.filter(u8::is_ascii_graphic);
        decoded.push(char::from(byte.ok_or(AwsStsRefusal::Unreadable)?));
    }
    Ok(decoded)
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

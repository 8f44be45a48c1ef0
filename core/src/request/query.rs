//! The query: forwarded as it came, and read once into names and values for the policy.

use serde::ser::{Serialize, SerializeMap, Serializer};
use thiserror::Error;

use super::path::percent_decode;

const MAX_PAIRS: usize = 256;

/// Why a query has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum QueryRefusal {
    /// A byte that is not printable ASCII, or a fragment sign.
    #[error("query has a `#` or a byte that is not printable ASCII")]
    Character,
    /// A percent sign without two hex digits, or one that decodes to a control character or to
    /// bytes that are not UTF-8.
    #[error("query has a percent-encoding that is malformed, a control character or not UTF-8")]
    Encoding,
    /// More than 256 pairs.
    #[error("query has more than {MAX_PAIRS} pairs")]
    TooManyPairs,
}

/// A query and its pairs, decoded, in order. Serialises as an object of lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalQuery {
    text: String,
    pairs: Vec<(String, String)>,
}

impl CanonicalQuery {
    /// Reads what follows the question mark, as `application/x-www-form-urlencoded`.
    pub fn parse(text: &str) -> Result<Self, QueryRefusal> {
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
        {
            return Err(QueryRefusal::Character);
        }
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == MAX_PAIRS {
                return Err(QueryRefusal::TooManyPairs);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name)?, decode(value)?));
        }
        Ok(Self {
            text: text.to_owned(),
            pairs,
        })
    }

    /// The query as forwarded, without the question mark.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Names and values, decoded, in the order of the request.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}

impl Serialize for CanonicalQuery {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_multimap(&self.pairs, serializer)
    }
}

/// Writes pairs as an object of lists: `{"k": ["v1", "v2"]}`, names in order of first appearance.
pub(crate) fn serialize_multimap<N, V, S>(
    pairs: &[(N, V)],
    serializer: S,
) -> Result<S::Ok, S::Error>
where
    N: AsRef<str>,
    V: AsRef<str>,
    S: Serializer,
{
    let mut map = serializer.serialize_map(None)?;
    for (index, (name, _)) in pairs.iter().enumerate() {
        let name = name.as_ref();
        if pairs
            .iter()
            .take(index)
            .any(|(earlier, _)| earlier.as_ref() == name)
        {
            continue;
        }
        let rest = pairs
            .iter()
            .skip(index)
            .filter(|(other, _)| other.as_ref() == name);
        let values: Vec<&str> = rest.map(|(_, value)| value.as_ref()).collect();
        map.serialize_entry(name, &values)?;
    }
    map.end()
}

fn decode(text: &str) -> Result<String, QueryRefusal> {
    if !text.contains(['%', '+']) {
        return Ok(text.to_owned());
    }
    let spaced = text.replace('+', " ");
    percent_decode(&spaced).ok_or(QueryRefusal::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_keep_every_value() {
        let query = CanonicalQuery::parse("a=1&b=%C3%A9+x&a=2&&c").unwrap();
        let json = serde_json::to_string(&query).unwrap();
        assert_eq!(json, r#"{"a":["1","2"],"b":["é x"],"c":[""]}"#);
        assert_eq!(query.as_str(), "a=1&b=%C3%A9+x&a=2&&c");
    }

    #[test]
    fn a_query_with_two_readings_is_refused() {
        for text in [
            "a=%", "a=%4", "a=%zz", "a=%00", "a=%0A", "a=%E9", "a=#", "a= b", "é",
        ] {
            assert!(CanonicalQuery::parse(text).is_err(), "{text}");
        }
    }
}

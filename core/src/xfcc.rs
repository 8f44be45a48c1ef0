//! The `x-forwarded-client-cert` header: a list of elements, one per proxy that saw a client
//! certificate, the nearest last.
//!
//! What this is not: proof of anything. [`crate::peer`] decides which element may be believed.
//!
//! Source: Envoy 1.40, "HTTP header manipulation", `x-forwarded-client-cert`.

use thiserror::Error;

/// The longest header looked at, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// Why a header value is not XFCC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum XfccError {
    /// Longer than 16 KiB.
    #[error("XFCC is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// A pair without `=`, an unclosed quote, or text behind one.
    #[error("XFCC is malformed")]
    Malformed,
    /// `Hash` is there twice or is not 64 lower-case hex digits.
    #[error("XFCC `Hash` is malformed")]
    Hash,
}

/// What one proxy said of its client's certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XfccElement {
    /// SHA-256 of the DER certificate.
    pub hash: Option<[u8; 32]>,
    /// Every URI subject alternative name, in order.
    pub uris: Vec<String>,
    /// The element as it stood in the header.
    pub text: String,
}

/// Reads all elements; an empty header has none.
pub fn parse(header: &str) -> Result<Vec<XfccElement>, XfccError> {
    if header.len() > MAX_BYTES {
        return Err(XfccError::TooLong);
    }
    let mut elements = Vec::new();
    for text in split_outside_quotes(header, ',')? {
        elements.push(element(text)?);
    }
    Ok(elements)
}

fn element(text: &str) -> Result<XfccElement, XfccError> {
    let mut element = XfccElement {
        text: text.to_owned(),
        ..XfccElement::default()
    };
    for pair in split_outside_quotes(text, ';')? {
        let (name, value) = pair.split_once('=').ok_or(XfccError::Malformed)?;
        let value = unquote(value)?;
        match name.to_ascii_lowercase().as_str() {
            "hash" => {
                let digest = hex_digest(&value).ok_or(XfccError::Hash)?;
                if element.hash.replace(digest).is_some() {
                    return Err(XfccError::Hash);
                }
            }
            // Envoy writes `URI=` with nothing behind it for a certificate without a URI name.
            "uri" if !value.is_empty() => element.uris.push(value),
            _ => {}
        }
    }
    Ok(element)
}

fn split_outside_quotes(text: &str, separator: char) -> Result<Vec<&str>, XfccError> {
    let mut parts = Vec::new();
    let (mut quoted, mut escaped, mut start) = (false, false, 0);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if character == separator && !quoted => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + character.len_utf8();
            }
            _ => {}
        }
    }
    if quoted {
        return Err(XfccError::Malformed);
    }
    parts.push(text.get(start..).unwrap_or_default());
    Ok(parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect())
}

fn unquote(value: &str) -> Result<String, XfccError> {
    let Some(rest) = value.strip_prefix('"') else {
        return if value.contains('"') {
            Err(XfccError::Malformed)
        } else {
            Ok(value.to_owned())
        };
    };
    let inner = rest.strip_suffix('"').ok_or(XfccError::Malformed)?;
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(characters.next().ok_or(XfccError::Malformed)?),
            '"' => return Err(XfccError::Malformed),
            _ => text.push(character),
        }
    }
    Ok(text)
}

/// Reads 64 lower-case hex digits, as Envoy writes a SHA-256 digest.
pub fn hex_digest(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?))
        .collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_uri_of_every_element_is_seen() {
        let hash = "ab".repeat(32);
        let header = format!(
            "By=spiffe://x/y;Hash={hash};Subject=\"CN=a,b;URI=spiffe://evil/x\";URI=spiffe://d/one;\
             URI=spiffe://d/two,Hash={hash};URI="
        );
        let elements = parse(&header).unwrap();
        assert_eq!(elements.len(), 2);
        assert_eq!(elements[0].uris, ["spiffe://d/one", "spiffe://d/two"]);
        assert_eq!(elements[0].hash, Some([0xab; 32]));
        assert!(elements[1].uris.is_empty());
    }

    #[test]
    fn a_malformed_header_is_refused() {
        for header in [
            "Hash",
            "Hash=zz",
            "Subject=\"a",
            "Subject=\"a\"b",
            "URI=a\"b",
            "Hash=AB",
        ] {
            assert!(parse(header).is_err(), "{header}");
        }
        assert_eq!(parse(""), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn no_quoted_text_ever_becomes_an_element_or_a_uri(subject in "\\PC{0,40}") {
            let quoted = subject.replace('\\', "\\\\").replace('"', "\\\"");
            let elements = parse(&format!("Subject=\"{quoted}\";URI=spiffe://d/w")).unwrap();
            prop_assert_eq!(elements.len(), 1);
            prop_assert_eq!(&elements[0].uris, &["spiffe://d/w"]);
        }
    }
}

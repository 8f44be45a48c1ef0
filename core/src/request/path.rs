//! The path: one spelling, or a refusal.
//!
//! By default (`strict`) nothing is guessed: dot segments, empty segments, backslashes, encoded
//! slashes and fragments are refused. The other modes reproduce what Envoy does under Istio's
//! `pathNormalization` of the same name, for setups that must accept such paths.
//!
//! In every mode the spelling is RFC 3986 section 6.2.2's: hex digits in upper case, unreserved
//! characters decoded, characters that must not stand in a path encoded.

use std::str::FromStr;

use thiserror::Error;

/// How a path that is not canonical is brought into form, or refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PathNormalization {
    /// Refuse whatever two readers could read two ways.
    #[default]
    Strict,
    /// Resolve dot segments; a backslash is a slash (Istio `BASE`).
    Base,
    /// `Base`, and several slashes are one (Istio `MERGE_SLASHES`).
    MergeSlashes,
    /// `MergeSlashes`, and encoded slashes are slashes (Istio `DECODE_AND_MERGE_SLASHES`).
    DecodeAndMergeSlashes,
}

/// The text names no normalization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be `strict`, `base`, `merge-slashes` or `decode-and-merge-slashes`")]
pub struct UnknownNormalization;

impl FromStr for PathNormalization {
    type Err = UnknownNormalization;

    fn from_str(name: &str) -> Result<Self, UnknownNormalization> {
        match name {
            "strict" => Ok(Self::Strict),
            "base" => Ok(Self::Base),
            "merge-slashes" => Ok(Self::MergeSlashes),
            "decode-and-merge-slashes" => Ok(Self::DecodeAndMergeSlashes),
            _ => Err(UnknownNormalization),
        }
    }
}

/// Why a path has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PathRefusal {
    /// Does not begin with a slash: `*`, an absolute form, or a gRPC path without one.
    #[error("path does not begin with a slash")]
    NoLeadingSlash,
    /// A byte that is not printable ASCII.
    #[error("path has a byte that is not printable ASCII")]
    Character,
    /// A `#`: some servers cut the path there.
    #[error("path has a fragment")]
    Fragment,
    /// A backslash, which some servers read as a slash.
    #[error("path has a backslash")]
    Backslash,
    /// A percent sign without two hex digits, an encoded control character, or bytes that are not
    /// UTF-8.
    #[error("path has a percent-encoding that is malformed, a control character or not UTF-8")]
    Encoding,
    /// An encoded slash or backslash.
    #[error("path has an encoded slash or backslash")]
    EncodedSlash,
    /// A `.` or `..` segment, also with a `;` parameter behind it.
    #[error("path has a dot segment")]
    DotSegment,
    /// Two slashes in a row.
    #[error("path has an empty segment")]
    EmptySegment,
    /// `..` above the root.
    #[error("path climbs above the root")]
    AboveRoot,
}

impl PathRefusal {
    /// The stable reason code, kebab-case.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoLeadingSlash => "request-path-not-absolute",
            Self::Character => "request-path-character",
            Self::Fragment => "request-path-fragment",
            Self::Backslash => "request-path-backslash",
            Self::Encoding => "request-path-encoding",
            Self::EncodedSlash => "request-path-encoded-slash",
            Self::DotSegment => "request-path-dot-segment",
            Self::EmptySegment => "request-path-empty-segment",
            Self::AboveRoot => "request-path-above-root",
        }
    }
}

/// A path in its one spelling, and its segments, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath {
    text: String,
    segments: Vec<String>,
}

impl CanonicalPath {
    /// Reads the part of `:path` before the question mark.
    pub fn parse(raw: &str, normalization: PathNormalization) -> Result<Self, PathRefusal> {
        if !raw.starts_with('/') {
            return Err(PathRefusal::NoLeadingSlash);
        }
        let spelled = spell(raw, normalization)?;
        let text = match normalization {
            PathNormalization::Strict => {
                check_strict(&spelled)?;
                spelled
            }
            PathNormalization::Base => resolve_dots(&spelled)?,
            PathNormalization::MergeSlashes | PathNormalization::DecodeAndMergeSlashes => {
                merge_slashes(&resolve_dots(&spelled)?)
            }
        };
        let mut segments = Vec::new();
        for segment in text.split('/').skip(1) {
            segments.push(percent_decode(segment).ok_or(PathRefusal::Encoding)?);
        }
        Ok(Self { text, segments })
    }

    /// The path as it is decided on and forwarded.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The segments, percent-decoded; `/` has one, which is empty, and so ends `/a/`.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }
}

/// The spelling of every character: RFC 3986 section 6.2.2.1 and 6.2.2.2.
fn spell(raw: &str, normalization: PathNormalization) -> Result<String, PathRefusal> {
    let mut spelled = String::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'#' => return Err(PathRefusal::Fragment),
            b'\\' if normalization == PathNormalization::Strict => {
                return Err(PathRefusal::Backslash);
            }
            b'\\' => spelled.push('/'),
            b'%' => {
                let decoded = hex_pair(bytes.next(), bytes.next()).ok_or(PathRefusal::Encoding)?;
                spell_encoded(decoded, normalization, &mut spelled)?;
            }
            b'"' | b'<' | b'>' | b'[' | b']' | b'^' | b'`' | b'{' | b'|' | b'}' => {
                push_encoded(byte, &mut spelled);
            }
            _ if byte.is_ascii_graphic() => spelled.push(char::from(byte)),
            _ => return Err(PathRefusal::Character),
        }
    }
    Ok(spelled)
}

fn spell_encoded(
    byte: u8,
    normalization: PathNormalization,
    spelled: &mut String,
) -> Result<(), PathRefusal> {
    match byte {
        b'/' | b'\\' if normalization == PathNormalization::DecodeAndMergeSlashes => {
            spelled.push('/');
        }
        b'/' | b'\\' => return Err(PathRefusal::EncodedSlash),
        _ if byte.is_ascii_control() => return Err(PathRefusal::Encoding),
        _ if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') => {
            spelled.push(char::from(byte));
        }
        _ => push_encoded(byte, spelled),
    }
    Ok(())
}

fn push_encoded(byte: u8, spelled: &mut String) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    spelled.push('%');
    spelled.extend(HEX.get(usize::from(byte >> 4)));
    spelled.extend(HEX.get(usize::from(byte & 15)));
}

fn check_strict(path: &str) -> Result<(), PathRefusal> {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_some() {
            return Err(PathRefusal::EmptySegment);
        }
        if is_dot_segment(segment) {
            return Err(PathRefusal::DotSegment);
        }
    }
    Ok(())
}

/// `.` and `..`, and both with a parameter: servlet containers cut `;x` off before they resolve.
fn is_dot_segment(segment: &str) -> bool {
    let name = segment.split_once(';').map_or(segment, |(name, _)| name);
    matches!(name, "." | "..")
}

/// RFC 3986 section 5.2.4, without its leniency: `..` above the root is refused.
fn resolve_dots(path: &str) -> Result<String, PathRefusal> {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop().ok_or(PathRefusal::AboveRoot)?;
                }
                if segments.peek().is_none() {
                    kept.push("");
                }
            }
            _ if is_dot_segment(segment) => return Err(PathRefusal::DotSegment),
            _ => kept.push(segment),
        }
    }
    Ok(format!("/{}", kept.join("/")))
}

fn merge_slashes(path: &str) -> String {
    let mut merged = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !merged.ends_with('/') {
            merged.push(character);
        }
    }
    merged
}

/// Decodes every percent-encoding; `None` where one is malformed, a control character, or the
/// result is not UTF-8.
pub fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let byte = hex_pair(bytes.next(), bytes.next())?;
                if byte.is_ascii_control() {
                    return None;
                }
                decoded.push(byte);
            }
            _ => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).ok()
}

fn hex_pair(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;

//! PEM as Go's `encoding/pem` finds it: sections anywhere in a text, each from the beginning of a line to
//! the end of one; what is broken is passed over.
//!
//! Not RFC 7468, which is stricter, and not `rustls-pki-types`, which passes over other things.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"\n-----END ";
const DASHES: &[u8] = b"-----";

/// A section.
pub(super) struct Section {
    pub(super) label: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

/// Go's base64: with padding, without regard to ends of lines.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = (text.iter().copied())
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    BASE64.decode(text).ok()
}

/// The first section of `data`, and what is behind it.
pub(super) fn first(data: &[u8]) -> Option<(Section, &[u8])> {
    let mut rest = data;
    loop {
        let end = find(rest, END)?;
        // Behind what says that a section ends: where to go on if this is none.
        let after = rest.get(end + END.len()..)?;
        let before = rest.get(..end)?;
        match section(before, rest, end) {
            Found::Section(section, behind) => return Some((section, behind)),
            Found::Other => rest = after,
            Found::End => return None,
        }
    }
}

/// What there is before an end line.
enum Found<'d> {
    Section(Section, &'d [u8]),
    /// No section: the next end line may have one.
    Other,
    /// Headers to the end of the text: Go looks no further.
    End,
}

/// The section whose end line starts at `end` of `rest`.
fn section<'d>(before: &[u8], rest: &'d [u8], end: usize) -> Found<'d> {
    let Some((label, mut inner)) = opening(before, rest) else {
        return Found::Other;
    };
    let mut headers = false;
    while let Some(next) = behind_header(inner) {
        headers = true;
        inner = next;
    }
    // Where the text starts: one behind the end where there is none.
    let start = rest.len() - inner.len();
    if inner.is_empty() || start > end + END.len() {
        return Found::End;
    }
    if headers && end < start {
        return Found::Other;
    }
    let encoded = rest.get(start..end).unwrap_or_default();
    let behind = rest.get(end + END.len()..).and_then(|trailer| {
        let trailer = trailer.strip_prefix(label)?.strip_prefix(DASHES)?;
        let (blank, behind) = line(trailer);
        blank.is_empty().then_some(behind)
    });
    let encoded: Vec<u8> = (encoded.iter().copied())
        .filter(|byte| !matches!(byte, b' ' | b'\t'))
        .collect();
    match (behind, base64(&encoded)) {
        (Some(behind), Some(bytes)) => {
            let label = label.to_vec();
            Found::Section(Section { label, bytes }, behind)
        }
        _ => Found::Other,
    }
}

/// The label of the last opening line that is before an end line, and what is behind that line.
fn opening<'d>(before: &[u8], rest: &'d [u8]) -> Option<(&'d [u8], &'d [u8])> {
    let begin = before.windows(BEGIN.len()).rposition(|at| at == BEGIN)?;
    if begin > 0 && before.get(begin - 1) != Some(&b'\n') {
        return None;
    }
    let (line, inner) = line(rest.get(begin + BEGIN.len()..)?);
    Some((line.strip_suffix(DASHES)?, inner))
}

/// What is behind a line `name: value`.
fn behind_header(data: &[u8]) -> Option<&[u8]> {
    let (line, next) = line(data);
    line.contains(&b':').then_some(next)
}

/// The first line, without blanks behind it, and the rest.
fn line(data: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => {
            let (line, rest) = data.split_at_checked(at).unwrap_or((data, &[]));
            let rest = rest.get(1..).unwrap_or_default();
            (line.strip_suffix(b"\r").unwrap_or(line), rest)
        }
        None => (data, [].as_slice()),
    };
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let kept = line.iter().rposition(|byte| !blank(byte));
    let kept = kept.map_or(0, |last| last + 1);
    (line.get(..kept).unwrap_or_default(), rest)
}

fn find(data: &[u8], wanted: &[u8]) -> Option<usize> {
    data.windows(wanted.len()).position(|at| at == wanted)
}

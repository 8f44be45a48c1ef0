//! The lines of the journal: each with a checksum and its length.
//!
//! ```text
//! edgeward-revocations 1
//! 0f3c9a…16 hex digits of SHA-256 00009f {"revoke":{"id":"…","kind":"key",…}}
//! 77b1e0…                         00002b {"undo":"…"}
//! ```
//!
//! The length (six hex digits) tells a torn last line from two that lost the end between them.

use std::collections::BTreeMap;
use std::path::Path;

use edgeward_core::members::Members;
use edgeward_core::revocation::{Revocation, hex};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::journal::JournalError;

/// The first line: a file of another version is not understood.
pub(super) const HEADER: &str = "edgeward-revocations 1\n";
const CHECKSUM: usize = 16;
/// Checksum and length, a space after each.
const PREFIX: usize = CHECKSUM + 1 + 6 + 1;

/// One line.
pub(super) enum Line<'a> {
    Revoke(&'a Revocation),
    Undo(&'a str),
}

/// What a start finds: by id, in force or expired.
pub(super) type Found = BTreeMap<String, Revocation>;

/// What the lines say, how many they are, and where the last whole one ends.
pub(super) fn replay(path: &Path, bytes: &[u8]) -> Result<(Found, usize, usize), JournalError> {
    let damaged = |line, reason: &str| JournalError::Damaged {
        path: path.display().to_string(),
        line,
        reason: reason.to_owned(),
    };
    let lines = bytes
        .strip_prefix(HEADER.as_bytes())
        .ok_or_else(|| damaged(1, "is not the first line of a journal of this version"))?;
    let (mut found, mut count, mut end) = (Found::new(), 0, HEADER.len());
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let is_last = end + line.len() == bytes.len();
        match apply(line, &mut found) {
            Ok(()) => {}
            Err(Fault::Torn) if is_last && !has_more(line) => break,
            Err(Fault::Torn) => return Err(damaged(count + 2, "checksum does not match")),
            Err(Fault::Meaning(reason)) => return Err(damaged(count + 2, &reason)),
        }
        count += 1;
        end += line.len();
    }
    Ok((found, count, end))
}

enum Fault {
    /// Not whole.
    Torn,
    /// Whole, and not understood: written by another version.
    Meaning(String),
}

fn apply(line: &[u8], found: &mut Found) -> Result<(), Fault> {
    let line = line.strip_suffix(b"\n").ok_or(Fault::Torn)?;
    let (_, text) = line.split_at_checked(PREFIX).ok_or(Fault::Torn)?;
    if !line.starts_with(prefix(text).as_bytes()) {
        return Err(Fault::Torn);
    }
    let meaning = |error: &dyn std::fmt::Display| Fault::Meaning(error.to_string());
    let mut members = Members::parse(text, "line").map_err(|error| meaning(&error))?;
    if let Some(revocation) = members.any("revoke") {
        let revocation = Revocation::parse(revocation.to_string().as_bytes());
        let revocation = revocation.map_err(|error| meaning(&error))?;
        found.insert(revocation.revoked.id(), revocation);
    } else {
        let id = members.required_text("undo");
        found.remove(&id.map_err(|error| meaning(&error))?);
    }
    members.finish().map_err(|error| meaning(&error))
}

pub(super) fn line_of(line: &Line<'_>) -> String {
    let value: Value = match line {
        Line::Revoke(revocation) => json!({ "revoke": revocation.to_json() }),
        Line::Undo(id) => json!({ "undo": id }),
    };
    let text = value.to_string();
    format!("{}{text}\n", prefix(text.as_bytes()))
}

fn prefix(text: &[u8]) -> String {
    let mut sum = hex(&Sha256::digest(text));
    sum.truncate(CHECKSUM);
    format!("{sum} {:06x} ", text.len())
}

/// Whether a line that is not whole goes on after its end, by its own account of its length.
fn has_more(line: &[u8]) -> bool {
    let length = line
        .get(CHECKSUM + 1..PREFIX - 1)
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| usize::from_str_radix(digits, 16).ok());
    length.is_some_and(|length| line.len() > PREFIX + length + 1)
}

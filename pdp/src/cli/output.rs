//! How answers are written: for people or, with `--output json`, for programs.

use clap::ValueEnum;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// `text` fit for a terminal: what a stranger wrote must not move its cursor.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

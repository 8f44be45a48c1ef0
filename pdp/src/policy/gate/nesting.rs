//! What must not come before the engine's parser. Brackets in brackets: it tries a comprehension, then a
//! collection, at every opening bracket, so its time doubles with each level (25 levels: minutes). And
//! numbers with a large exponent, of which it writes out every digit (`1e2000000000`).
//!
//! Not a parser: strings and comments are skipped, everything else is characters.

use super::Refusal;
use crate::policy::bounded;

/// Levels of `(`, `[` and `{` a policy may nest.
pub(super) const MAX_NESTING: usize = 12;

enum Within {
    Code,
    Comment,
    Text,
    RawText,
}

/// Refuses `text` at the first bracket too deep.
pub(in crate::policy) fn check(file: &str, text: &str) -> Result<(), Refusal> {
    let mut within = Within::Code;
    let mut depth = 0_usize;
    let mut line = 1_u32;
    let mut word = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let is_code = matches!(within, Within::Code);
        if is_code && goes_on(&word, character) {
            word.push(character);
        } else if !word.is_empty() {
            check_number(file, line, &word)?;
            word.clear();
        }
        if character == '\n' {
            line += 1;
        }
        within = match (within, character) {
            (Within::Code, '#') => Within::Comment,
            (Within::Code, '"') => Within::Text,
            (Within::Code, '`') => Within::RawText,
            (Within::Code, '(' | '[' | '{') => {
                depth += 1;
                if depth > MAX_NESTING {
                    return Err(Refusal::Nesting {
                        file: file.to_owned(),
                        line,
                    });
                }
                Within::Code
            }
            (Within::Code, ')' | ']' | '}') => {
                depth = depth.saturating_sub(1);
                Within::Code
            }
            (Within::Text, '\\') => {
                characters.next();
                Within::Text
            }
            (Within::Comment, '\n') | (Within::Text, '"' | '\n') | (Within::RawText, '`') => {
                Within::Code
            }
            (state, _) => state,
        };
    }
    check_number(file, line, &word)
}

/// Whether `next` belongs to the name or number `word`.
fn goes_on(word: &str, next: char) -> bool {
    let is_exponent = word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with(['e', 'E']);
    next.is_alphanumeric() || matches!(next, '_' | '.') || next == '+' && is_exponent
}

fn check_number(file: &str, line: u32, word: &str) -> Result<(), Refusal> {
    let is_number = word
        .trim_start_matches('.')
        .starts_with(|c: char| c.is_ascii_digit());
    if is_number && bounded::is_too_large(word) {
        return Err(Refusal::Number {
            file: file.to_owned(),
            line,
        });
    }
    Ok(())
}

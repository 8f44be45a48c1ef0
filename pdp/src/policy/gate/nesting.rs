//! Brackets in brackets, counted before the engine's parser sees the text: it tries a
//! comprehension, then a collection, at every opening bracket, so its time doubles with each level
//! (25 levels: minutes).
//!
//! Not a parser: strings and comments are skipped, everything else is characters.

use super::Refusal;

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
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
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
    Ok(())
}

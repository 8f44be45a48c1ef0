//! Where rules start, and heads of functions without a body: `f("*", _)` on lines of its own means
//! `f("*", _) := true`.
//!
//! OPA takes such heads, the engine does not. Only where nothing else can be meant: the name starts a
//! rule, and what follows the arguments starts another.

use std::collections::BTreeSet;

use super::token::{Kind, Token};

/// Words after which something must come.
const GOES_ON: [&str; 14] = [
    "as", "contains", "default", "else", "every", "if", "import", "in", "not", "package", "set",
    "some", "with", "|",
];

/// Words that start no rule unless a dot follows.
const CONTINUES: [&str; 8] = [
    "as", "contains", "else", "every", "if", "in", "some", "with",
];

/// The numbers of the tokens with which rules, imports and the package start: first on a line, in no
/// bracket, behind the end of something.
pub(super) fn rule_starts(tokens: &[Token<'_>]) -> BTreeSet<usize> {
    let mut starts = BTreeSet::new();
    let mut depth = 0_usize;
    let (mut ended, mut line_ended, mut field) = (true, true, false);
    for (number, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Space {
            line_ended |= token.text.contains('\n');
            continue;
        }
        if token.kind == Kind::Comment {
            continue;
        }
        let dot = tokens.get(number + 1).is_some_and(|next| next.text == ".");
        let word = token.kind == Kind::Word && (dot || !CONTINUES.contains(&token.text));
        if depth == 0 && line_ended && word && ended {
            starts.insert(number);
        }
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        ended = field || ends_something(token);
        field = token.text == ".";
        line_ended = false;
    }
    starts
}

/// Whether `token` may be the end of a statement.
pub(super) fn ends_something(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Word => !GOES_ON.contains(&token.text),
        Kind::Symbol => matches!(token.text, ")" | "]" | "}"),
        _ => true,
    }
}

/// Whether `token` is neither blank nor comment.
pub(super) fn is_code(token: &Token<'_>) -> bool {
    !matches!(token.kind, Kind::Space | Kind::Comment)
}

/// The numbers of the tokens that close the arguments of heads without a body.
pub(super) fn without_body(tokens: &[Token<'_>], starts: &BTreeSet<usize>) -> Vec<usize> {
    starts
        .iter()
        .filter_map(|start| {
            let close = arguments_end(tokens, *start)?;
            let mut rest = tokens.iter().enumerate().skip(close + 1);
            let next = rest.find(|(_, token)| is_code(token));
            next.is_none_or(|(number, _)| starts.contains(&number))
                .then_some(close)
        })
        .collect()
}

/// The bracket that closes the arguments, where what starts at `start` is a name and arguments.
fn arguments_end(tokens: &[Token<'_>], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut after_dot = true;
    for (number, token) in tokens.iter().enumerate().skip(start) {
        match (token.kind, token.text) {
            (_, "(" | "[" | "{") if depth > 0 => depth += 1,
            (_, ")" | "]" | "}") if depth > 1 => depth -= 1,
            (_, ")") if depth == 1 => return Some(number),
            _ if depth > 0 => {}
            (Kind::Word, _) if after_dot => after_dot = false,
            (_, ".") if !after_dot => after_dot = true,
            (_, "(") if !after_dot => depth = 1,
            _ => return None,
        }
    }
    None
}

//! Rego as OPA reads it, written as the engine reads it: template strings (`template`), heads without a
//! body (`heads`), rules below keywords (`keywords`), `walk` as a value (`walk`), results as arguments
//! (`out_argument`), metadata (`metadata`), rules named by their whole path (`rules_by_path`) become what
//! they mean; and, once the engine has read that, negated expressions, objects as patterns and what documents
//! of data are indexed by (`expressions`); and, where that is asked for, what operators are given (`operands`).
//!
//! Lines stay where they are, so that errors name the right ones. A module without such constructs stays
//! as it is, byte for byte. What this is not: a parser; what is no Rego before is none after.

pub(super) mod expressions;
mod heads;
mod keywords;
mod metadata;
pub(super) mod operands;
mod out_argument;
mod rules_by_path;
mod template;
mod token;
mod walk;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The functions that a rewritten module may call.
pub(super) const FUNCTIONS: [&str; 5] = [
    template::FUNCTION,
    DOCUMENT_KEY,
    MEMBER,
    MEMBER_AT,
    operands::OPERAND,
];

/// Gives `engine`, made for `errors`, the functions.
pub(super) fn install(engine: &mut Engine, errors: BuiltinErrors) -> Result<(), LoadError> {
    template::install(engine)?;
    expressions::install(engine)?;
    operands::install(engine, errors)
}

use regorus::Engine;

pub(super) use self::expressions::{DOCUMENT_KEY, MEMBER, MEMBER_AT, found, is_member};
use self::keywords::{Declared, Split};
use self::token::{Kind, Token, tokens};
use super::builtin_errors::BuiltinErrors;
use super::set::LoadError;
use super::sources::Module;

/// Texts for tokens, by their number.
type Replaced = BTreeMap<usize, String>;

/// Files and texts of `modules` in the words of the engine: one for each, and more where rules move to
/// another package.
pub(super) fn in_words_of_the_engine<'m>(
    modules: impl Iterator<Item = &'m Module>,
) -> Vec<(&'m str, Cow<'m, str>)> {
    let modules: Vec<_> = modules
        .map(|m| (&*m.file, &*m.text, tokens(&m.text)))
        .collect();
    let keywords = modules
        .iter()
        .any(|(_, _, tokens)| keywords::are_roots_in(tokens));
    let declared: Vec<Declared> = modules
        .iter()
        .map(|(_, _, tokens)| keywords::declared(tokens))
        .collect();
    let tokens: Vec<&[Token<'_>]> = modules.iter().map(|(_, _, tokens)| &**tokens).collect();
    let rules = rules_by_path::paths(&declared);
    let mut metadata = metadata::rewrite(&tokens).into_iter();
    let mut written = Vec::with_capacity(modules.len());
    for (place, (file, text, tokens)) in modules.iter().enumerate() {
        // What a module declares matters to it only where rules move.
        let own = declared.get(place).filter(|_| keywords);
        let split = own.and_then(|own| keywords::split(tokens, own, &declared));
        let mut own = metadata.next().unwrap_or_default();
        if split.is_none() {
            rules_by_path::rewrite(tokens, &rules, &mut own);
        }
        for text in rewrite(text, tokens, split, own) {
            written.push((*file, text));
        }
    }
    written
}

/// The code in a text.
pub(super) struct Code<'t> {
    /// Where it begins, in bytes.
    pub start: usize,
    /// The names and keywords in it, those in templates left out.
    pub names: BTreeSet<&'t str>,
    /// Row and column, from 1, of the first place where it may read `data` as a whole, and not only what it
    /// names in it.
    pub whole_data: Option<(u32, u32)>,
}

/// The code in `text`; none where there is only space and comments.
pub(super) fn code_of(text: &str) -> Option<Code<'_>> {
    let tokens = tokens(text);
    let is_code = |token: &Token<'_>| !matches!(token.kind, Kind::Space | Kind::Comment);
    let first = tokens.iter().position(is_code)?;
    let start = tokens.iter().take(first).map(|token| token.text.len());
    let words = tokens.iter().filter(|token| token.kind == Kind::Word);
    let code: Vec<(usize, &Token<'_>)> = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| is_code(token))
        .collect();
    let reads_all = |place: usize| {
        let at = |place: usize| code.get(place).map(|(_, token)| (token.kind, token.text));
        let is_member = place.checked_sub(1).and_then(at) == Some((Kind::Symbol, "."));
        match at(place) {
            Some((Kind::Word, "data")) if !is_member => match (at(place + 1), at(place + 2)) {
                (Some((Kind::Symbol, ".")), _) => false,
                (Some((Kind::Symbol, "[")), Some((Kind::Text | Kind::RawText, _))) => {
                    at(place + 3) != Some((Kind::Symbol, "]"))
                }
                _ => true,
            },
            Some((Kind::Template | Kind::RawTemplate, text)) => text.contains("data"),
            _ => false,
        }
    };
    let whole = code.iter().enumerate().find(|(at, _)| reads_all(*at));
    Some(Code {
        start: start.sum(),
        names: words.map(|token| token.text).collect(),
        whole_data: whole.map(|(_, (number, _))| place(&tokens, *number)),
    })
}

/// Row and column, from 1, where the token `number` begins.
fn place(tokens: &[Token<'_>], number: usize) -> (u32, u32) {
    let before = tokens.iter().take(number);
    before
        .flat_map(|token| token.text.chars())
        .fold((1, 1), |(row, column), character| match character {
            '\n' => (row + 1, 1),
            _ => (row, column + 1),
        })
}

/// Writes one module; `replaced` is what some of its tokens are already.
fn rewrite<'t>(
    text: &'t str,
    tokens: &[Token<'t>],
    split: Option<Split>,
    mut replaced: Replaced,
) -> Vec<Cow<'t, str>> {
    for close in heads::without_body(tokens, &heads::rule_starts(tokens)) {
        replaced.insert(close, ") := true".to_owned());
    }
    walk::rewrite(tokens, &mut replaced);
    out_argument::rewrite(tokens, &mut replaced);
    let is_template = |token: &Token<'_>| matches!(token.kind, Kind::Template | Kind::RawTemplate);
    if replaced.is_empty() && split.is_none() && !tokens.iter().any(is_template) {
        return vec![Cow::Borrowed(text)];
    }
    let split = split.unwrap_or_default();
    let module = |own: Replaced, range: Range<usize>| {
        // What stands before is another module's; its lines are counted.
        let before = tokens.get(..range.start).unwrap_or_default();
        let lines = before.iter().map(|token| token.text.matches('\n').count());
        let mut out = "\n".repeat(lines.sum());
        let mut all = replaced.clone();
        all.extend(own);
        write_tokens(tokens, range, &all, 0, &mut out);
        Cow::Owned(out)
    };
    let mut modules = vec![module(split.replaced, 0..tokens.len())];
    modules.extend(
        split
            .moved
            .into_iter()
            .map(|(own, range)| module(own, range)),
    );
    modules
}

/// Writes the tokens of `range`, `depth` templates deep.
fn write_tokens(
    tokens: &[Token<'_>],
    range: Range<usize>,
    replaced: &Replaced,
    depth: usize,
    out: &mut String,
) {
    for number in range {
        let Some(token) = tokens.get(number) else {
            break;
        };
        match (replaced.get(&number), token.kind) {
            (Some(text), _) => out.push_str(text),
            (None, Kind::Template | Kind::RawTemplate) => {
                template::rewrite(token.text, token.kind, depth, out);
            }
            _ => out.push_str(token.text),
        }
    }
}

//! What a module has of statements, blocks of metadata and calls, read from its tokens.
//!
//! Not a parser: what it is not sure of is no module, or a rule without a name.

use std::ops::Range;

use super::super::heads::{is_code, rule_starts};
use super::super::token::{Kind as TokenKind, Token};
use super::block::Block;

/// Words that start something else than a plain rule.
const NO_RULE: [&str; 12] = [
    "as", "contains", "default", "else", "every", "false", "if", "in", "not", "null", "some",
    "true",
];

/// What a statement is.
pub(super) enum Kind {
    Package,
    Import,
    Rule(Rule),
}

/// A rule, as far as it is read.
pub(super) struct Rule {
    /// The words of its name, up to what is not fixed; none where that is not sure.
    name: Option<Vec<String>>,
    /// Whether it may call: one branch, and no default.
    plain: bool,
    /// Name and arguments, in which nothing may call.
    head: Range<usize>,
}

/// A statement of a module.
pub(super) struct Statement {
    pub(super) line: usize,
    pub(super) kind: Kind,
    tokens: Range<usize>,
}

/// A call of one of the two functions.
pub(super) struct Call {
    pub(super) tokens: Range<usize>,
    /// Number of the statement that calls.
    pub(super) statement: usize,
    pub(super) chain: bool,
}

/// A module.
pub(super) struct Module {
    pub(super) package: Vec<String>,
    pub(super) statements: Vec<Statement>,
    /// Blocks of metadata, with the lines of their first comments.
    pub(super) blocks: Vec<(usize, Block)>,
    pub(super) calls: Vec<Call>,
}

/// Whether there may be a call.
pub(super) fn may_call(tokens: &[Token<'_>]) -> bool {
    let rego = |number: &usize| is(tokens, *number, "rego");
    let mut named = (0..tokens.len()).filter(rego);
    named.any(|number| call(tokens, number).is_some())
}

/// How the call that starts with token `number` goes on: whether it is of `chain`.
fn call(tokens: &[Token<'_>], number: usize) -> Option<bool> {
    let texts: Vec<&str> = (tokens.get(number..)?.iter().take(5))
        .map(|token| token.text)
        .collect();
    match *texts.as_slice() {
        ["rego", ".", "metadata", ".", "chain"] => Some(true),
        ["rego", ".", "metadata", ".", "rule"] => Some(false),
        _ => None,
    }
}

impl Module {
    pub(super) fn read(tokens: &[Token<'_>]) -> Option<Self> {
        let lines = lines(tokens);
        let starts: Vec<usize> = rule_starts(tokens).into_iter().collect();
        let ends = starts.iter().skip(1).copied().chain([tokens.len()]);
        let mut statements = Vec::new();
        for (start, end) in starts.iter().copied().zip(ends) {
            let line = *lines.get(start)?;
            let kind = kind(tokens, start..end);
            let tokens = start..end;
            statements.push(Statement { line, kind, tokens });
        }
        let first = statements.first()?;
        let Kind::Package = first.kind else {
            return None;
        };
        Some(Self {
            package: package(tokens, &first.tokens)?,
            blocks: blocks(tokens, &lines)?,
            calls: calls(tokens, &statements)?,
            statements,
        })
    }

    /// The path below `data` of what a rule makes; none where that is not sure.
    pub(super) fn path_of(&self, statement: &Statement) -> Option<Vec<String>> {
        let Kind::Rule(rule) = &statement.kind else {
            return None;
        };
        let name = rule.name.as_ref()?;
        Some(self.package.iter().chain(name).cloned().collect())
    }
}

/// The line of each token, from 1.
fn lines(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut line = 1;
    let lines = tokens.iter().map(|token| {
        let own = line;
        line += token.text.matches('\n').count();
        own
    });
    lines.collect()
}

fn word<'t>(tokens: &[Token<'t>], number: usize) -> Option<&'t str> {
    let token = tokens.get(number)?;
    (token.kind == TokenKind::Word).then_some(token.text)
}

fn is(tokens: &[Token<'_>], number: usize, text: &str) -> bool {
    tokens.get(number).is_some_and(|token| token.text == text)
}

/// The number of the first token of code from `number` on.
fn code(tokens: &[Token<'_>], number: usize) -> usize {
    let rest = tokens.get(number..).unwrap_or_default();
    let blank = rest.iter().take_while(|token| !is_code(token)).count();
    number + blank
}

/// Words with dots, and the number of what is behind them.
fn dotted(tokens: &[Token<'_>], start: usize) -> Option<(Vec<String>, usize)> {
    let mut words = vec![word(tokens, start)?.to_owned()];
    let mut number = start + 1;
    while is(tokens, number, ".") {
        words.push(word(tokens, number + 1)?.to_owned());
        number += 2;
    }
    Some((words, number))
}

fn package(tokens: &[Token<'_>], statement: &Range<usize>) -> Option<Vec<String>> {
    let (words, end) = dotted(tokens, code(tokens, statement.start + 1))?;
    (code(tokens, end) >= statement.end).then_some(words)
}

fn kind(tokens: &[Token<'_>], range: Range<usize>) -> Kind {
    let next_is_dot = is(tokens, range.start + 1, ".");
    match word(tokens, range.start) {
        Some("package") if !next_is_dot => Kind::Package,
        Some("import") if !next_is_dot => Kind::Import,
        Some("default") if !next_is_dot => Kind::Rule(Rule {
            name: name(tokens, code(tokens, range.start + 1)),
            plain: false,
            head: range,
        }),
        _ => Kind::Rule(Rule {
            name: name(tokens, range.start),
            plain: has_one_branch(tokens, range.clone()),
            head: head(tokens, range),
        }),
    }
}

/// A rule's name, up to a variable in brackets.
fn name(tokens: &[Token<'_>], start: usize) -> Option<Vec<String>> {
    let first = word(tokens, start).filter(|first| !NO_RULE.contains(first))?;
    let mut words = vec![first.to_owned()];
    let mut number = start + 1;
    loop {
        if is(tokens, number, ".") {
            words.push(word(tokens, number + 1)?.to_owned());
            number += 2;
        } else if is(tokens, number, "[") {
            let part = tokens
                .get(number + 1)
                .filter(|_| is(tokens, number + 2, "]"))?;
            match part.kind {
                TokenKind::Text => words.push(serde_json::from_str(part.text).ok()?),
                TokenKind::Word if !NO_RULE.contains(&part.text) => return Some(words),
                _ => return None,
            }
            number += 3;
        } else {
            return Some(words);
        }
    }
}

/// Neither `else` nor a second body.
fn has_one_branch(tokens: &[Token<'_>], range: Range<usize>) -> bool {
    let mut before = "";
    for token in tokens.get(range).unwrap_or_default() {
        if !is_code(token) {
            continue;
        }
        if token.text == "else" && before != "." || token.text == "{" && before == "}" {
            return false;
        }
        before = token.text;
    }
    true
}

/// What there is of a rule before its value, its members or its body.
fn head(tokens: &[Token<'_>], range: Range<usize>) -> Range<usize> {
    let mut depth = 0_usize;
    for number in range.clone() {
        match tokens.get(number).map_or("", |token| token.text) {
            ":=" | "=" | "if" | "contains" | "{" if depth == 0 => return range.start..number,
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    range
}

/// The blocks of metadata; none where one is not understood.
fn blocks(tokens: &[Token<'_>], lines: &[usize]) -> Option<Vec<(usize, Block)>> {
    let mut texts: Vec<(usize, String)> = Vec::new();
    // The line of the last comment of an open block.
    let mut open = None;
    for (number, (token, line)) in tokens.iter().zip(lines).enumerate() {
        if token.kind != TokenKind::Comment {
            continue;
        }
        let before = number.checked_sub(1).and_then(|before| tokens.get(before));
        let first = before.is_none_or(|before| before.text.ends_with('\n'));
        let text = token.text.strip_prefix('#').unwrap_or_default();
        if first && text.trim().starts_with("METADATA") {
            texts.push((*line, String::new()));
            open = Some(*line);
        } else if first && open.is_some_and(|last| last + 1 == *line) {
            let (_, yaml) = texts.last_mut()?;
            yaml.push_str(text.strip_prefix(' ').unwrap_or(text));
            yaml.push('\n');
            open = Some(*line);
        } else {
            open = None;
        }
    }
    let blocks = texts
        .into_iter()
        .map(|(line, yaml)| Some((line, Block::read(&yaml)?)));
    blocks.collect()
}

/// The calls; none where one is not just that, where its rule may not call, or where `rego` may be something else.
fn calls(tokens: &[Token<'_>], statements: &[Statement]) -> Option<Vec<Call>> {
    let mut calls = Vec::new();
    for number in (0..tokens.len()).filter(|number| is(tokens, *number, "rego")) {
        let found = statements
            .iter()
            .position(|one| one.tokens.contains(&number));
        let statement = found?;
        match &statements.get(statement)?.kind {
            Kind::Package => {}
            Kind::Import if is(tokens, number + 2, "v1") => {}
            Kind::Import => return None,
            Kind::Rule(_) if number > 0 && is(tokens, number - 1, ".") => {}
            Kind::Rule(rule) => {
                let chain = call(tokens, number)?;
                let empty = is(tokens, number + 5, "(") && is(tokens, number + 6, ")");
                if !empty || !rule.plain || rule.head.contains(&number) {
                    return None;
                }
                let tokens = number..number + 7;
                calls.push(Call {
                    tokens,
                    statement,
                    chain,
                });
            }
        }
    }
    Some(calls)
}

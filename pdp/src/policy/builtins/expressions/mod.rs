//! `regex.*`: regular expressions as OPA, which is Go, reads them.
//!
//! The engine's own read Rust's syntax: there `\d`, `\w`, `\s` and `\b` know all scripts, so that an expression
//! meant for `0` to `9` lets other digits through. Here an expression is written in Rust's words
//! first (`syntax`). Where Go and Rust cannot agree (`\B`), it is an error.

mod classes;
mod replacement;
mod syntax;

use std::cell::RefCell;
use std::collections::HashMap;

use regex::{Regex, RegexBuilder};
use regorus::Value;

use super::arguments::Arguments;
use super::{Builtin, Failed};

/// What is here.
pub(super) const ALL: &[Builtin] = &[
    ("regex.find_all_string_submatch_n", 3, find_all_submatches),
    ("regex.find_n", 3, find),
    ("regex.is_valid", 1, |a| match a.any(0) {
        Value::String(text) => Ok(Value::from(Expression::of(text).is_ok())),
        _ => Ok(Value::from(false)),
    }),
    ("regex.match", 2, |a| {
        let (expression, text) = (Expression::of(a.text(0)?)?, a.text(1)?);
        Ok(Value::from(expression.compiled.is_match(text)))
    }),
    ("regex.replace", 3, |a| {
        let (text, expression) = (a.text(0)?, Expression::of(a.text(1)?)?);
        replacement::replaced(&expression, text, a.text(2)?).map(Value::from)
    }),
    ("regex.split", 2, split),
    ("regex.template_match", 4, template_match),
];

/// Bytes that an expression may become.
const MAX_SIZE: usize = 100 * 1024;
/// Expressions that a thread keeps.
const MAX_KEPT: usize = 256;
/// Texts that one call may find.
const MAX_FOUND: usize = 1_000_000;

/// An expression, and the names of its groups.
#[derive(Clone)]
struct Expression {
    compiled: Regex,
    /// One entry a group, empty where it has none; the first is of the whole.
    names: Vec<String>,
}

thread_local! {
    static KEPT: RefCell<HashMap<String, Expression>> = RefCell::new(HashMap::new());
}

impl Expression {
    fn of(text: &str) -> Result<Self, Failed> {
        if let Some(kept) = KEPT.with_borrow(|kept| kept.get(text).cloned()) {
            return Ok(kept);
        }
        let (written, names) = syntax::in_words_of_rust(text)?;
        let compiled = RegexBuilder::new(&written).size_limit(MAX_SIZE).build();
        let compiled = compiled.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => Failed::Bound("an expression may become 100 KiB"),
            _ => Failed::Refused(format!("error parsing regexp: `{text}`")),
        })?;
        let expression = Self { compiled, names };
        KEPT.with_borrow_mut(|kept| {
            if kept.len() >= MAX_KEPT {
                kept.clear();
            }
            kept.insert(text.to_owned(), expression.clone());
        });
        Ok(expression)
    }
}

/// How many are wanted: all, of a negative number.
fn wanted(a: &Arguments<'_>, operand: usize) -> Result<usize, Failed> {
    match a.any(operand) {
        Value::Number(number) if number.is_integer() => Ok(number
            .as_i64()
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(usize::MAX)),
        _ => Err(a.wrong(operand, "integer number")),
    }
}

fn find(a: &Arguments<'_>) -> Result<Value, Failed> {
    let (expression, text) = (Expression::of(a.text(0)?)?, a.text(1)?);
    let found = expression.compiled.find_iter(text).take(wanted(a, 2)?);
    let found = found.map(|one| Value::from(one.as_str()));
    Ok(Value::from(found.collect::<Vec<_>>()))
}

fn find_all_submatches(a: &Arguments<'_>) -> Result<Value, Failed> {
    let (expression, text) = (Expression::of(a.text(0)?)?, a.text(1)?);
    let groups = expression.compiled.captures_len();
    let mut found = Vec::new();
    for one in expression.compiled.captures_iter(text).take(wanted(a, 2)?) {
        if (found.len() + 1).saturating_mul(groups) > MAX_FOUND {
            return Err(Failed::Bound("1000000 texts may be found at once"));
        }
        let group = |group: Option<regex::Match<'_>>| Value::from(group.map_or("", |g| g.as_str()));
        found.push(Value::from(one.iter().map(group).collect::<Vec<_>>()));
    }
    Ok(Value::from(found))
}

/// As Go's `Split`: an empty match at the start divides nothing, nor does one at the end.
fn split(a: &Arguments<'_>) -> Result<Value, Failed> {
    let (pattern, text) = (a.text(0)?, a.text(1)?);
    let expression = Expression::of(pattern)?;
    if text.is_empty() && !pattern.is_empty() {
        return Ok(Value::from(vec![Value::from("")]));
    }
    let mut parts = Vec::new();
    let (mut start, mut end) = (0, 0);
    for one in expression.compiled.find_iter(text) {
        end = one.start();
        if one.end() != 0 {
            parts.push(Value::from(text.get(start..end).unwrap_or_default()));
        }
        start = one.end();
    }
    if end != text.len() {
        parts.push(Value::from(text.get(start..).unwrap_or_default()));
    }
    Ok(Value::from(parts))
}

/// A template is text, and expressions between its delimiters.
fn template_match(a: &Arguments<'_>) -> Result<Value, Failed> {
    let (template, text) = (a.text(0)?, a.text(1)?);
    let one = |operand: usize, which: &str| {
        let mut characters = a.text(operand)?.chars();
        match (characters.next(), characters.next()) {
            (Some(delimiter), None) => Ok(delimiter),
            _ => Err(Failed::Refused(format!(
                "{which} delimiter has to be exactly one character long"
            ))),
        }
    };
    let (open, close) = (one(2, "start")?, one(3, "end")?);
    let unbalanced = || Failed::Refused(format!("unbalanced braces in {template:?}"));
    let mut pattern = String::from("^");
    let mut depth = 0_usize;
    for character in template.chars() {
        if character == open {
            depth += 1;
            pattern.push(if depth == 1 { '(' } else { character });
        } else if character == close {
            depth = depth.checked_sub(1).ok_or_else(unbalanced)?;
            pattern.push(if depth == 0 { ')' } else { character });
        } else if depth == 0 {
            pattern.push_str(&regex::escape(&character.to_string()));
        } else {
            pattern.push(character);
        }
    }
    if depth > 0 {
        return Err(unbalanced());
    }
    pattern.push('$');
    Ok(Value::from(
        Expression::of(&pattern)?.compiled.is_match(text),
    ))
}

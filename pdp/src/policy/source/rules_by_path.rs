//! Rules that are named by their whole path and indexed by something computed: `data.lib.admins[input.user]` is
//! read through an import, `import data.lib.admins as data__0` and `data__0[input.user]`.
//!
//! The engine looks for a number also as a text in whatever is written as a part of `data`. For documents of
//! data files OPA does so too; for rules it does not: `1` is no member of a set of texts with `"1"` in it.
//!
//! What this does not see, and `expressions` refuses: rules that are named by something computed
//! (`data[name].admins[n]`), and references inside of template strings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Replaced;
use super::heads::is_code;
use super::keywords::Declared;
use super::token::{Kind, Token};

/// The paths of all rules.
pub(super) fn paths(all: &[Declared]) -> BTreeSet<String> {
    let of = |of: &Declared| -> Vec<String> {
        let path = |rule: &String| format!("data.{}.{rule}", of.package);
        of.rules.iter().map(path).collect()
    };
    all.iter().flat_map(of).collect()
}

/// Puts texts in the place of such names of `rules`, and the imports behind the package.
pub(super) fn rewrite(tokens: &[Token<'_>], rules: &BTreeSet<String>, replaced: &mut Replaced) {
    let Some(package) = end_of_package(tokens) else {
        return;
    };
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for start in 0..tokens.len() {
        let Some((path, end)) = indexed_rule(tokens, start, rules) else {
            continue;
        };
        let next = names.len();
        let name = names.entry(path).or_insert_with(|| free_name(tokens, next));
        replaced.insert(start, name.clone());
        replaced.extend((start + 1..end).map(|token| (token, String::new())));
    }
    let Some(last) = tokens.get(package).filter(|_| !names.is_empty()) else {
        return;
    };
    let mut text = last.text.to_owned();
    for (path, name) in names {
        let _ = write!(text, " import {path} as {name}");
    }
    replaced.insert(package, text);
}

/// The last token of the package clause.
fn end_of_package(tokens: &[Token<'_>]) -> Option<usize> {
    let mut code = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| is_code(token));
    code.next().filter(|(_, token)| token.text == "package")?;
    let (mut at, first) = code.next()?;
    (first.kind == Kind::Word).then_some(())?;
    let text = |at: usize| tokens.get(at).map(|token| token.text);
    while text(at + 1) == Some(".") {
        at += 2;
    }
    // A part in brackets is left alone.
    (text(at + 1) != Some("[")).then_some(at)
}

/// The path of the rule that `data` at `start` begins, and the token behind it, where something computed is
/// its index.
fn indexed_rule(
    tokens: &[Token<'_>],
    start: usize,
    rules: &BTreeSet<String>,
) -> Option<(String, usize)> {
    let text = |at: usize| tokens.get(at).map(|token| token.text);
    let kind = |at: usize| tokens.get(at).map(|token| token.kind);
    let is_root = text(start) == Some("data")
        && kind(start) == Some(Kind::Word)
        && start.checked_sub(1).and_then(text) != Some(".");
    if !is_root {
        return None;
    }
    let mut before = tokens.get(..start)?.iter().rev();
    let before = before.find(|token| is_code(token));
    if before.is_some_and(|token| token.text == "import") {
        return None;
    }
    let mut path = "data".to_owned();
    let mut found = None;
    let mut at = start + 1;
    loop {
        match (text(at)?, kind(at + 1)) {
            (".", Some(Kind::Word)) => {
                path.push('.');
                path.push_str(text(at + 1)?);
                at += 2;
            }
            ("[", Some(Kind::Text)) if text(at + 2) == Some("]") => {
                path.push('.');
                path.push_str(text(at + 1)?.trim_matches('"'));
                at += 3;
            }
            ("[", _) => return found,
            _ => return None,
        }
        if rules.contains(&path) {
            found = Some((path.clone(), at));
        }
    }
}

/// A name that is nobody's in this module.
fn free_name(tokens: &[Token<'_>], number: usize) -> String {
    let mut name = format!("data__{number}");
    while tokens.iter().any(|token| token.text == name) {
        name.push('_');
    }
    name
}

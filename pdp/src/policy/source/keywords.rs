//! Rules below a keyword: `not.foo := 1` in `package a` is `foo := 1` in `package a.not`, and is written
//! so; `not.foo` in a body is `data.a.not.foo`.
//!
//! The engine takes a keyword behind a dot, but not in front of one. What moves finds the rules of its old
//! package by imports. Where that could mean something else (there is a package of that name already, or a
//! name means something there too) nothing moves, and the engine refuses the keyword.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use super::Replaced;
use super::heads::{is_code, rule_starts};
use super::token::{Kind, Token};

/// Words that the engine takes for no name.
const KEYWORDS: [&str; 14] = [
    "as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null",
    "package", "some", "with",
];

/// What a module says of itself.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// Its package, as written.
    pub package: String,
    /// What its rules are called, up to the first dot.
    pub rules: BTreeSet<String>,
}

/// Reads package and rule names.
pub(super) fn declared(tokens: &[Token<'_>]) -> Declared {
    let mut declared = Declared::default();
    let mut code = tokens.iter().filter(|token| is_code(token)).peekable();
    if code.next_if(|token| token.text == "package").is_some() {
        let mut goes_on = true;
        let mut depth = 0_usize;
        while let Some(token) =
            code.next_if(|token| goes_on || depth > 0 || matches!(token.text, "." | "["))
        {
            declared.package.push_str(token.text);
            goes_on = token.text == ".";
            match token.text {
                "[" => depth += 1,
                "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    for start in rule_starts(tokens) {
        let name = rule_name(tokens, start);
        declared.rules.extend(name.map(str::to_owned));
    }
    declared
}

/// The rule that starts at `start`, up to the first dot.
fn rule_name<'t>(tokens: &[Token<'t>], start: usize) -> Option<&'t str> {
    let mut code = tokens.get(start..)?.iter().filter(|token| is_code(token));
    let first = code.next()?;
    match first.text {
        "import" | "package" if code.next().is_none_or(|next| next.text != ".") => None,
        "default" => {
            let second = code.next()?;
            Some(if second.text == "." {
                first.text
            } else {
                second.text
            })
        }
        _ => (first.kind == Kind::Word).then_some(first.text),
    }
}

/// Whether some keyword stands where a name must.
pub(super) fn are_roots_in(tokens: &[Token<'_>]) -> bool {
    (0..tokens.len()).any(|number| is_root(tokens, number))
}

/// Whether token `number` is a keyword in front of a dot and behind none.
fn is_root(tokens: &[Token<'_>], number: usize) -> bool {
    let text = |number: Option<usize>| number.and_then(|n| tokens.get(n)).map(|token| token.text);
    let here = text(Some(number)).is_some_and(|text| KEYWORDS.contains(&text));
    here && text(number.checked_add(1)) == Some(".") && text(number.checked_sub(1)) != Some(".")
}

/// What becomes of one module: itself, and what moves out of it.
#[derive(Default)]
pub(super) struct Split {
    /// Texts for tokens of the module.
    pub replaced: Replaced,
    /// For each rule that moves the tokens of its new module, and texts for some of them.
    pub moved: Vec<(Replaced, Range<usize>)>,
}

/// Moves rules below keywords, and names them in full where they are used; none where there are none, or
/// where they must not be moved.
pub(super) fn split(tokens: &[Token<'_>], own: &Declared, all: &[Declared]) -> Option<Split> {
    let roots: Vec<usize> = (0..tokens.len()).filter(|n| is_root(tokens, *n)).collect();
    if roots.is_empty() {
        return None;
    }
    let siblings: BTreeSet<&str> = all
        .iter()
        .filter(|other| other.package == own.package)
        .flat_map(|other| other.rules.iter().map(String::as_str))
        .collect();
    let starts: Vec<usize> = rule_starts(tokens).into_iter().collect();
    let mut own_imports = String::new();
    let aliases = import_lines(tokens, &starts, &mut own_imports);
    let names = NamesAround {
        siblings: &siblings,
        aliases: &aliases,
        moved: &moved_names(tokens, &starts),
    };
    // Names inside of templates are not looked for.
    if tokens
        .iter()
        .any(|t| matches!(t.kind, Kind::Template | Kind::RawTemplate))
    {
        return None;
    }
    let mut split = Split::default();
    for (place, start) in starts.iter().enumerate() {
        let end = starts.get(place + 1).copied().unwrap_or(tokens.len());
        let Some(root) = head_root(tokens, *start) else {
            continue;
        };
        let keyword = tokens.get(root)?.text;
        let package = format!("{}.{keyword}", own.package);
        let below = |other: &Declared| {
            other.package == package || other.package.starts_with(&format!("{package}."))
        };
        if all.iter().any(below) {
            return None;
        }
        let imports = own_imports.clone() + &imports(tokens, *start..end, root, own, &names)?;
        let mut replaced = Replaced::new();
        qualify(tokens, &roots, own, &mut replaced);
        replaced.extend([(root, String::new()), (root + 1, String::new())]);
        let first = replaced
            .entry(*start)
            .or_insert_with(|| tokens.get(*start).map_or("", |t| t.text).to_owned());
        *first = format!("package {package} {imports} {first}");
        split.moved.push((replaced, *start..end));
        for number in *start..end {
            let lines = tokens
                .get(number)
                .map_or(0, |token| token.text.matches('\n').count());
            split.replaced.insert(number, "\n".repeat(lines));
        }
    }
    let bodies: Vec<usize> = roots
        .iter()
        .copied()
        .filter(|root| !split.replaced.contains_key(root))
        .collect();
    qualify(tokens, &bodies, own, &mut split.replaced);
    Some(split)
}

/// The keyword that the rule at `start` is below.
fn head_root(tokens: &[Token<'_>], start: usize) -> Option<usize> {
    if is_root(tokens, start) {
        return Some(start);
    }
    let default = tokens.get(start)?.text == "default";
    let next = (start + 1..tokens.len()).find(|n| tokens.get(*n).is_some_and(is_code))?;
    (default && is_root(tokens, next)).then_some(next)
}

fn qualify(tokens: &[Token<'_>], roots: &[usize], own: &Declared, replaced: &mut Replaced) {
    for root in roots {
        let keyword = tokens.get(*root).map_or("", |token| token.text);
        replaced.insert(*root, format!("data.{}.{keyword}", own.package));
    }
}

/// What names mean where rules move from.
struct NamesAround<'n> {
    /// Rules of the package.
    siblings: &'n BTreeSet<&'n str>,
    /// Imports of the module.
    aliases: &'n BTreeSet<&'n str>,
    /// Rules that move, by their name in the new package.
    moved: &'n BTreeSet<&'n str>,
}

/// The imports by which a rule that moves finds the rules of its old package; none where a name could mean
/// two things.
fn imports(
    tokens: &[Token<'_>],
    rule: Range<usize>,
    root: usize,
    own: &Declared,
    names: &NamesAround<'_>,
) -> Option<String> {
    let behind_dot = |number: &usize| {
        let before = number.checked_sub(1).and_then(|before| tokens.get(before));
        before.is_some_and(|token| token.text == ".")
    };
    let words: BTreeSet<&str> = rule
        .filter(|number| *number > root + 2 && !behind_dot(number))
        .filter_map(|number| tokens.get(number))
        .filter(|token| token.kind == Kind::Word)
        .map(|token| token.text)
        .collect();
    // A rule that moves along would be found by its last name too.
    if words.iter().any(|word| names.moved.contains(word)) {
        return None;
    }
    let wanted = words.into_iter().filter(|word| {
        names.siblings.contains(word) && !KEYWORDS.contains(word) && !names.aliases.contains(word)
    });
    let imports = wanted.map(|word| format!("import data.{}.{word} ", own.package));
    Some(imports.collect())
}

/// Second parts of the names of all rules below keywords.
fn moved_names<'t>(tokens: &[Token<'t>], starts: &[usize]) -> BTreeSet<&'t str> {
    starts
        .iter()
        .filter_map(|start| head_root(tokens, *start))
        .filter_map(|root| tokens.get(root + 2).map(|token| token.text))
        .collect()
}

/// Copies the module's own imports, in one line each, and says what they are called.
fn import_lines<'t>(tokens: &[Token<'t>], starts: &[usize], out: &mut String) -> BTreeSet<&'t str> {
    let mut aliases = BTreeSet::new();
    for (place, start) in starts.iter().enumerate() {
        let end = starts.get(place + 1).copied().unwrap_or(tokens.len());
        let line = tokens.get(*start..end).unwrap_or_default();
        let is_import =
            line.first().is_some_and(|token| token.text == "import") && !is_root(tokens, *start);
        if !is_import {
            continue;
        }
        let code: Vec<&str> = line
            .iter()
            .filter(|token| is_code(token))
            .map(|token| token.text)
            .collect();
        aliases.extend(code.last());
        for (number, text) in code.iter().enumerate() {
            let apart =
                matches!(*text, "as" | "import") && code.get(number.wrapping_sub(1)) != Some(&".");
            let _ = write!(
                out,
                "{}{text}{}",
                if apart { " " } else { "" },
                if apart { " " } else { "" }
            );
        }
        out.push(' ');
    }
    aliases
}

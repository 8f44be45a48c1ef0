//! `walk` as a value: `[path, value] := walk(x)` becomes `some path, value; walk(x, [path, value])`.
//!
//! The engine loops over what `walk` finds only where the pattern is its last argument, and finds
//! nothing where it is written so. Only what is a statement of its own is rewritten, and of patterns
//! only names; the gate refuses the rest (`gate::walks`).

use super::Replaced;
use super::heads::is_code;
use super::token::{Kind, Token};

/// Adds what such statements become.
pub(super) fn rewrite(tokens: &[Token<'_>], replaced: &mut Replaced) {
    // Numbers of the tokens that are code.
    let code: Vec<usize> = (0..tokens.len())
        .filter(|number| tokens.get(*number).is_some_and(is_code))
        .collect();
    for place in 0..code.len() {
        let at = |place: usize| code.get(place).and_then(|number| tokens.get(*number));
        let is = |place: usize, text: &str| at(place).is_some_and(|token| token.text == text);
        if is(place, "walk") && is(place + 1, "(") {
            let Some(found) = Statement::around(place, &is, &at, &code, tokens) else {
                continue;
            };
            found.write(&code, replaced);
        }
    }
}

/// A statement `pattern := walk(…)`; numbers count tokens of code.
struct Statement {
    start: usize,
    walk: usize,
    close: usize,
    /// Names of the pattern, `_` among them.
    names: Vec<String>,
    listed: bool,
    declares: bool,
}

impl Statement {
    fn around<'t>(
        walk: usize,
        is: &impl Fn(usize, &str) -> bool,
        at: &impl Fn(usize) -> Option<&'t Token<'t>>,
        code: &[usize],
        tokens: &[Token<'_>],
    ) -> Option<Self> {
        let operator = walk.checked_sub(1)?;
        let declares = is(operator, ":=");
        if !declares && !is(operator, "=") {
            return None;
        }
        let (start, names, listed) = pattern(operator, is, at)?;
        let before = start.checked_sub(1)?;
        let new_line = |left: usize, right: usize| {
            let (left, right) = (code.get(left), code.get(right));
            let between = left.zip(right).and_then(|(l, r)| tokens.get(*l..*r));
            between.is_some_and(|between| {
                let ends =
                    |token: &Token<'_>| token.kind == Kind::Space && token.text.contains('\n');
                between.iter().any(ends)
            })
        };
        let opens = ["{", ";", "|"].iter().any(|text| is(before, text));
        let ended = at(before).is_some_and(super::heads::ends_something);
        if !(opens || ended && new_line(before, start)) {
            return None;
        }
        let close = closing(walk + 1, at)?;
        let next = close + 1;
        let closes = ["}", "]", ";", "with"].iter().any(|text| is(next, text));
        (closes || new_line(close, next)).then_some(Self {
            start,
            walk,
            close,
            names,
            listed,
            declares,
        })
    }

    fn write(&self, code: &[usize], replaced: &mut Replaced) {
        let mut put = |place: usize, text: String| {
            if let Some(number) = code.get(place) {
                replaced.insert(*number, text);
            }
        };
        for place in self.start..self.walk {
            put(place, String::new());
        }
        let declared: Vec<&str> = self
            .names
            .iter()
            .map(String::as_str)
            .filter(|n| *n != "_")
            .collect();
        if self.declares && !declared.is_empty() {
            put(self.start, format!("some {}; ", declared.join(", ")));
        }
        let names = self.names.join(", ");
        put(
            self.close,
            if self.listed {
                format!(", [{names}])")
            } else {
                format!(", {names})")
            },
        );
    }
}

/// The pattern that ends before `operator`: where it starts, its names, and whether it is a list.
fn pattern<'t>(
    operator: usize,
    is: &impl Fn(usize, &str) -> bool,
    at: &impl Fn(usize) -> Option<&'t Token<'t>>,
) -> Option<(usize, Vec<String>, bool)> {
    let name = |place: usize| {
        let token = at(place).filter(|token| token.kind == Kind::Word)?;
        let is_name = !matches!(token.text, "true" | "false" | "null");
        is_name.then(|| token.text.to_owned())
    };
    let mut place = operator.checked_sub(1)?;
    if !is(place, "]") {
        return Some((place, vec![name(place)?], false));
    }
    let mut names = Vec::new();
    loop {
        place = place.checked_sub(1)?;
        names.insert(0, name(place)?);
        place = place.checked_sub(1)?;
        if is(place, "[") {
            return Some((place, names, true));
        }
        if !is(place, ",") {
            return None;
        }
    }
}

/// The bracket that closes the one at `open`.
fn closing<'t>(open: usize, at: &impl Fn(usize) -> Option<&'t Token<'t>>) -> Option<usize> {
    let mut depth = 0_usize;
    for place in open.. {
        match at(place)?.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.checked_sub(1)?,
            // `walk(x, pattern)` is as the engine wants it.
            "," if depth == 1 => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(place);
        }
    }
    None
}

//! Calls with one argument more than the function has: `f(x, y)` for `y = f(x)`.
//!
//! The engine knows that form for its own built-ins only. Of those in `builtins`, what is a statement of
//! its own is rewritten; anywhere else it is an error when it is reached.

use std::ops::Range;

use super::Replaced;
use super::heads::{ends_something, is_code};
use super::token::{Kind, Token};
use crate::policy::builtins;

/// Adds what such statements become.
pub(super) fn rewrite(tokens: &[Token<'_>], replaced: &mut Replaced) {
    let code: Vec<usize> = (0..tokens.len())
        .filter(|number| tokens.get(*number).is_some_and(is_code))
        .collect();
    let code = Code { tokens, code };
    let mut place = 0;
    while place < code.code.len() {
        let (name, open) = code.name(place);
        let call = builtins::arity(&name).and_then(|arity| code.call(place, open, arity));
        let Some(call) = call else {
            // The next name, not the rest of this one.
            place = open.max(place + 1);
            continue;
        };
        let last: String = code.text(&call.last);
        let first = code.at(place).map_or("", |token| token.text);
        let mut put = |place: usize, text: String| {
            if let Some(number) = code.code.get(place) {
                replaced.insert(*number, text);
            }
        };
        put(place, format!("{last} = {first}"));
        for gone in call.last.start - 1..call.last.end {
            put(gone, String::new());
        }
        // Calls within its other arguments are statements only in comprehensions: they come next.
        place = open;
    }
}

/// The tokens that are code; places count them.
struct Code<'t> {
    tokens: &'t [Token<'t>],
    code: Vec<usize>,
}

/// A call, by the places of its last argument: one comma stands before.
struct Call {
    last: Range<usize>,
}

impl<'t> Code<'t> {
    fn at(&self, place: usize) -> Option<&'t Token<'t>> {
        self.tokens.get(*self.code.get(place)?)
    }

    fn is(&self, place: usize, text: &str) -> bool {
        self.at(place).is_some_and(|token| token.text == text)
    }

    /// The dotted name that starts here, empty where none does, and the place behind it.
    fn name(&self, start: usize) -> (String, usize) {
        let word = |place: usize| self.at(place).filter(|token| token.kind == Kind::Word);
        let mut name = String::new();
        let mut place = start;
        while let Some(part) = word(place) {
            name.push_str(part.text);
            place += 1;
            if !(self.is(place, ".") && word(place + 1).is_some()) {
                break;
            }
            name.push('.');
            place += 1;
        }
        let member = start
            .checked_sub(1)
            .is_some_and(|before| self.is(before, "."));
        (if member { String::new() } else { name }, place)
    }

    /// The text of some tokens in one line, without comments.
    fn text(&self, places: &Range<usize>) -> String {
        let numbers = self
            .code
            .get(places.start)
            .zip(self.code.get(places.end - 1));
        let tokens = numbers.and_then(|(first, last)| self.tokens.get(*first..=*last));
        let tokens = tokens.unwrap_or_default().iter();
        let of = |token: &Token<'t>| match token.kind {
            Kind::Space | Kind::Comment => " ",
            _ => token.text,
        };
        tokens.map(of).collect()
    }

    /// The call whose bracket is at `open`, if it is a statement and has an argument too many.
    fn call(&self, start: usize, open: usize, arity: usize) -> Option<Call> {
        if !self.is(open, "(") || !self.starts_statement(start) {
            return None;
        }
        let mut commas = Vec::new();
        let mut depth = 0_usize;
        let mut place = open;
        loop {
            match self.at(place)?.text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" if depth == 1 => break,
                ")" | "]" | "}" => depth = depth.checked_sub(1)?,
                "," if depth == 1 => commas.push(place),
                _ => {}
            }
            place += 1;
        }
        // A comma may stand behind the last argument.
        let end = match commas.last() {
            Some(comma) if comma + 1 == place => commas.pop()?,
            _ => place,
        };
        let comma = *commas.last().filter(|_| commas.len() == arity.max(1))?;
        let last = comma + 1..end;
        let plain = |place: usize| {
            self.at(place).is_some_and(|token| {
                !matches!(token.kind, Kind::Template | Kind::RawTemplate)
                    && !token.text.contains('\n')
            })
        };
        last.clone().all(plain).then_some(Call { last })
    }

    fn starts_statement(&self, start: usize) -> bool {
        let Some(before) = start.checked_sub(1).and_then(|place| self.at(place)) else {
            return false;
        };
        if matches!(before.text, "{" | ";" | "|" | "if" | "not") {
            return true;
        }
        let numbers = self.code.get(start - 1).zip(self.code.get(start));
        let between = numbers.and_then(|(left, right)| self.tokens.get(*left..*right));
        let line_ends = |token: &Token<'_>| token.kind == Kind::Space && token.text.contains('\n');
        ends_something(before) && between.unwrap_or_default().iter().any(line_ends)
    }
}

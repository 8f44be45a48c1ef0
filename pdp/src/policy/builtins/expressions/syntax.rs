//! Go's regular expressions (RE2) in the words of Rust's.
//!
//! Every character is written by its number, so that nothing has a meaning that it had not. What Go
//! refuses is refused; brackets are left to Rust to balance.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use super::Failed;

/// Most times that something may be repeated.
const MAX_REPEATS: u32 = 1000;

/// The expression, and the names of its groups: of the whole, and of each in order.
pub(super) fn in_words_of_rust(text: &str) -> Result<(String, Vec<String>), Failed> {
    let mut reader = Reader {
        text,
        rest: text.chars().peekable(),
        out: String::with_capacity(text.len() * 2),
        names: vec![String::new()],
        before: Before::Nothing,
    };
    while let Some(character) = reader.rest.next() {
        reader.outside(character)?;
    }
    Ok((reader.out, reader.names))
}

/// What a repetition would repeat.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Nothing,
    Something,
    /// Something that is repeated already.
    Repeated,
}

/// What is read, and what is written.
pub(super) struct Reader<'t> {
    text: &'t str,
    pub(super) rest: Peekable<Chars<'t>>,
    pub(super) out: String,
    names: Vec<String>,
    before: Before,
}

impl Reader<'_> {
    pub(super) fn refused(&self, why: &str) -> Failed {
        Failed::Refused(format!("error parsing regexp: {why}: `{}`", self.text))
    }

    /// Takes the next character if it is this one.
    pub(super) fn takes(&mut self, character: char) -> bool {
        self.rest.next_if_eq(&character).is_some()
    }

    /// Takes a text, if it is next.
    pub(super) fn takes_all(&mut self, text: &str) -> bool {
        let mut ahead = self.rest.clone();
        let there = text.chars().all(|c| ahead.next() == Some(c));
        if there {
            self.rest = ahead;
        }
        there
    }

    pub(super) fn literal(&mut self, character: char) {
        let _ = write!(self.out, "\\x{{{:x}}}", u32::from(character));
    }

    fn outside(&mut self, character: char) -> Result<(), Failed> {
        let mut before = Before::Something;
        match character {
            '.' | '^' | '$' | ')' => self.out.push(character),
            '|' => {
                self.out.push('|');
                before = Before::Nothing;
            }
            '(' => {
                self.group()?;
                before = Before::Nothing;
            }
            '[' => self.class()?,
            '\\' => return self.escape_outside(),
            '*' | '+' | '?' => return self.repeated(&character.to_string()),
            '{' => match self.counted()? {
                Some(counted) => return self.repeated(&counted),
                None => self.literal('{'),
            },
            other => self.literal(other),
        }
        self.before = before;
        Ok(())
    }

    fn repeated(&mut self, operator: &str) -> Result<(), Failed> {
        match self.before {
            Before::Nothing => return Err(self.refused("missing argument to repetition operator")),
            Before::Repeated => return Err(self.refused("invalid nested repetition operator")),
            Before::Something => {}
        }
        self.out.push_str(operator);
        if self.takes('?') {
            self.out.push('?');
        }
        self.before = Before::Repeated;
        Ok(())
    }

    /// `{n}`, `{n,}` or `{n,m}`; anything else is text.
    fn counted(&mut self) -> Result<Option<String>, Failed> {
        let mut ahead = self.rest.clone();
        let inner: String = ahead.by_ref().take_while(|c| *c != '}').collect();
        // Without the brace that closes it, it is text too.
        let closed = self.rest.clone().any(|c| c == '}');
        let (least, most) = match inner.split_once(',') {
            Some((least, "")) => (number(least), None),
            Some((least, most)) => (number(least), Some(number(most))),
            None => (number(&inner), None),
        };
        let (Some(least), true) = (least, closed && most != Some(None)) else {
            return Ok(None);
        };
        let most = most.flatten();
        if least.max(most.unwrap_or(0)) > MAX_REPEATS || most.is_some_and(|most| most < least) {
            return Err(self.refused("invalid repeat count"));
        }
        self.rest = ahead;
        Ok(Some(format!("{{{inner}}}")))
    }

    /// What comes behind `(`.
    fn group(&mut self) -> Result<(), Failed> {
        if !self.takes('?') {
            self.names.push(String::new());
            self.out.push('(');
            return Ok(());
        }
        if self.takes_all("P<") || self.takes('<') {
            let mut name = String::new();
            loop {
                match self.rest.next() {
                    Some('>') if !name.is_empty() => break,
                    Some(c) if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                    _ => return Err(self.refused("invalid named capture")),
                }
            }
            // Go may use one name twice; here groups have numbers.
            self.names.push(name);
            self.out.push('(');
            return Ok(());
        }
        let (mut on, mut off, mut negative) = (String::new(), String::new(), false);
        let end = loop {
            match self.rest.next() {
                Some(flag @ ('i' | 'm' | 's' | 'U')) => {
                    let flags = if negative { &mut off } else { &mut on };
                    if !flags.contains(flag) {
                        flags.push(flag);
                    }
                }
                Some('-') if !negative => negative = true,
                Some(end @ (':' | ')')) if !negative || !off.is_empty() => break end,
                _ => return Err(self.refused("invalid or unsupported Perl syntax")),
            }
        };
        if negative {
            off.insert(0, '-');
        }
        match (end, on.is_empty() && off.is_empty()) {
            (')', true) => {}
            _ => {
                let _ = write!(self.out, "(?{on}{off}{end}");
            }
        }
        Ok(())
    }

    fn escape_outside(&mut self) -> Result<(), Failed> {
        let Some(next) = self.rest.peek().copied() else {
            return Err(self.refused("trailing backslash at end of expression"));
        };
        match next {
            'A' | 'z' => {
                self.rest.next();
                self.out.push('\\');
                self.out.push(next);
            }
            'b' => {
                self.rest.next();
                self.out.push_str("(?-u:\\b)");
            }
            'B' => return Err(Failed::Bound("`\\B` is not understood here")),
            'Q' => {
                self.rest.next();
                self.quoted();
                return Ok(());
            }
            _ => {
                if !self.named_class(false)? {
                    let character = self.escaped()?;
                    self.literal(character);
                }
            }
        }
        self.before = Before::Something;
        Ok(())
    }

    /// Text up to `\E` or the end.
    fn quoted(&mut self) {
        while !self.takes_all("\\E") {
            let Some(character) = self.rest.next() else {
                break;
            };
            self.literal(character);
            self.before = Before::Something;
        }
    }
}

/// Decimal digits without a leading zero.
fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty();
    let spelled = plain && (text == "0" || !text.starts_with('0'));
    spelled.then(|| text.parse().unwrap_or(u32::MAX))
}

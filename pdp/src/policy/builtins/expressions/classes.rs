//! Of an expression: what one character may be. Brackets, escapes, classes with letters and names.

use std::fmt::Write as _;

use super::super::Failed;
use super::syntax::Reader;

impl Reader<'_> {
    /// Behind a backslash: a class that has a letter or a name.
    pub(super) fn named_class(&mut self, within: bool) -> Result<bool, Failed> {
        let Some(&letter) = self.rest.peek() else {
            return Ok(false);
        };
        let inner = match letter.to_ascii_lowercase() {
            'd' => "0-9",
            's' => "\\t\\n\\x0c\\r ",
            'w' => "0-9A-Za-z_",
            'p' => {
                self.rest.next();
                return self.property(letter == 'P').map(|()| true);
            }
            _ => return Ok(false),
        };
        self.rest.next();
        let _ = match (letter.is_ascii_uppercase(), within) {
            (true, _) => write!(self.out, "[^{inner}]"),
            (false, true) => write!(self.out, "{inner}"),
            (false, false) => write!(self.out, "[{inner}]"),
        };
        Ok(true)
    }

    /// `\pL` and `\p{Name}`: general categories and scripts.
    fn property(&mut self, negated: bool) -> Result<(), Failed> {
        let refused = self.refused("invalid character class range");
        let mut name = String::new();
        match self.rest.next() {
            Some('{') => loop {
                match self.rest.next() {
                    Some('}') => break,
                    Some(c) if c.is_ascii_alphanumeric() || c == '_' || c == '^' => name.push(c),
                    _ => return Err(refused),
                }
            },
            Some(letter) if letter.is_ascii_alphabetic() => name.push(letter),
            _ => return Err(refused),
        }
        let (name, negated) = match name.strip_prefix('^') {
            Some(name) => (name, !negated),
            None => (name.as_str(), negated),
        };
        let kinds = ["gc", "sc"].into_iter();
        let classes =
            kinds.map(|kind| format!("{}{{{kind}={name}}}", if negated { "\\P" } else { "\\p" }));
        let known = classes
            .into_iter()
            .find(|class| regex::Regex::new(class).is_ok());
        let class = known.filter(|_| !name.is_empty() && !name.contains('^'));
        self.out.push_str(&class.ok_or(refused)?);
        Ok(())
    }

    /// Behind a backslash: one character.
    pub(super) fn escaped(&mut self) -> Result<char, Failed> {
        let refused = self.refused("invalid escape sequence");
        let Some(letter) = self.rest.next() else {
            return Err(refused);
        };
        let octal = |c: &char| ('0'..='7').contains(c);
        let number = match letter {
            'a' => Some(7),
            'f' => Some(0xc),
            'n' => Some(0xa),
            'r' => Some(0xd),
            't' => Some(9),
            'v' => Some(0xb),
            '0'..='7' => {
                // One digit would be a reference to a group, which there is not.
                if letter != '0' && !self.rest.peek().is_some_and(octal) {
                    return Err(refused);
                }
                let mut digits = String::from(letter);
                while digits.len() < 3 && self.rest.peek().is_some_and(octal) {
                    digits.extend(self.rest.next());
                }
                u32::from_str_radix(&digits, 8).ok()
            }
            'x' => self.hexadecimal(),
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => Some(other.into()),
            _ => None,
        };
        number.and_then(char::from_u32).ok_or(refused)
    }

    /// Behind `\x`: two digits, or any in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        let mut digits = String::new();
        if self.takes('{') {
            loop {
                match self.rest.next()? {
                    '}' => break,
                    digit => digits.push(digit),
                }
            }
        } else {
            digits.extend(self.rest.next());
            digits.extend(self.rest.next());
            if digits.chars().count() < 2 {
                return None;
            }
        }
        let plain = digits.chars().all(|c| c.is_ascii_hexdigit());
        u32::from_str_radix(&digits, 16).ok().filter(|_| plain)
    }

    /// What comes behind `[`.
    pub(super) fn class(&mut self) -> Result<(), Failed> {
        self.out.push('[');
        if self.takes('^') {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if !first && self.takes(']') {
                break;
            }
            first = false;
            if self.rest.peek() == Some(&'[') && self.posix()? {
                continue;
            }
            if self.rest.peek() == Some(&'\\') {
                self.rest.next();
                if self.named_class(true)? {
                    continue;
                }
                let from = self.escaped()?;
                self.range(from)?;
                continue;
            }
            let Some(from) = self.rest.next() else {
                return Err(self.refused("missing closing ]"));
            };
            self.range(from)?;
        }
        self.out.push(']');
        Ok(())
    }

    /// One character of a class, or a range from it on.
    fn range(&mut self, from: char) -> Result<(), Failed> {
        let mut ahead = self.rest.clone();
        let ranges = ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']');
        self.literal(from);
        if !ranges {
            return Ok(());
        }
        self.rest.next();
        let to = match self.rest.next() {
            Some('\\') => self.escaped()?,
            Some(plain) => plain,
            None => return Err(self.refused("missing closing ]")),
        };
        if to < from {
            return Err(self.refused("invalid character class range"));
        }
        self.out.push('-');
        self.literal(to);
        Ok(())
    }

    /// `[:alpha:]` and its like.
    fn posix(&mut self) -> Result<bool, Failed> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print",
            "punct", "space", "upper", "word", "xdigit",
        ];
        let rest: String = self.rest.clone().collect();
        let Some(inner) = rest
            .strip_prefix("[:")
            .and_then(|rest| rest.split_once(":]"))
        else {
            return Ok(false);
        };
        let name = inner.0;
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(self.refused("invalid character class range"));
        }
        let whole = format!("[:{name}:]");
        self.takes_all(&whole);
        self.out.push_str(&whole);
        Ok(true)
    }
}

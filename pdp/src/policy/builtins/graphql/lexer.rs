//! The words of a document, as gqlparser reads them: what is wrong is a word of its own kind, which no
//! grammar takes. Strings are told without their escapes, block strings without their indentation.

use std::borrow::Cow;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    End,
    Invalid,
    /// One of `! $ & ( ) : = @ [ ] { | }`.
    Sign(u8),
    Spread,
    Name,
    Int,
    Float,
    Text,
    Block,
    Comment,
}

#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// Of a name, a number, a string or a comment; empty for all else.
    pub(super) text: Cow<'a, str>,
    at: usize,
}

pub(super) struct Lexer<'a> {
    input: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a str) -> Self {
        Self { input, at: 0 }
    }

    /// Line and column of a token.
    pub(super) fn place(&self, token: &Token<'_>) -> (usize, usize) {
        let before = self.input.get(..token.at).unwrap_or_default();
        let line = before.split('\n').next_back().unwrap_or_default();
        (before.split('\n').count(), line.chars().count() + 1)
    }

    fn rest(&self) -> &'a str {
        self.input.get(self.at..).unwrap_or_default()
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.input.as_bytes().get(self.at + ahead).copied()
    }

    /// Takes bytes as long as they are `wanted`, and says how many.
    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.byte(0).is_some_and(&wanted) {
            self.at += 1;
        }
        self.at - start
    }

    fn token(&self, kind: Kind, start: usize) -> Token<'a> {
        let text = self.input.get(start..self.at).unwrap_or_default();
        let told = matches!(kind, Kind::Name | Kind::Int | Kind::Float | Kind::Comment);
        Token {
            kind,
            text: Cow::Borrowed(if told { text } else { "" }),
            at: start,
        }
    }

    pub(super) fn next(&mut self) -> Token<'a> {
        self.at += self.rest().len() - self.rest().trim_start_matches(is_blank).len();
        let start = self.at;
        let Some(first) = self.byte(0) else {
            return self.token(Kind::End, start);
        };
        let kind = match first {
            b'"' if self.rest().starts_with("\"\"\"") => return self.block(),
            b'"' => return self.string(),
            b'#' => {
                self.take(|byte| byte > 0x1f || byte == b'\t');
                Kind::Comment
            }
            b'.' if self.rest().starts_with("...") => {
                self.at += 3;
                Kind::Spread
            }
            b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|'
            | b'}' => {
                self.at += 1;
                Kind::Sign(first)
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                self.take(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
                Kind::Name
            }
            b'-' | b'0'..=b'9' => self.number(),
            _ => Kind::Invalid,
        };
        self.token(kind, start)
    }

    fn number(&mut self) -> Kind {
        let mut kind = Kind::Int;
        self.at += usize::from(self.byte(0) == Some(b'-'));
        let starts_with_zero = self.byte(0) == Some(b'0');
        let digits = self.take(|byte| byte.is_ascii_digit());
        if digits == 0 || (starts_with_zero && digits > 1) {
            return Kind::Invalid;
        }
        if self.byte(0) == Some(b'.') {
            self.at += 1;
            kind = Kind::Float;
            if self.take(|byte| byte.is_ascii_digit()) == 0 {
                return Kind::Invalid;
            }
        }
        if matches!(self.byte(0), Some(b'e' | b'E')) {
            self.at += 1;
            kind = Kind::Float;
            self.at += usize::from(matches!(self.byte(0), Some(b'-' | b'+')));
            if self.take(|byte| byte.is_ascii_digit()) == 0 {
                return Kind::Invalid;
            }
        }
        kind
    }

    fn string(&mut self) -> Token<'a> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let piece = self.at;
            self.take(|byte| (byte >= 0x20 || byte == b'\t') && byte != b'"' && byte != b'\\');
            text.push_str(self.input.get(piece..self.at).unwrap_or_default());
            match self.byte(0) {
                Some(b'"') => {
                    self.at += 1;
                    return Token {
                        kind: Kind::Text,
                        text: Cow::Owned(text),
                        at: start,
                    };
                }
                Some(b'\\') => match self.escape() {
                    Some(character) => text.push(character),
                    None => return self.token(Kind::Invalid, start),
                },
                _ => return self.token(Kind::Invalid, start),
            }
        }
    }

    /// A surrogate is no character, and two of them are none either.
    fn escape(&mut self) -> Option<char> {
        let character = match self.byte(1)? {
            sign @ (b'"' | b'/' | b'\\') => char::from(sign),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let hex = self.rest().get(2..6)?;
                if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return None;
                }
                self.at += 4;
                let code = u32::from_str_radix(hex, 16).ok()?;
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return None,
        };
        self.at += 2;
        Some(character)
    }

    fn block(&mut self) -> Token<'a> {
        let start = self.at;
        self.at += 3;
        let mut raw = String::new();
        loop {
            let piece = self.at;
            self.take(|byte| {
                (byte >= 0x20 || byte == b'\t' || byte == b'\n') && byte != b'"' && byte != b'\\'
            });
            raw.push_str(self.input.get(piece..self.at).unwrap_or_default());
            let rest = self.rest();
            // Of a row of quotes the last three end it.
            let ends = rest.starts_with("\"\"\"") && !rest.starts_with("\"\"\"\"");
            let (taken, told) = if ends {
                self.at += 3;
                return Token {
                    kind: Kind::Block,
                    text: Cow::Owned(unindented(&raw)),
                    at: start,
                };
            } else if rest.starts_with("\\\"\"\"") {
                (4, "\"\"\"")
            } else if rest.starts_with("\r\n") {
                (2, "\n")
            } else {
                match self.byte(0) {
                    Some(b'"') => (1, "\""),
                    Some(b'\\') => (1, "\\"),
                    Some(b'\r') => (1, "\n"),
                    _ => return self.token(Kind::Invalid, start),
                }
            };
            self.at += taken;
            raw.push_str(told);
        }
    }
}

/// Commas and byte order marks are blanks, wherever they are.
fn is_blank(character: char) -> bool {
    matches!(character, '\t' | ' ' | ',' | '\n' | '\r' | '\u{feff}')
}

/// How many bytes a line is indented by; none where it is blank.
fn indent(line: &str) -> Option<usize> {
    line.find(|character| character != ' ' && character != '\t')
}

/// A block string without the indentation that its lines share, the first line's own included, and
/// without blank lines around it.
fn unindented(raw: &str) -> String {
    let mut lines: Vec<&str> = raw.split('\n').collect();
    if let Some(common) = lines.iter().filter_map(|line| indent(line)).min() {
        for line in lines.iter_mut().skip(1) {
            *line = line.get(common..).unwrap_or_default();
        }
    }
    let blank = |line: &&&str| indent(line).is_none();
    let before = lines.iter().take_while(blank).count();
    let after = lines.iter().rev().take_while(blank).count();
    let count = lines.len().saturating_sub(before + after);
    let lines: Vec<&str> = lines.into_iter().skip(before).take(count).collect();
    lines.join("\n")
}

/// Whether all of `text` is one number.
pub(super) fn is_number(text: &str, float: bool) -> bool {
    let mut lexer = Lexer::new(text);
    let wanted = if float { Kind::Float } else { Kind::Int };
    lexer.number() == wanted && lexer.rest().is_empty()
}

//! Text into documents, as gqlparser reads it: what both kinds of document share.
//!
//! gqlparser looks at some keywords without asking whether they are names, so that a string can stand for
//! one, and keeps comments only in some places: both are as it has them.

mod query;
mod schema;
mod values;

use std::borrow::Cow;

pub(super) use query::query;
pub(super) use schema::schema;

use super::document::{Comment, Comments};
use super::lexer::{Kind, Lexer, Token};
use super::{Failed, MAX_DEPTH};

/// Bytes that a document may have.
const MAX_BYTES: usize = 4 << 20;

struct Parser<'a> {
    lexer: Lexer<'a>,
    current: Token<'a>,
    /// In front of the current word.
    comments: Vec<Comment>,
    tokens: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, max_tokens: usize) -> Result<Self, Failed> {
        if text.len() > MAX_BYTES {
            return Err(Failed::Bound("a document of GraphQL may have 4 MiB"));
        }
        let mut lexer = Lexer::new(text);
        let current = lexer.next();
        let mut parser = Self {
            lexer,
            current,
            comments: Vec::new(),
            tokens: max_tokens,
            depth: MAX_DEPTH,
        };
        parser.read_comments()?;
        Ok(parser)
    }

    fn count(&mut self) -> Result<(), Failed> {
        self.tokens = self.tokens.checked_sub(1).ok_or(Failed::Bound(
            "a query may have 20000 words, a schema 150000",
        ))?;
        Ok(())
    }

    fn read_comments(&mut self) -> Result<(), Failed> {
        self.count()?;
        while self.current.kind == Kind::Comment {
            self.count()?;
            self.comments.push(Comment {
                value: self.current.text.to_string(),
            });
            self.current = self.lexer.next();
        }
        Ok(())
    }

    /// Takes the current word, and its comments away.
    fn next(&mut self) -> Result<Cow<'a, str>, Failed> {
        let next = self.lexer.next();
        let taken = std::mem::replace(&mut self.current, next);
        self.comments.clear();
        self.read_comments()?;
        Ok(taken.text)
    }

    /// The comments in front of the current word.
    fn comments(&mut self) -> Option<Comments> {
        let list = std::mem::take(&mut self.comments);
        (!list.is_empty()).then_some(Comments { list })
    }

    fn is(&self, kind: Kind) -> bool {
        self.current.kind == kind
    }

    fn is_sign(&self, sign: u8) -> bool {
        self.is(Kind::Sign(sign))
    }

    /// Whether the current word has this text, be it a name or not.
    fn reads(&self, text: &str) -> bool {
        self.current.text == text
    }

    fn wrong(&self, wanted: &str) -> Failed {
        let (line, column) = self.lexer.place(&self.current);
        let found = match self.current.kind {
            Kind::End => "<EOF>".to_owned(),
            Kind::Invalid => "<Invalid>".to_owned(),
            Kind::Sign(sign) => char::from(sign).to_string(),
            Kind::Spread => "...".to_owned(),
            kind => {
                let text: String = self.current.text.chars().take(40).collect();
                format!("{kind:?} `{text}`")
            }
        };
        Failed::refused(format!(
            "expected {wanted}, found {found} in GraphQL string at location {line}:{column}"
        ))
    }

    fn skip_sign(&mut self, sign: u8) -> Result<bool, Failed> {
        let is_here = self.is_sign(sign);
        if is_here {
            self.next()?;
        }
        Ok(is_here)
    }

    fn expect_sign(&mut self, sign: u8) -> Result<(), Failed> {
        if self.skip_sign(sign)? {
            return Ok(());
        }
        Err(self.wrong(&char::from(sign).to_string()))
    }

    fn keyword(&mut self, word: &str) -> Result<(), Failed> {
        if !self.is(Kind::Name) || !self.reads(word) {
            return Err(self.wrong(word));
        }
        self.next().map(|_| ())
    }

    fn name(&mut self) -> Result<String, Failed> {
        if !self.is(Kind::Name) {
            return Err(self.wrong("a name"));
        }
        Ok(self.next()?.into_owned())
    }

    /// What is between two signs, as often as it is there; none where the first is not.
    fn each<T>(
        &mut self,
        (open, close): (u8, u8),
        read: impl Fn(&mut Self) -> Result<T, Failed>,
    ) -> Result<Vec<T>, Failed> {
        let mut list = Vec::new();
        if !self.skip_sign(open)? {
            return Ok(list);
        }
        while !self.is_sign(close) {
            list.push(read(self)?);
        }
        Ok(list)
    }

    /// The same, at least once, with the comments at its end.
    fn some_commented<T>(
        &mut self,
        (open, close): (u8, u8),
        read: impl Fn(&mut Self) -> Result<T, Failed>,
    ) -> Result<(Vec<T>, Option<Comments>), Failed> {
        if !self.is_sign(open) {
            return Ok((Vec::new(), None));
        }
        let list = self.each((open, close), read)?;
        if list.is_empty() {
            return Err(self.wrong("at least one definition"));
        }
        let comments = self.comments();
        self.next()?;
        Ok((list, comments))
    }

    fn some<T>(
        &mut self,
        signs: (u8, u8),
        read: impl Fn(&mut Self) -> Result<T, Failed>,
    ) -> Result<Vec<T>, Failed> {
        Ok(self.some_commented(signs, read)?.0)
    }

    /// Names with signs between them, the first of which may have one too.
    fn names(&mut self, sign: u8) -> Result<Vec<String>, Failed> {
        self.skip_sign(sign)?;
        let mut names = vec![self.name()?];
        while self.skip_sign(sign)? {
            names.push(self.name()?);
        }
        Ok(names)
    }

    /// Reads what is inside of something of its own kind.
    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        self.depth = self.depth.checked_sub(1).ok_or(Failed::Bound(
            "a document of GraphQL may have 64 brackets inside each other",
        ))?;
        let found = read(self)?;
        self.depth += 1;
        Ok(found)
    }
}

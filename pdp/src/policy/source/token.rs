//! Rego text in tokens: enough to know what is code, and where a string, a comment or a template ends.
//!
//! Not a parser. What does not end is one token to the end of the text: the engine will say so.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word,
    /// A number.
    Number,
    /// `"…"`.
    Text,
    /// `` `…` ``.
    RawText,
    /// `$"…"`.
    Template,
    /// `` $`…` ``.
    RawTemplate,
    /// `# …`, without the end of its line.
    Comment,
    /// Blanks and ends of lines.
    Space,
    /// Any other character, and the operators of two.
    Symbol,
    /// A string or template that does not end, or nests too deep.
    Broken,
}

/// One piece of the text. Together the pieces are the whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
}

/// Templates inside each other: the engine's parser would not read more.
const MAX_TEMPLATES: usize = 8;

/// All tokens of `text`.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, length) = first(rest, 0);
        // A token has one character at least, and ends at the end of one.
        let (text, after) = rest.split_at_checked(length.max(1)).unwrap_or((rest, ""));
        tokens.push(Token { kind, text });
        rest = after;
    }
    tokens
}

/// The kind of the first token of `text`, and its length in bytes.
fn first(text: &str, templates: usize) -> (Kind, usize) {
    let mut characters = text.chars();
    let (one, two) = (characters.next().unwrap_or_default(), characters.next());
    match (one, two) {
        (' ' | '\t' | '\r' | '\n', _) => (Kind::Space, run(text, |c| " \t\r\n".contains(c))),
        ('#', _) => (Kind::Comment, run(text, |c| c != '\n')),
        ('"', _) => string(text, 1, Kind::Text),
        ('`', _) => string(text, 1, Kind::RawText),
        ('$', Some('"')) => template(text, '"', Kind::Template, templates),
        ('$', Some('`')) => template(text, '`', Kind::RawTemplate, templates),
        ('0'..='9', _) => (Kind::Number, number(text)),
        (c, _) if is_of_word(c) => (Kind::Word, run(text, is_of_word)),
        (':' | '=' | '!' | '<' | '>', Some('=')) => (Kind::Symbol, 2),
        (c, _) => (Kind::Symbol, c.len_utf8()),
    }
}

fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|c| !of(c)).unwrap_or(text.len())
}

/// Digits, a fraction only where a digit follows the dot, and an exponent with its sign.
fn number(text: &str) -> usize {
    let mut length = 0;
    let mut before = ' ';
    for character in text.chars() {
        let sign = matches!(character, '+' | '-') && matches!(before, 'e' | 'E');
        if !(is_of_word(character) || character == '.' || sign) {
            break;
        }
        before = character;
        length += character.len_utf8();
    }
    length
}

/// A string whose opening is `skip` bytes long.
fn string(text: &str, skip: usize, kind: Kind) -> (Kind, usize) {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(skip) {
        match (kind, character) {
            (Kind::Text, '\n') => return (Kind::Broken, text.len()),
            _ if escaped => escaped = false,
            (Kind::Text, '\\') => escaped = true,
            (Kind::Text, '"') | (Kind::RawText, '`') => return (kind, at + 1),
            _ => {}
        }
    }
    (Kind::Broken, text.len())
}

/// A template, with the code in it.
fn template(text: &str, end: char, kind: Kind, templates: usize) -> (Kind, usize) {
    let broken = (Kind::Broken, text.len());
    let mut at = 2;
    loop {
        let Some(piece) = text.get(at..).and_then(|rest| piece(rest, end, templates)) else {
            return broken;
        };
        match piece {
            Piece::End => return (kind, at + 1),
            Piece::Literal(length) => at += length,
            Piece::Code(length) => at += length + 2,
        }
    }
}

/// What comes next in a template.
pub(super) enum Piece {
    /// So many bytes of text.
    Literal(usize),
    /// So many bytes of code, between a brace before and one behind.
    Code(usize),
    /// The end.
    End,
}

/// What `rest`, from inside of a template that ends with `end`, starts with; none where it does not end.
pub(super) fn piece(rest: &str, end: char, templates: usize) -> Option<Piece> {
    let mut characters = rest.chars();
    match characters.next()? {
        '{' => {
            let code = rest.get(1..)?;
            code_length(code, templates).map(Piece::Code)
        }
        '\n' if end == '"' => None,
        c if c == end => Some(Piece::End),
        '\\' if end == '"' => Some(Piece::Literal(1 + characters.next()?.len_utf8())),
        '\\' if characters.next() == Some('{') => Some(Piece::Literal(2)),
        c => Some(Piece::Literal(c.len_utf8())),
    }
}

/// How much of `code` there is before the brace that closes it.
fn code_length(code: &str, templates: usize) -> Option<usize> {
    if templates >= MAX_TEMPLATES {
        return None;
    }
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        let rest = code.get(at..).filter(|rest| !rest.is_empty())?;
        let (kind, length) = first(rest, templates + 1);
        match (kind, rest.chars().next()?) {
            (Kind::Broken, _) => return None,
            (Kind::Symbol, '{') => depth += 1,
            (Kind::Symbol, '}') if depth == 0 => return Some(at),
            (Kind::Symbol, '}') => depth -= 1,
            _ => {}
        }
        at += length.max(1);
    }
}

//! A template's text, read. Whatever is not understood is an error that names it.

use regorus::Value;

use super::Failed;

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Put(Operand),
    If(Operand, Vec<Node>, Vec<Node>),
    With(Operand, Vec<Node>, Vec<Node>),
    Range(Vec<String>, Operand, Vec<Node>, Vec<Node>),
}

/// A value of an action.
#[derive(Debug)]
pub(super) enum Operand {
    Literal(Value),
    Path(Root, Vec<String>),
}

/// Where a path starts.
#[derive(Debug)]
pub(super) enum Root {
    Dot,
    Dollar,
    Variable(String),
}

/// Actions inside each other.
const MAX_DEPTH: usize = 32;

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, Failed> {
    let mut pieces = pieces(text)?.into_iter();
    let (nodes, end) = block(&mut pieces, 0)?;
    match end {
        None => Ok(nodes),
        Some(action) => Err(Failed::Refused(format!("unexpected {{{{{action}}}}}"))),
    }
}

enum Piece<'t> {
    Text(&'t str),
    Action(&'t str),
}

/// Texts and actions, with what is trimmed gone, and without comments.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Failed> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trims = false;
    while let Some((before, after)) = rest.split_once("{{") {
        let end = end_of(after).ok_or_else(|| Failed::refused("unclosed action"))?;
        let mut action = after.get(..end).unwrap_or_default();
        let mut before = if trims { before.trim_start() } else { before };
        if let Some(trimmed) = action
            .strip_prefix('-')
            .filter(|t| t.starts_with(char::is_whitespace))
        {
            before = before.trim_end();
            action = trimmed;
        }
        let trimmed = action
            .strip_suffix('-')
            .filter(|t| t.ends_with(char::is_whitespace));
        trims = trimmed.is_some();
        action = trimmed.unwrap_or(action).trim();
        pieces.push(Piece::Text(before));
        if !(action.starts_with("/*") && action.ends_with("*/")) {
            pieces.push(Piece::Action(action));
        }
        rest = after.get(end + 2..).unwrap_or_default();
    }
    pieces.push(Piece::Text(if trims { rest.trim_start() } else { rest }));
    Ok(pieces)
}

/// Where `}}` is, outside of a quoted text.
fn end_of(action: &str) -> Option<usize> {
    let (mut quote, mut escaped) = (None, false);
    for (at, character) in action.char_indices() {
        match (quote, character) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '`') => quote = Some(character),
            (None, '}') if action.get(at..)?.starts_with("}}") => return Some(at),
            _ => {}
        }
    }
    None
}

type Block<'t> = (Vec<Node>, Option<&'t str>);

/// Pieces up to an `end`, an `else` or the end of all, and which it was.
fn block<'t>(
    pieces: &mut impl Iterator<Item = Piece<'t>>,
    depth: usize,
) -> Result<Block<'t>, Failed> {
    if depth > MAX_DEPTH {
        return Err(Failed::Bound("a template may nest 32 deep"));
    }
    let mut nodes = Vec::new();
    while let Some(piece) = pieces.next() {
        let action = match piece {
            Piece::Text(text) => {
                nodes.push(Node::Text(text.to_owned()));
                continue;
            }
            Piece::Action(action) => action,
        };
        let (word, rest) = action
            .split_once(char::is_whitespace)
            .unwrap_or((action, ""));
        match word {
            "end" | "else" => return Ok((nodes, Some(action))),
            "if" => nodes.push(conditional(rest, pieces, depth)?),
            "with" => {
                let operand = operand(rest)?;
                let (then, other) = branches(pieces, depth)?;
                nodes.push(Node::With(operand, then, other));
            }
            "range" => {
                let (names, over) = range_of(rest)?;
                let (body, other) = branches(pieces, depth)?;
                nodes.push(Node::Range(names, over, body, other));
            }
            _ => nodes.push(Node::Put(operand(action)?)),
        }
    }
    Ok((nodes, None))
}

fn conditional<'t>(
    condition: &str,
    pieces: &mut impl Iterator<Item = Piece<'t>>,
    depth: usize,
) -> Result<Node, Failed> {
    let condition = operand(condition)?;
    let (then, end) = block(pieces, depth + 1)?;
    let other = match end.and_then(|end| end.strip_prefix("else")).map(str::trim) {
        None => {
            must_end(end)?;
            Vec::new()
        }
        Some("") => {
            let (other, end) = block(pieces, depth + 1)?;
            must_end(end)?;
            other
        }
        Some(more) => match more.strip_prefix("if ") {
            Some(condition) => vec![conditional(condition, pieces, depth + 1)?],
            None => return Err(not_here(more)),
        },
    };
    Ok(Node::If(condition, then, other))
}

fn branches<'t>(
    pieces: &mut impl Iterator<Item = Piece<'t>>,
    depth: usize,
) -> Result<(Vec<Node>, Vec<Node>), Failed> {
    let (then, end) = block(pieces, depth + 1)?;
    if end != Some("else") {
        must_end(end)?;
        return Ok((then, Vec::new()));
    }
    let (other, end) = block(pieces, depth + 1)?;
    must_end(end)?;
    Ok((then, other))
}

fn must_end(end: Option<&str>) -> Result<(), Failed> {
    match end {
        Some("end") => Ok(()),
        Some(other) => Err(not_here(other)),
        None => Err(Failed::refused("unexpected EOF")),
    }
}

/// `$i, $name := .path`, or `.path` alone.
fn range_of(text: &str) -> Result<(Vec<String>, Operand), Failed> {
    let Some((names, over)) = text.split_once(":=") else {
        return Ok((Vec::new(), operand(text)?));
    };
    let names = names.split(',').map(|name| {
        let name = name.trim().strip_prefix('$').unwrap_or_default();
        is_name(name)
            .then(|| name.to_owned())
            .ok_or_else(|| not_here(text))
    });
    let names = names.collect::<Result<Vec<_>, _>>()?;
    if names.len() > 2 {
        return Err(Failed::refused("too many declarations in range"));
    }
    Ok((names, operand(over)?))
}

fn operand(text: &str) -> Result<Operand, Failed> {
    let text = text.trim();
    let path = |root: Root, path: &str| {
        let fields = path.split('.').skip(1);
        let fields: Vec<String> = fields.map(str::to_owned).collect();
        let named = fields.iter().all(|field| is_name(field));
        named
            .then_some(Operand::Path(root, fields))
            .ok_or_else(|| not_here(text))
    };
    if text == "." {
        return Ok(Operand::Path(Root::Dot, Vec::new()));
    }
    if text.starts_with('.') {
        return path(Root::Dot, text);
    }
    if let Some(variable) = text.strip_prefix('$') {
        let (name, fields) = variable.split_at(variable.find('.').unwrap_or(variable.len()));
        return match name {
            "" => path(Root::Dollar, fields),
            name if is_name(name) => path(Root::Variable(name.to_owned()), fields),
            _ => Err(not_here(text)),
        };
    }
    let plain = text.len() >= 2 && !text.contains('\\');
    let quoted = |quote: char| {
        let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
        (plain && !inner.contains(quote)).then_some(inner)
    };
    if let Some(inner) = quoted('"').or_else(|| quoted('`')) {
        return Ok(Operand::Literal(Value::from(inner)));
    }
    match text {
        "true" | "false" => Ok(Operand::Literal(Value::from(text == "true"))),
        _ => Err(not_here(text)),
    }
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    let starts = characters
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_');
    starts && characters.all(|c| c.is_alphanumeric() || c == '_')
}

fn not_here(what: &str) -> Failed {
    Failed::Refused(format!(
        "`{what}` is not understood: of Go's templates there are fields, variables of `range`, `if`, `range` and `with`"
    ))
}

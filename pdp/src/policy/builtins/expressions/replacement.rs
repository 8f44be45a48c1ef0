//! `regex.replace`: `$1`, `$name` and `${name}` as Go reads them.

use regex::Captures;

use super::{Expression, Failed};

/// Bytes that a text may become.
const MAX_BYTES: usize = 16 << 20;

/// `text`, with what the expression finds replaced.
pub(super) fn replaced(
    expression: &Expression,
    text: &str,
    replacement: &str,
) -> Result<String, Failed> {
    let mut out = String::new();
    let mut done = 0;
    for found in expression.compiled.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(text.get(done..whole.start()).unwrap_or_default());
        expand(expression, &found, replacement, &mut out);
        done = whole.end();
        if out.len() > MAX_BYTES {
            return Err(Failed::Bound("a text may become 16 MiB"));
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Ok(out)
}

fn expand(expression: &Expression, found: &Captures<'_>, replacement: &str, out: &mut String) {
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        if let Some((name, after)) = name_of(after) {
            out.push_str(group(expression, found, name));
            rest = after;
        } else {
            // Malformed: a dollar as any.
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
}

/// The name behind a dollar, in braces or as long as it is, and what comes behind it.
fn name_of(after: &str) -> Option<(&str, &str)> {
    let braced = after.strip_prefix('{');
    let text = braced.unwrap_or(after);
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    let (name, rest) = text
        .split_at_checked(end)
        .filter(|(name, _)| !name.is_empty())?;
    match braced {
        Some(_) => Some((name, rest.strip_prefix('}')?)),
        None => Some((name, rest)),
    }
}

/// The group of this number, or the first of this name that is in the match.
fn group<'f>(expression: &Expression, found: &Captures<'f>, name: &str) -> &'f str {
    if name.bytes().all(|b| b.is_ascii_digit()) {
        let number = name.parse().ok();
        return number
            .and_then(|n: usize| found.get(n))
            .map_or("", |g| g.as_str());
    }
    let named = expression.names.iter().enumerate();
    let mut named = named.filter(|(_, own)| *own == name);
    named
        .find_map(|(number, _)| found.get(number))
        .map_or("", |group| group.as_str())
}

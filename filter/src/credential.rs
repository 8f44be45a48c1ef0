//! The headers in which a request shows who sends it, each read in one way or not at all.
//!
//! What this is not: a judgement of what they hold.

use crate::identify::{Field, IdentityRefusal};

/// The bearer token in `header`, where that header is there.
pub(crate) fn bearer_token<'f>(
    fields: &'f [Field],
    header: &str,
) -> Result<Option<&'f str>, IdentityRefusal> {
    let Some(value) = single_text(fields, header) else {
        return Ok(None);
    };
    let value = value.map_err(|Unreadable| IdentityRefusal::AmbiguousToken)?;
    if header != "authorization" {
        return Ok(Some(value));
    }
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token)),
        _ => Err(IdentityRefusal::Scheme),
    }
}

/// A header that must be there once, as text, stands twice or is none.
pub(crate) struct Unreadable;

/// The one value of the header `name`, where it is there.
pub(crate) fn single_text<'f>(
    fields: &'f [Field],
    name: &str,
) -> Option<Result<&'f str, Unreadable>> {
    let mut values = fields
        .iter()
        .filter(|(field, _)| field == name)
        .map(|(_, value)| value);
    let value = values.next()?;
    if values.next().is_some() {
        return Some(Err(Unreadable));
    }
    Some(std::str::from_utf8(value).map_err(|_| Unreadable))
}

//! The headers in which a request shows who sends it, each read in one way or not at all.
//!
//! What this is not: a judgement of what they hold ([`crate::token`], [`crate::peer`]).

use thiserror::Error;

use crate::token::Binding;

/// A header field as it came: its name in lower case, and its bytes.
pub type Field = (String, Vec<u8>);

/// Why what a request shows is no credential, whatever it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CredentialRefusal {
    /// No token and no client certificate.
    #[error("no credential")]
    Missing,
    /// The token header is there more than once, or is not text.
    #[error("token header is doubled or not text")]
    AmbiguousToken,
    /// Not `Bearer`.
    #[error("authorization scheme is not `Bearer`")]
    Scheme,
    /// The token is bound to another certificate, or to a proof that was not given.
    #[error("token is bound to another certificate or proof")]
    Binding,
}

impl CredentialRefusal {
    /// The stable reason code, kebab-case.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "identity-missing",
            Self::AmbiguousToken => "token-ambiguous",
            Self::Scheme => "token-scheme-unsupported",
            Self::Binding => "token-binding-mismatch",
        }
    }
}

/// The bearer token in `header`, where that header is there.
pub fn bearer_token<'f>(
    fields: &'f [Field],
    header: &str,
) -> Result<Option<&'f str>, CredentialRefusal> {
    let Some(value) = single_text(fields, header) else {
        return Ok(None);
    };
    let value = value.map_err(|Unreadable| CredentialRefusal::AmbiguousToken)?;
    if header != "authorization" {
        return Ok(Some(value));
    }
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token)),
        _ => Err(CredentialRefusal::Scheme),
    }
}

/// A header that must be there once, as text, stands twice or is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// The one value of the header `name`, where it is there.
pub fn single_text<'f>(fields: &'f [Field], name: &str) -> Option<Result<&'f str, Unreadable>> {
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

/// Refuses a token that is bound to something else than the certificate `shown`, by its SHA-256
/// digest (RFC 8705 section 3), or to a proof of another kind.
pub fn check_binding(binding: Binding, shown: Option<[u8; 32]>) -> Result<(), CredentialRefusal> {
    match binding {
        Binding::None => Ok(()),
        Binding::Certificate(wanted) if shown == Some(wanted) => Ok(()),
        Binding::Certificate(_) | Binding::Proof => Err(CredentialRefusal::Binding),
    }
}

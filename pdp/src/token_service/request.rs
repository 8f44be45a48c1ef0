//! What a caller of the token endpoint asks for, read from its form.
//!
//! Sources: RFC 8693 section 2.1 (token exchange), RFC 7523 section 2.1 (assertions), RFC 6749 section
//! 3.2 (no parameter twice), RFC 8707 (`resource`). What this is not: whether it gets it.

use std::borrow::Cow;

use thiserror::Error;

/// The longest form, in bytes: evidence of clouds is long.
pub const MAX_FORM_BYTES: usize = 64 * 1024;
/// The most audiences of one token.
const MAX_AUDIENCES: usize = 16;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ASSERTION: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The type of a JWT, whatever it is good for.
pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// The type of an access token; ours are JWTs too (RFC 9068).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// What is shown: evidence for a trust provider, or a token of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A JWT; who signed it says which provider's it is.
    Jwt(String),
}

/// The kind of token that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A SPIFFE JWT-SVID.
    JwtSvid,
    /// An access token (RFC 9068).
    AccessToken,
}

impl TokenKind {
    /// The type as an answer names it.
    pub fn as_urn(self) -> &'static str {
        match self {
            Self::JwtSvid => JWT,
            Self::AccessToken => ACCESS_TOKEN,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Who the token is to be about.
    pub subject: Shown,
    /// Who is to act on its behalf: another's evidence, or token of ours.
    pub actor: Option<Shown>,
    /// Whom it is to be for; never empty.
    pub audiences: Vec<String>,
    /// The scopes it is to have.
    pub scopes: Vec<String>,
    /// Its kind.
    pub kind: TokenKind,
}

/// Why a form asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// No grant that is served.
    #[error("`grant_type` must be `{EXCHANGE}` or `{ASSERTION}`")]
    Grant,
    /// A parameter that is needed, or empty.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A parameter that may be there once.
    #[error("`{0}` is there twice")]
    Twice(&'static str),
    /// A token type that is not taken there.
    #[error("`{0}` is a type that is not taken here")]
    TokenType(&'static str),
    /// A type without its token, or a token without its type.
    #[error("`{0}` is only for where `{1}` is")]
    Without(&'static str, &'static str),
    /// More audiences than a token may have.
    #[error("more than {MAX_AUDIENCES} audiences")]
    Audiences,
}

impl RequestError {
    /// The error code of RFC 6749 section 5.2.
    pub fn oauth_error(&self) -> &'static str {
        match self {
            Self::Grant => "unsupported_grant_type",
            _ => "invalid_request",
        }
    }
}

/// The parameters of a form that are read here; others are not looked at (RFC 6749 section 3.2).
#[derive(Default)]
struct Form<'f> {
    single: Vec<(&'static str, Cow<'f, str>)>,
    audiences: Vec<String>,
}

const SINGLE: [&str; 9] = [
    "grant_type",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
    "scope",
    "assertion",
    "client_assertion",
];

impl<'f> Form<'f> {
    fn read(body: &'f [u8]) -> Result<Self, RequestError> {
        let mut form = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            if value.is_empty() {
                continue;
            }
            if matches!(&*name, "audience" | "resource") {
                if form.audiences.len() == MAX_AUDIENCES {
                    return Err(RequestError::Audiences);
                }
                form.audiences.push(value.into_owned());
                continue;
            }
            if let Some(known) = SINGLE.iter().find(|known| **known == name) {
                if form.get(known).is_some() {
                    return Err(RequestError::Twice(known));
                }
                form.single.push((known, value));
            }
        }
        Ok(form)
    }

    fn get(&self, name: &'static str) -> Option<&str> {
        let found = self.single.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| &**value)
    }

    fn need(&self, name: &'static str) -> Result<&str, RequestError> {
        self.get(name).ok_or(RequestError::Missing(name))
    }
}

impl TokenRequest {
    /// Reads a form (`application/x-www-form-urlencoded`).
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let form = Form::read(body)?;
        let subject = match form.need("grant_type")? {
            EXCHANGE => {
                let token = form.need("subject_token")?;
                shown(
                    token,
                    form.need("subject_token_type")?,
                    "subject_token_type",
                )?
            }
            ASSERTION => Shown::Jwt(form.need("assertion")?.to_owned()),
            _ => return Err(RequestError::Grant),
        };
        let actor = match (form.get("actor_token"), form.get("actor_token_type")) {
            (None, None) => None,
            (Some(token), Some(kind)) => Some(shown(token, kind, "actor_token_type")?),
            (Some(_), None) => return Err(RequestError::Missing("actor_token_type")),
            (None, Some(_)) => {
                return Err(RequestError::Without("actor_token_type", "actor_token"));
            }
        };
        if form.audiences.is_empty() {
            return Err(RequestError::Missing("audience"));
        }
        let scopes = form.get("scope").unwrap_or_default();
        let kind = match form.get("requested_token_type") {
            None | Some(JWT) => TokenKind::JwtSvid,
            Some(ACCESS_TOKEN) => TokenKind::AccessToken,
            Some(_) => return Err(RequestError::TokenType("requested_token_type")),
        };
        Ok(Self {
            subject,
            actor,
            scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
            audiences: form.audiences,
            kind,
        })
    }
}

fn shown(token: &str, kind: &str, name: &'static str) -> Result<Shown, RequestError> {
    match kind {
        JWT | ACCESS_TOKEN | ID_TOKEN => Ok(Shown::Jwt(token.to_owned())),
        _ => Err(RequestError::TokenType(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<TokenRequest, RequestError> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs {
            form.append_pair(name, value);
        }
        TokenRequest::parse(form.finish().as_bytes())
    }

    const WHOLE: [(&str, &str); 4] = [
        ("grant_type", EXCHANGE),
        ("subject_token", "a.b.c"),
        ("subject_token_type", JWT),
        ("audience", "orders"),
    ];

    fn with(more: &[(&'static str, &'static str)]) -> Result<TokenRequest, RequestError> {
        read(&[&WHOLE[..], more].concat())
    }

    #[test]
    fn an_exchange_and_an_assertion_ask_for_the_same() {
        let request = with(&[]).unwrap();
        assert_eq!(request.subject, Shown::Jwt("a.b.c".to_owned()));
        assert_eq!(request.audiences, ["orders"]);
        assert_eq!(request.kind, TokenKind::JwtSvid);
        let assertion = read(&[
            ("grant_type", ASSERTION),
            ("assertion", "a.b.c"),
            ("audience", "orders"),
        ]);
        assert_eq!(assertion.unwrap(), request);
        let more = with(&[
            ("resource", "https://pay.test/"),
            ("scope", " read  write "),
            ("actor_token", "d.e.f"),
            ("actor_token_type", ID_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
            ("unknown", "x"),
            ("unknown", "y"),
        ]);
        let more = more.unwrap();
        assert_eq!(more.audiences, ["orders", "https://pay.test/"]);
        assert_eq!(more.scopes, ["read", "write"]);
        assert_eq!(more.actor, Some(Shown::Jwt("d.e.f".to_owned())));
        assert_eq!(more.kind, TokenKind::AccessToken);
    }

    #[test]
    fn a_form_that_could_be_read_in_two_ways_is_refused() {
        for (name, value) in WHOLE
            .iter()
            .chain(&[("scope", "a")])
            .filter(|(name, _)| *name != "audience")
        {
            let twice = read(&[&WHOLE[..], &[(name, value), (name, "other")]].concat());
            assert_eq!(
                twice.unwrap_err().oauth_error(),
                "invalid_request",
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_missing_or_of_another_type_is_said_by_name() {
        for name in [
            "grant_type",
            "subject_token",
            "subject_token_type",
            "audience",
        ] {
            let rest: Vec<_> = WHOLE
                .into_iter()
                .filter(|(there, _)| *there != name)
                .collect();
            assert_eq!(read(&rest).unwrap_err(), RequestError::Missing(name));
            // RFC 6749 section 3.2: a parameter without a value is one that is not there.
            let empty: Vec<_> = rest.into_iter().chain([(name, "")]).collect();
            assert_eq!(read(&empty).unwrap_err(), RequestError::Missing(name));
        }
        let refused = |more: &[(&'static str, &'static str)]| with(more).unwrap_err();
        assert_eq!(
            refused(&[("actor_token", "x")]),
            RequestError::Missing("actor_token_type")
        );
        assert_eq!(
            refused(&[("actor_token_type", JWT)]),
            RequestError::Without("actor_token_type", "actor_token")
        );
        const SAML: &str = "urn:ietf:params:oauth:token-type:saml2";
        assert_eq!(
            refused(&[("requested_token_type", SAML)]),
            RequestError::TokenType("requested_token_type")
        );
        let many: Vec<_> = (0..MAX_AUDIENCES).map(|_| ("audience", "x")).collect();
        assert_eq!(refused(&many), RequestError::Audiences);
        let grant = read(&[("grant_type", "password")]).unwrap_err();
        assert_eq!(grant.oauth_error(), "unsupported_grant_type");
    }
}

//! What a caller of the token endpoint asks for, read from its form.
//!
//! Sources: RFC 8693 section 2.1 (token exchange), RFC 7523 sections 2.1 and 2.2 (assertions), RFC 6749 section
//! 3.2 (no parameter twice), RFC 8707 (`resource`). What this is not: whether it gets it.

use std::borrow::Cow;

use thiserror::Error;

use edgeward_core::jose::CompactJws;
use edgeward_core::token::Claims;

use crate::attestation::ProviderName;
use crate::attestation::evidence::EvidenceKind;

/// The longest form, in bytes: evidence of clouds is long.
pub const MAX_FORM_BYTES: usize = 64 * 1024;
/// The most audiences of one token.
const MAX_AUDIENCES: usize = 16;

/// The grant of token exchange (RFC 8693).
pub const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ASSERTION: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// With a JWT as `client_assertion` (RFC 7523 section 2.2).
const CREDENTIALS: &str = "client_credentials";
const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
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
    /// A token that only its issuer can read.
    Opaque(String),
    /// The certificate of the TLS session, and nothing else.
    Certificate,
    /// Evidence of another kind.
    Evidence(EvidenceKind, String),
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
    /// The trust provider whose word is to be taken of the subject, where the caller says.
    pub provider: Option<ProviderName>,
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
    #[error("`grant_type` must be `{EXCHANGE}`, `{ASSERTION}` or `{CREDENTIALS}`")]
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
    /// `client_id` names another than the assertion does (RFC 7521 section 4.2).
    #[error("`client_id` is not the `sub` of `client_assertion`")]
    Client,
    /// What names no trust provider.
    #[error("`trust_provider` is not the name of a trust provider")]
    Provider,
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

const SINGLE: [&str; 12] = [
    "grant_type",
    "client_id",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
    "scope",
    "assertion",
    "client_assertion",
    "client_assertion_type",
    "trust_provider",
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
        let subject = subject(&form)?;
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
        let provider = form.get("trust_provider").map(str::parse).transpose();
        let provider = provider.map_err(|_| RequestError::Provider)?;
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
            provider,
            kind,
        })
    }
}

/// Who shows what. What another grant is shown by is refused: of two nobody could tell who asks.
fn subject(form: &Form<'_>) -> Result<Shown, RequestError> {
    let grant = form.need("grant_type")?;
    for (name, of, named) in [
        (
            "subject_token",
            EXCHANGE,
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        (
            "assertion",
            ASSERTION,
            "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer",
        ),
        (
            "client_assertion",
            CREDENTIALS,
            "grant_type=client_credentials",
        ),
    ] {
        if grant != of && form.get(name).is_some() {
            return Err(RequestError::Without(name, named));
        }
    }
    let kind = form.get("client_assertion_type");
    match (grant, form.get("client_assertion"), kind) {
        (EXCHANGE, ..) => {
            let (token, name) = (form.need("subject_token")?, "subject_token_type");
            shown(token, form.need(name)?, name)
        }
        (ASSERTION, ..) => Ok(Shown::Jwt(form.need("assertion")?.to_owned())),
        (CREDENTIALS, None, None) => Ok(Shown::Certificate),
        // An assertion that got lost must not become a certificate.
        (CREDENTIALS, None, Some(_)) => Err(RequestError::Missing("client_assertion")),
        (CREDENTIALS, Some(assertion), Some(CLIENT_ASSERTION)) => match form.get("client_id") {
            Some(client) if !is_of(assertion, client) => Err(RequestError::Client),
            _ => Ok(Shown::Jwt(assertion.to_owned())),
        },
        (CREDENTIALS, Some(_), Some(_)) => Err(RequestError::TokenType("client_assertion_type")),
        (CREDENTIALS, Some(_), None) => Err(RequestError::Missing("client_assertion_type")),
        _ => Err(RequestError::Grant),
    }
}

/// Whether an assertion says that it is this client's; whether it is, the signature says.
fn is_of(assertion: &str, client: &str) -> bool {
    let claims = CompactJws::parse(assertion).ok();
    let claims = claims.and_then(|jws| Claims::parse(jws.payload).ok());
    claims.is_some_and(|claims| claims.subject == client)
}

fn shown(token: &str, kind: &str, name: &'static str) -> Result<Shown, RequestError> {
    match kind {
        // An access token is whatever its issuer likes; what is no JWT, only its issuer can read.
        ACCESS_TOKEN if CompactJws::parse(token).is_err() => Ok(Shown::Opaque(token.to_owned())),
        JWT | ACCESS_TOKEN | ID_TOKEN => Ok(Shown::Jwt(token.to_owned())),
        other => match other.parse() {
            Ok(kind) => Ok(Shown::Evidence(kind, token.to_owned())),
            Err(_) => Err(RequestError::TokenType(name)),
        },
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;

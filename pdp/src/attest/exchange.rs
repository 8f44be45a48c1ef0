//! Evidence in, a token out: the client of `POST /edgeward/v1/token` (RFC 8693).

use std::fmt;

use edgeward_core::json;
use edgeward_core::time::UnixSeconds;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};
use thiserror::Error;

use super::evidence::Evidence;
use super::probe::Surroundings;
use crate::client::{Call, Client, ClientError, Endpoint};
use crate::service::TOKEN_PATH;
use crate::token_service::{EXCHANGE, JWT, TokenKind};

/// The longest answer, in bytes.
pub(crate) const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// The longest that a token may say to live, in seconds: what lives longer is no token of such a service.
const MAX_LIFETIME: u64 = 30 * 24 * 60 * 60;
/// The most characters of the service's words in a message.
const MAX_SHOWN: usize = 300;

/// What a token is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// Whom it is for.
    pub(crate) audiences: Vec<String>,
    /// What it allows.
    pub(crate) scopes: Vec<String>,
    /// Its kind.
    pub(crate) kind: TokenKind,
}

/// A token, as the service gave it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// The token itself.
    pub(crate) text: String,
    /// How it is shown, such as `Bearer`.
    pub(crate) scheme: String,
    /// Its type, of RFC 8693 section 3.
    pub(crate) issued_type: String,
    /// Whom it is for.
    pub(crate) audiences: Vec<String>,
    /// When it was asked for, by this machine's clock.
    pub(crate) issued_at: UnixSeconds,
    /// When it ends, by this machine's clock.
    pub(crate) expires_at: UnixSeconds,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("audiences", &self.audiences)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Token {
    /// How long it lives at the time `now`, in seconds.
    pub(crate) fn lifetime(&self, now: UnixSeconds) -> u64 {
        self.expires_at.seconds_since(now)
    }
}

/// Why there is no token.
#[derive(Debug, Error)]
pub(crate) enum ExchangeError {
    /// The service says no.
    #[error("refused: {code}: {description} ({error}, status {status})")]
    Refused {
        /// Of `docs/reason-codes.md`.
        code: String,
        /// For people.
        description: String,
        /// Of RFC 6749.
        error: String,
        /// Of HTTP.
        status: u16,
    },
    /// The service cannot be asked.
    #[error("the token service {0}")]
    Client(#[from] ClientError),
    /// What answers is no token service.
    #[error("what answers there is no token service of Edgeward: {0}")]
    Answer(String),
}

/// A token service.
#[derive(Debug, Clone)]
pub(crate) struct TokenService(pub(crate) Client);

impl TokenService {
    /// Shows `evidence`, and asks for a token.
    pub(super) async fn exchange(
        &self,
        evidence: &Evidence,
        order: &Order,
    ) -> Result<Token, ExchangeError> {
        self.ask(evidence.text(), evidence.kind().as_urn(), order)
            .await
    }

    /// Shows a token of the service's own, and asks for another.
    pub(super) async fn renew(&self, own: &Token, order: &Order) -> Result<Token, ExchangeError> {
        self.ask(&own.text, JWT, order).await
    }

    async fn ask(&self, shown: &str, kind: &str, order: &Order) -> Result<Token, ExchangeError> {
        let issued_at = Surroundings::now();
        let call = Call {
            method: Method::POST,
            path: &self.path(),
            content_type: "application/x-www-form-urlencoded",
            headers: HeaderMap::new(),
            body: form(shown, kind, order).into_bytes(),
        };
        let reply = self.0.call(call).await?;
        let answer = json::parse_object(&reply.body);
        if reply.status == StatusCode::OK {
            let mut members = answer.map_err(|error| ExchangeError::Answer(error.to_string()))?;
            let token = read(&mut members, order, issued_at);
            return token
                .ok_or_else(|| ExchangeError::Answer("its answer has no token".to_owned()));
        }
        Err(refusal(reply.status, &answer.unwrap_or_default()))
    }

    /// The door, below the path of the server's URL.
    fn path(&self) -> String {
        match &self.0.endpoint {
            Endpoint::Url(url) => format!("{}{TOKEN_PATH}", url.path().trim_end_matches('/')),
            Endpoint::Unix(_) => TOKEN_PATH.to_owned(),
        }
    }
}

fn form(shown: &str, kind: &str, order: &Order) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", EXCHANGE)
        .append_pair("subject_token", shown)
        .append_pair("subject_token_type", kind)
        .append_pair("requested_token_type", order.kind.as_urn());
    for audience in &order.audiences {
        form.append_pair("audience", audience);
    }
    if !order.scopes.is_empty() {
        form.append_pair("scope", &order.scopes.join(" "));
    }
    form.finish()
}

/// Reads an answer (RFC 8693 section 2.2.1). A token without an end is none.
fn read(members: &mut Map<String, Value>, order: &Order, issued_at: UnixSeconds) -> Option<Token> {
    let lifetime = members.get("expires_in")?.as_u64()?.min(MAX_LIFETIME);
    let mut told = |name: &str| match members.remove(name)? {
        Value::String(text) => Some(text),
        _ => None,
    };
    let text = told("access_token")?;
    let is_token = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    Some(Token {
        text: is_token.then_some(text)?,
        scheme: told("token_type")?,
        issued_type: told("issued_token_type")?,
        audiences: order.audiences.clone(),
        issued_at,
        expires_at: issued_at.plus(lifetime),
    })
}

fn refusal(status: StatusCode, members: &Map<String, Value>) -> ExchangeError {
    let told = |name: &str| {
        let text = members.get(name).and_then(Value::as_str)?;
        let plain = text.chars().filter(|character| !character.is_control());
        Some(plain.take(MAX_SHOWN).collect::<String>())
    };
    let status = status.as_u16();
    let Some(error) = told("error") else {
        return ExchangeError::Answer(format!("status {status}: is --server right?"));
    };
    ExchangeError::Refused {
        code: told("code").unwrap_or_else(|| "unknown".to_owned()),
        description: told("error_description").unwrap_or_default(),
        error,
        status,
    }
}

//! Opaque tokens: what an authorization server says of a token that only it can read (RFC 7662).
//!
//! The server is asked with our own credentials, and its word is taken of a token that is active, for us alone,
//! and bound to nothing. Order of reading: `client`, `answer`, `refusal`.
//!
//! What this is not: for JWTs, which need no asking; or a memory of answers (`crate::token_service`).

mod answer;
mod client;
mod refusal;

#[cfg(test)]
pub(crate) mod test_server;
#[cfg(test)]
mod tests;

use std::time::Duration;

use edgeward_core::time::UnixSeconds;
use edgeward_core::token::Issuer;

pub use self::client::{Authentication, Client};
pub use self::refusal::IntrospectionRefusal;
use super::Attested;
use crate::fetch::{Ask, FetchError, FetchSettings, Got, Kind, Redirects, Server, SourceUrl, ask};

/// The longest token that is asked about, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// The longest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Checked settings of one authorization server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntrospectionSettings {
    /// Its introspection endpoint.
    pub endpoint: SourceUrl,
    /// What its answers must have as `iss`; where it is none, they may have any or none.
    pub issuer: Option<Issuer>,
    /// What this PDP is called in tokens; an active token names one of them and nobody else.
    pub audiences: Vec<String>,
    /// Who we are to it.
    pub client: Client,
    /// The members of its answers that become attributes, beside `sub`, `client_id`, `scope` and `username`.
    pub claims: Vec<String>,
    /// How far clocks may disagree.
    pub leeway: Duration,
    /// The longest a token may live.
    pub max_lifetime: Duration,
    /// How long its word is taken without asking again.
    pub recheck_after: Duration,
    /// How it is asked.
    pub fetch: FetchSettings,
}

/// What an authorization server said of an active token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introspected {
    /// What it vouches for.
    pub attested: Attested,
    /// Who it is about, `issuer|sub`, with its client as `sub` where it is the client's own. The issuer is the
    /// answer's `iss`, or the endpoint where there is none: by this it may be revoked here.
    pub subject: String,
    /// Its `jti`, by which it may be revoked here too.
    pub token_id: Option<String>,
}

impl IntrospectionSettings {
    /// Asks about `token`.
    pub async fn introspect(
        &self,
        token: &str,
        now: UnixSeconds,
    ) -> Result<Introspected, IntrospectionRefusal> {
        // Before it is asked: what no server issues is nobody's (RFC 6750 section 2.1).
        if token.len() > MAX_TOKEN_BYTES || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(IntrospectionRefusal::Unreadable);
        }
        let asked = self.client.question(token, now)?;
        let question = Ask {
            kind: Kind::Json,
            credential: Some(&asked.credential),
            body: Some(asked.form.as_bytes()),
            ..Ask::JSON
        };
        let settings = FetchSettings {
            max_bytes: self.fetch.max_bytes.min(MAX_ANSWER_BYTES),
            ..self.fetch.clone()
        };
        let server = Server::WebPki(self.fetch.ca_file.as_deref());
        let endpoint = &self.endpoint;
        match ask(endpoint, server, Redirects::None, &settings, &question).await {
            Ok(Got::Document(document)) => answer::read(&document.body, self, now),
            Ok(Got::Unchanged { .. }) => Err(IntrospectionRefusal::Answer("status 304")),
            Err(FetchError::Status(status @ (400 | 401 | 403))) => {
                Err(IntrospectionRefusal::Forbidden(status))
            }
            Err(FetchError::Unauthorized(_)) => Err(IntrospectionRefusal::Forbidden(401)),
            Err(FetchError::Redirect { .. }) => Err(IntrospectionRefusal::Answer("a redirect")),
            Err(FetchError::TooLarge(_)) => Err(IntrospectionRefusal::Answer("too much")),
            Err(FetchError::ContentType { .. }) => Err(IntrospectionRefusal::Answer(
                "not of the type `application/json`",
            )),
            Err(error) => Err(IntrospectionRefusal::Unavailable(error)),
        }
    }
}

//! The API server: our own token, one question at a time, JSON in and out.

use serde_json::{Map, Value};

use super::{ReviewRefusal, ReviewSettings};
use crate::fetch::{
    Ask, Credential, FetchError, FetchSettings, Got, Redirects, Server as Vouching, SourceUrl, ask,
};
use crate::whole_file;

/// The longest answer: a node lists all of its images.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// The longest token of our own.
const MAX_TOKEN_BYTES: u64 = 64 * 1024;

/// The server, with who we are to it.
pub(super) struct Server<'s> {
    at: &'s SourceUrl,
    credential: Credential,
    settings: FetchSettings,
}

impl<'s> Server<'s> {
    pub(super) fn of(settings: &'s ReviewSettings) -> Result<Self, ReviewRefusal> {
        let credential = credential(settings).ok_or(ReviewRefusal::OwnToken)?;
        Ok(Self {
            at: &settings.server,
            credential,
            settings: FetchSettings {
                max_bytes: MAX_ANSWER_BYTES,
                ..settings.fetch.clone()
            },
        })
    }

    /// The object that the server made of `question`.
    pub(super) async fn post(
        &self,
        path: &[&str],
        question: &Value,
    ) -> Result<Map<String, Value>, ReviewRefusal> {
        let body = question.to_string();
        let got = self.send(path, Some(body.as_bytes())).await;
        self.read(got, "tokenreviews")
    }

    /// The object at `path`, one of these `resources`; none where there is no such object.
    pub(super) async fn get(
        &self,
        resources: &'static str,
        path: &[&str],
    ) -> Result<Option<Map<String, Value>>, ReviewRefusal> {
        match self.send(path, None).await {
            Err(FetchError::Status(404)) => Ok(None),
            got => self.read(got, resources).map(Some),
        }
    }

    async fn send(&self, path: &[&str], body: Option<&[u8]>) -> Result<Got, FetchError> {
        // Names of objects come from tokens: each is one segment, whatever is in it.
        let url = self.at.with_path(path);
        let question = Ask {
            credential: Some(&self.credential),
            body,
            makes: body.is_some(),
            ..Ask::JSON
        };
        let vouching = Vouching::WebPki(self.settings.ca_file.as_deref());
        ask(&url, vouching, Redirects::None, &self.settings, &question).await
    }

    fn read(
        &self,
        got: Result<Got, FetchError>,
        resources: &'static str,
    ) -> Result<Map<String, Value>, ReviewRefusal> {
        match got {
            Ok(Got::Document(document)) => Ok(edgeward_core::json::parse_object(&document.body)?),
            Ok(Got::Unchanged { .. }) => Err(ReviewRefusal::Answer("status 304")),
            Err(FetchError::Status(403)) => Err(ReviewRefusal::Forbidden(resources)),
            Err(FetchError::Status(401) | FetchError::Unauthorized(_)) => {
                Err(ReviewRefusal::Unauthorized)
            }
            Err(error) => Err(ReviewRefusal::Unavailable(error)),
        }
    }
}

/// Our own token, which its platform renews in the file.
fn credential(settings: &ReviewSettings) -> Option<Credential> {
    let bytes = whole_file::read(&settings.token_file, MAX_TOKEN_BYTES).ok()??;
    let token = String::from_utf8(bytes).ok()?;
    Credential::bearer(token.trim())?.with("content-type", "application/json")
}

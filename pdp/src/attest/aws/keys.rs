//! Credentials of this workload at AWS, from variables or from the container endpoint.

use std::fmt;

use edgeward_core::json;
use http::{Method, StatusCode};
use serde_json::Value;

use crate::attest::metadata::{EVIDENCE, Metadata, Question};
use crate::attest::probe::ProbeError;
use crate::attest::variables::Variables;
use crate::fetch::{
    Ask, Credential, FetchSettings, Got, Plaintext, Redirects, Server, SourceUrl, ask,
};

const SERVER: &str = "the container endpoint of AWS";
const FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const RELATIVE_URI: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
/// Where `RELATIVE_URI` is relative to.
const ECS: &str = "http://169.254.170.2";

/// An access key.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: String,
    /// Empty for lasting ones.
    pub(super) session: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// Those of the environment; none where there are none.
    pub(super) fn of_variables(variables: &Variables) -> Result<Option<Self>, ProbeError> {
        let Some(id) = variables.get("AWS_ACCESS_KEY_ID") else {
            return Ok(None);
        };
        let secret = variables.get("AWS_SECRET_ACCESS_KEY");
        let secret = secret.ok_or_else(|| ProbeError::Variable {
            name: "AWS_SECRET_ACCESS_KEY",
            reason: "is not set, though AWS_ACCESS_KEY_ID is".to_owned(),
        })?;
        Ok(Some(Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            session: variables
                .get("AWS_SESSION_TOKEN")
                .unwrap_or_default()
                .to_owned(),
        }))
    }

    /// Those of the container endpoint; none where none is told of.
    pub(super) async fn of_container(variables: &Variables) -> Result<Option<Self>, ProbeError> {
        let (name, url) = match (variables.get(RELATIVE_URI), variables.get(FULL_URI)) {
            (Some(path), _) if path.starts_with('/') => (RELATIVE_URI, format!("{ECS}{path}")),
            (Some(_), _) => {
                return Err(ProbeError::Variable {
                    name: RELATIVE_URI,
                    reason: "must begin with `/`".to_owned(),
                });
            }
            (None, Some(url)) => (FULL_URI, url.to_owned()),
            (None, None) => return Ok(None),
        };
        let authorization = authorization(variables)?;
        let body = if url.starts_with("https://") {
            over_tls(&url, authorization).await?
        } else {
            let service = Metadata::at(&url, name)?;
            let mut headers = Vec::new();
            if let Some(token) = &authorization {
                headers.push(("authorization", token.as_str()));
            }
            let question = Question {
                method: &Method::GET,
                path: &service.path_and_query(),
                headers: &headers,
                patience: EVIDENCE,
            };
            let answer = service.ask(question).await?;
            if answer.status != StatusCode::OK {
                return Err(ProbeError::status(SERVER, answer.status.as_u16()));
            }
            answer.body.to_vec()
        };
        Self::of_answer(&body, SERVER).map(Some)
    }

    /// Reads what an endpoint of credentials answers.
    pub(super) fn of_answer(body: &[u8], of: &'static str) -> Result<Self, ProbeError> {
        let mut members = json::parse_object(body).map_err(|_| ProbeError::unread(of, "{…}"))?;
        let mut told = |name: &str| match members.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            _ => Err(ProbeError::unread(of, name)),
        };
        Ok(Self {
            id: told("AccessKeyId")?,
            secret: told("SecretAccessKey")?,
            session: told("Token")?,
        })
    }
}

fn authorization(variables: &Variables) -> Result<Option<String>, ProbeError> {
    let Some(file) = variables.get(TOKEN_FILE) else {
        return Ok(variables.get(TOKEN).map(str::to_owned));
    };
    let read = std::fs::read_to_string(file).map_err(|error| ProbeError::Variable {
        name: TOKEN_FILE,
        reason: format!("`{file}`: {error}"),
    })?;
    Ok(Some(read.trim().to_owned()))
}

async fn over_tls(url: &str, authorization: Option<String>) -> Result<Vec<u8>, ProbeError> {
    let wrong = |reason: &str| ProbeError::Variable {
        name: FULL_URI,
        reason: reason.to_owned(),
    };
    let url = SourceUrl::parse(url, Plaintext::Refused).map_err(|_| wrong("is no URL"))?;
    let credential = match authorization {
        None => None,
        Some(token) => {
            let credential = Credential::of([("authorization", token)]);
            Some(credential.ok_or_else(|| wrong("its authorization token is no header"))?)
        }
    };
    let question = Ask {
        credential: credential.as_ref(),
        ..Ask::JSON
    };
    let settings = FetchSettings::default();
    match ask(
        &url,
        Server::WebPki(None),
        Redirects::None,
        &settings,
        &question,
    )
    .await?
    {
        Got::Document(document) => Ok(document.body),
        Got::Unchanged { .. } => Err(ProbeError::status(SERVER, 304)),
    }
}

//! GitHub Actions: a job's token, asked for with the audience of the token service.
//!
//! Source: docs.github.com, "OpenID Connect reference", methods for requesting the OIDC token.

use edgeward_core::json;
use serde_json::Value;

use super::evidence::{Evidence, EvidenceType};
use super::probe::{ProbeError, Probed, Surroundings};
use crate::fetch::{
    AddressRule, Ask, Credential, FetchSettings, Got, Plaintext, Redirects, Server, SourceUrl, ask,
};

const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
const SERVER: &str = "GitHub";

/// Asks the runner's API.
pub(super) async fn probe(surroundings: &Surroundings) -> Result<Probed, ProbeError> {
    let variables = &surroundings.variables;
    let (Some(url), Some(token)) = (variables.get(URL), variables.get(TOKEN)) else {
        return Ok(Probed::absent(if variables.says_true("GITHUB_ACTIONS") {
            format!("{URL} is not set: give the job `permissions: {{ id-token: write }}`")
        } else {
            "GITHUB_ACTIONS is not set".to_owned()
        }));
    };
    // The URL is in no message: runners have put keys into it.
    let url = SourceUrl::parse(url, Plaintext::Loopback).map_err(|_| ProbeError::Variable {
        name: URL,
        reason: "is no `https://` URL".to_owned(),
    })?;
    let url = url.with_query([("audience", surroundings.audience.as_str())]);
    let credential = Credential::bearer(token).ok_or_else(|| ProbeError::Variable {
        name: TOKEN,
        reason: "is no token".to_owned(),
    })?;
    let question = Ask {
        credential: Some(&credential),
        ..Ask::JSON
    };
    let settings = FetchSettings {
        addresses: AddressRule {
            // Where the URL is plain http it is to this machine.
            allow_loopback: true,
            allow_link_local: false,
        },
        ..FetchSettings::default()
    };
    let got = ask(
        &url,
        Server::WebPki(None),
        Redirects::None,
        &settings,
        &question,
    )
    .await?;
    let Got::Document(document) = got else {
        return Err(ProbeError::status(SERVER, 304));
    };
    let value = json::parse_object(&document.body).ok();
    let value = value.and_then(|mut members| members.remove("value"));
    let Some(Value::String(token)) = value else {
        return Err(ProbeError::unread(SERVER, "value"));
    };
    let evidence = Evidence::of_text(&token, EvidenceType::Jwt, "GitHub's token")?;
    Ok(Probed::Found(evidence))
}

//! Asks STS: with our client, its rules of addresses, its bounds, and no redirects.

use super::{AwsStsRefusal, CallerRequest, MAX_ANSWER_BYTES};
use crate::fetch::{Ask, Credential, FetchError, FetchSettings, Got, Kind, Redirects, Server, ask};

/// Sends `request` and gives the body of an answer that says 200.
pub(super) async fn send(
    request: &CallerRequest,
    settings: &FetchSettings,
) -> Result<Vec<u8>, AwsStsRefusal> {
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.clone()));
    // What cannot be a header was refused before.
    let credential = Credential::of(headers).ok_or(AwsStsRefusal::Unreadable)?;
    let question = Ask {
        kind: Kind::Named("application/json"),
        credential: Some(&credential),
        body: request.body.map(str::as_bytes),
        ..Ask::JSON
    };
    let server = Server::WebPki(settings.ca_file.as_deref());
    let settings = FetchSettings {
        max_bytes: settings.max_bytes.min(MAX_ANSWER_BYTES),
        ..settings.clone()
    };
    let url = &request.url;
    match ask(url, server, Redirects::None, &settings, &question).await {
        Ok(Got::Document(document)) => Ok(document.body),
        Ok(Got::Unchanged { .. }) => Err(AwsStsRefusal::Answer("status 304")),
        Err(error) => Err(refusal(error)),
    }
}

fn refusal(error: FetchError) -> AwsStsRefusal {
    match error {
        FetchError::Status(status @ (400 | 403)) => AwsStsRefusal::Rejected(status),
        FetchError::Unauthorized(_) => AwsStsRefusal::Rejected(401),
        FetchError::Redirect { .. } => AwsStsRefusal::Answer("a redirect"),
        FetchError::TooLarge(_) => AwsStsRefusal::Answer("too much"),
        FetchError::ContentType { .. } => AwsStsRefusal::Answer("something compressed"),
        error => AwsStsRefusal::Unavailable(error),
    }
}

//! One call to a PDP's doors as `edgeward revoke` makes it: JSON in, JSON out, and who asks.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;

use crate::cli::Failure;
use crate::client::{Call, Client, ClientError};

/// The longest answer: ten thousand revocations, each of the longest names.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// What a PDP answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

/// Calls and reads the answer. Without `token` the client certificate has to do.
pub(super) async fn call(
    client: &Client,
    token: Option<&str>,
    (method, path): (Method, &str),
    body: Option<Value>,
) -> Result<Answer, Failure> {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        // The error does not repeat what it could not take.
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Failure::new("the admin token has characters that no header may have"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let call = Call {
        method,
        path,
        content_type: "application/json",
        headers,
        body: body.map_or_else(Vec::new, |body| body.to_string().into_bytes()),
    };
    let reply = client.call(call).await.map_err(failure)?;
    // A proxy's page is no JSON; its status still says something.
    let body = serde_json::from_slice(&reply.body).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(&reply.body);
        Value::String(text.chars().take(200).collect())
    });
    Ok(Answer {
        status: reply.status,
        body,
    })
}

fn failure(error: ClientError) -> Failure {
    Failure::new(match error {
        ClientError::Tls(error) => error.to_string(),
        ClientError::Unreachable(_) => format!("the PDP {error}: see --pdp"),
        error => format!("the PDP {error}"),
    })
}

//! Calls to the doors of operators at a running PDP: where it is, who calls, JSON in, JSON out.
//!
//! What this is not: a way to change the PDP's files; everything goes through its doors.

use std::path::PathBuf;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::Failure;
use super::output::printable;
use crate::client::{Call, Client, ClientError, Endpoint, Identity, Tls};

/// The environment's name for the admin token.
const TOKEN_VARIABLE: &str = "EDGEWARD_ADMIN_TOKEN";
/// The longest answer: a hundred thousand identities, each of the longest names.
const MAX_ANSWER_BYTES: usize = 512 * 1024 * 1024;

/// Where the PDP is, and who calls.
#[derive(Debug, clap::Args)]
pub(super) struct Administration {
    /// Where the PDP listens: `http://` (this machine only), `https://` or `unix:/path`
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:8181"
    )]
    pdp: Endpoint,
    /// PEM file of authorities that vouch for an `https://` PDP. Default: the system's
    #[arg(long, global = true, visible_alias = "ca", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// PEM file with an operator's certificate chain, leaf first: in place of the admin token
    #[arg(long, global = true, visible_alias = "cert", value_name = "FILE")]
    cert_file: Option<PathBuf>,
    /// PEM file with the key of that certificate
    #[arg(long, global = true, visible_alias = "key", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// A file with the admin token. Default: the variable `EDGEWARD_ADMIN_TOKEN`
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// What a PDP answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

/// Somebody who may call a PDP.
pub(super) struct Connection {
    client: Client,
    token: Option<String>,
    runtime: Runtime,
}

impl Administration {
    /// Reads who calls; nothing is sent yet.
    pub(super) fn connect(&self) -> Result<Connection, Failure> {
        let identity = self.identity()?;
        let token = self.admin_token(identity.is_some())?;
        let client = Client {
            endpoint: self.pdp.clone(),
            tls: Tls {
                ca_file: self.ca_file.clone(),
                identity,
            },
            max_bytes: MAX_ANSWER_BYTES,
        };
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Connection {
            client,
            token,
            runtime,
        })
    }

    fn identity(&self) -> Result<Option<Identity>, Failure> {
        match (&self.cert_file, &self.key_file) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) if !self.pdp.is_tls() => Err(Failure::new(
                "a certificate is shown in TLS only: name an `https://` URL by --pdp",
            )),
            (Some(certificate), Some(key)) => Ok(Some(Identity {
                certificate: certificate.clone(),
                key: key.clone(),
            })),
            _ => Err(Failure::new(
                "--cert-file and --key-file go together: name both",
            )),
        }
    }

    /// Of whoever shows a certificate, only the token that was named is sent as well.
    fn admin_token(&self, has_identity: bool) -> Result<Option<String>, Failure> {
        let token = match &self.token_file {
            Some(file) => std::fs::read_to_string(file)
                .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?,
            None if has_identity => return Ok(None),
            None => std::env::var(TOKEN_VARIABLE).map_err(|_| {
                Failure::new(format!(
                    "no admin token: name its file by --token-file, or set {TOKEN_VARIABLE}; an operator \
                     names --cert-file and --key-file"
                ))
            })?,
        };
        Ok(Some(token.trim().to_owned()))
    }
}

impl Connection {
    /// Calls, and gives the body of an answer that says that it was done.
    pub(super) fn done(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        done(self.call(method, path, body)?)
    }

    /// Calls and reads the answer. Without a token the client certificate has to do.
    pub(super) fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            // The error does not repeat what it could not take.
            let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
                Failure::new("the admin token has characters that no header may have")
            })?;
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
        let reply = self
            .runtime
            .block_on(self.client.call(call))
            .map_err(failure)?;
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
}

/// The body of an answer that says that it was done.
pub(super) fn done(answer: Answer) -> Result<Value, Failure> {
    let Answer { status, body } = answer;
    if status.is_success() {
        return Ok(body);
    }
    let said = body.as_str().map_or_else(|| body.to_string(), printable);
    let help = match status {
        StatusCode::UNAUTHORIZED => {
            ": is the token's digest in the PDP's `revocations.admin_tokens_sha256`, or the operator in \
             `revocations.operators`?"
        }
        StatusCode::NOT_FOUND => ": is this a PDP of Edgeward, and a version that revokes?",
        _ => "",
    };
    Err(Failure::new(format!(
        "the PDP answered {}: {said}{help}",
        status.as_u16()
    )))
}

fn failure(error: ClientError) -> Failure {
    Failure::new(match error {
        ClientError::Tls(error) => error.to_string(),
        ClientError::Unreachable(_) => format!("the PDP {error}: see --pdp"),
        error => format!("the PDP {error}"),
    })
}

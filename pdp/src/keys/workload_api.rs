//! Bundles from the SPIFFE Workload API of a local agent, over the `spiffe` crate.
//!
//! Every message carries the full state: a trust domain it does not name has no keys any more, and
//! `PermissionDenied` takes everything back (SPIFFE Workload API section 6.2.2, Endpoint section 6).
//!
//! What this is not: a reader of X.509 bundles or SVIDs; Envoy validates certificates.

use std::pin::pin;
use std::time::Duration;

use edgeward_core::json;
use edgeward_core::spiffe::TrustDomain;
use futures_util::StreamExt as _;
use serde_json::Value;
use spiffe::workload_api::WorkloadApiError;
use spiffe::{JwtBundleSet, WorkloadApiClient};
use thiserror::Error;

use super::document::{Document, DocumentError, DocumentKind};
use super::entry::Entry;
use super::load::{LoadError, Loaded};
use super::state::State;
use crate::fetch::{Pace, RefreshSettings};

/// The longest wait for a connection and for the first message.
const FIRST_MESSAGE: Duration = Duration::from_secs(5);
/// How often a stream that lives confirms the keys it gave.
const CONFIRM: Duration = Duration::from_secs(10);

/// Why the Workload API gave no bundle.
#[derive(Debug, Error)]
pub enum StreamError {
    /// The agent, the connection to it, or what it sent.
    #[error("Workload API: {0}")]
    Agent(Box<WorkloadApiError>),
    /// The agent ended the stream.
    #[error("Workload API: the agent ended the stream")]
    Ended,
    /// No message came.
    #[error("Workload API: no message within {FIRST_MESSAGE:?}")]
    Timeout,
    /// A bundle that is not one.
    #[error("Workload API: {0}")]
    Bundle(#[from] DocumentError),
    /// Asked for an issuer.
    #[error("the Workload API only knows trust domains")]
    NotATrustDomain,
}

impl From<WorkloadApiError> for StreamError {
    fn from(error: WorkloadApiError) -> Self {
        Self::Agent(Box::new(error))
    }
}

/// Asks once: the first message of the stream.
pub(super) async fn fetch_once(
    endpoint: &str,
    name: &TrustDomain,
) -> Result<Document, StreamError> {
    let first = async {
        let client = WorkloadApiClient::connect_to(endpoint).await?;
        bundle_of(
            revoked_when_denied(client.fetch_jwt_bundles().await)?.as_ref(),
            name,
        )
    };
    tokio::time::timeout(FIRST_MESSAGE, first)
        .await
        .unwrap_or(Err(StreamError::Timeout))
}

/// Follows the stream, again and again, for ever.
pub(super) async fn follow(state: &State, entry: &Entry, endpoint: &str, name: &TrustDomain) {
    let mut pace = Pace::new(RefreshSettings::default());
    loop {
        let (error, lived) = follow_one(state, entry, endpoint, name).await;
        if lived {
            pace.after_success(None);
        }
        state.reject(entry, &error);
        let wait = pace.after_failure();
        entry.set_next_refresh(wait);
        tokio::time::sleep(wait).await;
    }
}

/// Follows one stream to its end: why it ended, and whether it ever gave anything.
async fn follow_one(
    state: &State,
    entry: &Entry,
    endpoint: &str,
    name: &TrustDomain,
) -> (LoadError, bool) {
    let opened = async {
        let client = WorkloadApiClient::connect_to(endpoint).await?;
        client.stream_jwt_bundles().await
    };
    let opened = tokio::time::timeout(FIRST_MESSAGE, opened).await;
    let stream = match opened {
        Err(_) => return (StreamError::Timeout.into(), false),
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return (denied(state, entry, name, error).await, false),
    };
    let mut stream = pin!(stream);
    let mut lived = false;
    loop {
        let message = match tokio::time::timeout(CONFIRM, stream.next()).await {
            Ok(Some(message)) => message,
            Ok(None) => return (StreamError::Ended.into(), lived),
            Err(_) if lived => {
                state.confirm(entry);
                continue;
            }
            Err(_) => return (StreamError::Timeout.into(), false),
        };
        let bundles = match message {
            Ok(bundles) => bundles,
            Err(error) => return (denied(state, entry, name, error).await, lived),
        };
        if let Err(error) = put(state, entry, Some(&bundles), name).await {
            return (error, lived);
        }
        lived = true;
    }
}

async fn put(
    state: &State,
    entry: &Entry,
    bundles: Option<&JwtBundleSet>,
    name: &TrustDomain,
) -> Result<(), LoadError> {
    let document = bundle_of(bundles, name)?;
    state.accept(
        entry,
        Loaded {
            document,
            hint: None,
        },
    )?;
    state.save(entry).await;
    Ok(())
}

/// A denial takes the keys back; any other failure leaves what is in force until it is too old.
async fn denied(
    state: &State,
    entry: &Entry,
    name: &TrustDomain,
    error: WorkloadApiError,
) -> LoadError {
    match revoked_when_denied(Err(error)) {
        Err(error) => error.into(),
        Ok(nothing) => match put(state, entry, nothing.as_ref(), name).await {
            Err(error) => error,
            Ok(()) => StreamError::from(WorkloadApiError::NoIdentityIssued).into(),
        },
    }
}

/// `None` where the agent says that this workload may not have any bundle.
fn revoked_when_denied(
    answer: Result<JwtBundleSet, WorkloadApiError>,
) -> Result<Option<JwtBundleSet>, StreamError> {
    match answer {
        Ok(bundles) => Ok(Some(bundles)),
        Err(
            WorkloadApiError::PermissionDenied(_)
            | WorkloadApiError::NoIdentityIssued
            | WorkloadApiError::EmptyResponse,
        ) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The bundle of `name` as a SPIFFE bundle document. The agent has chosen the JWT-SVID keys
/// already, and entries need not say so: `use` is set here.
fn bundle_of(bundles: Option<&JwtBundleSet>, name: &TrustDomain) -> Result<Document, StreamError> {
    let mut keys = Vec::new();
    let bundle = bundles.and_then(|bundles| {
        bundles
            .iter()
            .find(|(domain, _)| domain.as_str() == name.as_str())
    });
    for authority in bundle
        .iter()
        .flat_map(|(_, bundle)| bundle.jwt_authorities())
    {
        let mut jwk = json::parse_object(authority.jwk_json())
            .map_err(|error| DocumentError::JwkSet(error.into()))?;
        jwk.insert("use".to_owned(), "jwt-svid".into());
        keys.push(Value::Object(jwk));
    }
    let document = serde_json::json!({ "keys": keys }).to_string();
    Ok(Document::parse(
        DocumentKind::Bundle,
        document.into_bytes(),
    )?)
}

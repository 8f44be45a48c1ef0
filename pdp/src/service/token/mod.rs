//! The doors of the token service: `POST /edgeward/v1/token`, and what others verify its tokens by.
//!
//! INVARIANT: an exchange is never made on a thread that decides: it signs, and may wait for a disk.
//! Evidence and tokens are in no log.
//!
//! Sources: RFC 6749 section 5 (answers), RFC 8414 and OpenID Connect Discovery 1.0 section 4 (metadata),
//! SPIFFE Federation section 5 (bundle endpoint). What this is not: who gets which token
//! (`crate::token_service`).

mod metrics;

use std::rc::Rc;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use edgeward_core::jose::Algorithm;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};

pub(super) use self::metrics::TokenMetrics;

use super::body::body_of;
use super::clock;
use super::reply::{self, Refusal, Reply};
use super::router::Arrival;
use super::tls::ClientCertificate;
use super::worker::WorkerState;
use crate::token_service::{
    ACCESS_TOKEN, Circumstances, ExchangeRefusal, Issued, JWT, MAX_FORM_BYTES, RequestError,
    TokenRequest, TokenService,
};

/// Where tokens are asked for.
pub const TOKEN_PATH: &str = "/edgeward/v1/token";
/// The keys of the tokens, as a JWK Set.
const JWKS_PATH: &str = "/edgeward/v1/jwks.json";
/// The keys of the tokens, as a SPIFFE bundle.
const BUNDLE_PATH: &str = "/edgeward/v1/bundle.json";
const OPENID_PATH: &str = "/.well-known/openid-configuration";
const OAUTH_PATH: &str = "/.well-known/oauth-authorization-server";
/// The longest that others may keep keys without asking again, in seconds.
const KEYS_FRESH: u64 = 60;

/// What a path is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Token,
    Jwks,
    Bundle,
    Metadata,
}

impl Place {
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            TOKEN_PATH => Some(Self::Token),
            JWKS_PATH => Some(Self::Jwks),
            BUNDLE_PATH => Some(Self::Bundle),
            OPENID_PATH | OAUTH_PATH => Some(Self::Metadata),
            _ => None,
        }
    }
}

/// Answers a workload, or whoever verifies its tokens.
pub(super) async fn answer(
    worker: &Rc<WorkerState>,
    service: &Arc<TokenService>,
    arrival: &Arrival,
    place: Place,
    request: Request<Incoming>,
) -> Reply {
    let (method, name) = match place {
        Place::Token => (Method::POST, "POST"),
        Place::Jwks | Place::Bundle | Place::Metadata => (Method::GET, "GET"),
    };
    if request.method() != method {
        return Refusal::MethodNotAllowed(name).into();
    }
    match place {
        Place::Token => exchange(worker, service, arrival, request)
            .await
            .unwrap_or_else(Into::into),
        Place::Jwks => keys(service, &service.published().jwks),
        Place::Bundle => keys(service, &service.published().bundle),
        Place::Metadata => metadata(service),
    }
}

async fn exchange(
    worker: &Rc<WorkerState>,
    service: &Arc<TokenService>,
    arrival: &Arrival,
    request: Request<Incoming>,
) -> Result<Reply, Refusal> {
    let kind = "application/x-www-form-urlencoded";
    let form = body_of(worker, request, kind, MAX_FORM_BYTES).await?;
    let metrics = &worker.state().metrics.tokens;
    let asked = match TokenRequest::parse(&form) {
        Ok(asked) => asked,
        Err(error) => {
            metrics.refused("request-invalid");
            return Ok(malformed(&error));
        }
    };
    let certificate = arrival
        .client
        .as_ref()
        .and_then(|certificate| digest(&SHA256, certificate.der()).as_ref().try_into().ok());
    let chain = arrival
        .client
        .as_ref()
        .map(ClientCertificate::chain)
        .unwrap_or_default();
    let revoked = Arc::clone(&worker.state().revocations);
    let service = Arc::clone(service);
    let made = tokio::task::spawn_blocking(move || {
        let circumstances = Circumstances {
            certificate,
            chain: &chain,
            revocations: &revoked.snapshot().revocations,
            now: clock::now(),
        };
        let made = service.exchange(&asked, circumstances);
        (asked, made)
    });
    let (asked, made) = made.await.map_err(|_| Refusal::Broken)?;
    Ok(match made {
        Ok(issued) => {
            metrics.issued();
            tell(&asked, &issued)
        }
        Err(refusal) => {
            metrics.refused(refusal.code());
            refuse(&asked, &refusal)
        }
    })
}

fn tell(asked: &TokenRequest, issued: &Issued) -> Reply {
    tracing::info!(
        workload = %issued.workload.name,
        spiffe_id = %issued.workload.spiffe_id,
        provider = %issued.workload.provider,
        audiences = ?asked.audiences,
        scopes = ?asked.scopes,
        actor = issued.actor.as_deref(),
        token_id = issued.token_id,
        expires_in = issued.expires_in,
        "token issued"
    );
    let mut answer = json!({
        "access_token": issued.token,
        "issued_token_type": issued.kind.as_urn(),
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
    });
    if let (false, Some(members)) = (asked.scopes.is_empty(), answer.as_object_mut()) {
        members.insert("scope".to_owned(), asked.scopes.join(" ").into());
    }
    reply::json(StatusCode::OK, &answer)
}

fn refuse(asked: &TokenRequest, refusal: &ExchangeRefusal) -> Reply {
    tracing::info!(
        code = refusal.code(),
        reason = %refusal,
        audiences = ?asked.audiences,
        "no token issued"
    );
    let answer = json!({
        "error": refusal.oauth_error(),
        "error_description": refusal.to_string(),
        "code": refusal.code(),
    });
    reply::json(refusal.status(), &answer)
}

fn malformed(error: &RequestError) -> Reply {
    let answer = json!({
        "error": error.oauth_error(),
        "error_description": error.to_string(),
        "code": "request-invalid",
    });
    reply::json(StatusCode::BAD_REQUEST, &answer)
}

/// Who keeps them for as long as this says has each key before it signs.
fn keys(service: &TokenService, document: &[u8]) -> Reply {
    let mut reply = reply::reply(StatusCode::OK, "application/json", document.to_vec());
    let fresh = KEYS_FRESH.min(service.refresh_hint());
    if let Ok(value) = HeaderValue::try_from(format!("public, max-age={fresh}")) {
        reply.headers_mut().insert(CACHE_CONTROL, value);
    }
    reply
}

/// Without an issuer there is nothing to discover: JWT-SVIDs are verified by the bundle.
fn metadata(service: &TokenService) -> Reply {
    let Some(issuer) = service.issuer() else {
        return Refusal::NotFound.into();
    };
    let document: Value = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}{JWKS_PATH}"),
        "token_endpoint": format!("{issuer}{TOKEN_PATH}"),
        "grant_types_supported": [
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "client_credentials",
        ],
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt", "tls_client_auth"],
        // Needed where there is `private_key_jwt` (RFC 8414 section 2).
        "token_endpoint_auth_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::as_str),
        "response_types_supported": ["token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "requested_token_types_supported": [JWT, ACCESS_TOKEN],
        "tls_client_certificate_bound_access_tokens": true,
    });
    reply::json(StatusCode::OK, &document)
}

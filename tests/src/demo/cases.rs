//! The dozen requests, each with what must become of it.

use serde_json::json;

use crate::ca::Leaf;
use crate::keys::{Keys, now, svid_claims};
use crate::mint::SigningKey;
use crate::raw::Request;

use super::{BATCH, FRONTEND, PIPELINE};

/// How a request travels.
pub enum Way {
    /// Over the plain listener.
    Plain,
    /// Over TLS, with this client certificate.
    Mtls(Leaf),
}

/// One request and what must become of it.
pub struct Case {
    /// What it shows.
    pub title: &'static str,
    /// Who sends it, as the table says it.
    pub identity: &'static str,
    /// The request.
    pub request: Request,
    /// How it travels.
    pub way: Way,
    /// The status that must come back.
    pub status: u16,
    /// The reason code that must come back; empty for an allow.
    pub code: &'static str,
}

impl Case {
    /// A request by nobody, to see whether the filter is ready.
    pub fn probe() -> Self {
        case(
            "probe",
            "nobody",
            Request::get("/probe"),
            (401, "identity-missing"),
        )
    }
}

/// Every case, with fresh tokens.
pub fn all(keys: &Keys) -> Vec<Case> {
    let mut cases = identities(keys);
    cases.extend(tokens(keys));
    cases.extend(requests(keys));
    cases.extend(certificates(keys));
    cases
}

fn identities(keys: &Keys) -> Vec<Case> {
    let frontend = keys.jwt_svid(FRONTEND);
    let batch = keys.jwt_svid(BATCH);
    let pipeline = keys.oidc(PIPELINE);
    let get = |path: &str, token: &str| Request::get(path).bearer(token);
    let post = |path: &str, token: &str| Request::new("POST", path).bearer(token).body("{}");
    vec![
        case(
            "GET /orders",
            "frontend (JWT-SVID)",
            get("/orders", &frontend),
            ALLOWED,
        ),
        case(
            "GET /orders, again",
            "frontend (JWT-SVID)",
            get("/orders", &frontend),
            ALLOWED,
        ),
        case(
            "POST /orders",
            "frontend (JWT-SVID)",
            post("/orders", &frontend),
            ALLOWED,
        ),
        case(
            "GET /reports/today",
            "batch (JWT-SVID)",
            get("/reports/today", &batch),
            ALLOWED,
        ),
        case(
            "POST /deploy",
            "pipeline (OIDC)",
            post("/deploy", &pipeline),
            ALLOWED,
        ),
        case(
            "wrong workload: GET /orders",
            "batch (JWT-SVID)",
            get("/orders", &batch),
            DENIED,
        ),
        case(
            "wrong method: DELETE /orders",
            "frontend (JWT-SVID)",
            Request::new("DELETE", "/orders").bearer(&frontend),
            (403, "method-not-granted"),
        ),
    ]
}

fn tokens(keys: &Keys) -> Vec<Case> {
    let mut expired = svid_claims(FRONTEND);
    expired["iat"] = json!(now() - 7200);
    expired["exp"] = json!(now() - 3600);
    let stranger = SigningKey::es256("svid-1").token(&svid_claims(FRONTEND));
    let get = |token: &str| Request::get("/orders").bearer(token);
    vec![
        case(
            "no token",
            "nobody",
            Request::get("/orders"),
            (401, "identity-missing"),
        ),
        case(
            "expired token",
            "frontend, an hour ago",
            get(&keys.svid.token(&expired)),
            (401, "token-expired"),
        ),
        case(
            "forged token",
            "stranger's key, same kid",
            get(&stranger),
            (401, "token-signature-invalid"),
        ),
    ]
}

fn requests(keys: &Keys) -> Vec<Case> {
    let batch = keys.jwt_svid(BATCH);
    let frontend = keys.jwt_svid(FRONTEND);
    let get = |path: &str, token: &str| Request::get(path).bearer(token);
    let spoofed = get("/orders", &batch)
        .header("X-Edgeward-Subject", FRONTEND)
        .header("X_Edgeward_Subject", FRONTEND);
    let dots = get("/reports/../orders", &batch);
    let encoded = get("/orders/%2e%2e%2freports%2ftoday", &frontend);
    vec![
        case(
            "spoofed identity header",
            "batch says frontend",
            spoofed,
            DENIED,
        ),
        case(
            "dot segments",
            "batch (JWT-SVID)",
            dots,
            (400, "request-path-dot-segment"),
        ),
        case(
            "encoded slash",
            "frontend (JWT-SVID)",
            encoded,
            (400, "request-path-encoded-slash"),
        ),
    ]
}

fn certificates(keys: &Keys) -> Vec<Case> {
    let mtls = |uris: &[&str]| Way::Mtls(keys.authority.issue(uris));
    let by = |title, identity, way, outcome| Case {
        way,
        ..case(title, identity, Request::get("/orders"), outcome)
    };
    let two = "two URI names in one certificate";
    vec![
        by(
            "mTLS: GET /orders",
            "frontend (X.509-SVID)",
            mtls(&[FRONTEND]),
            ALLOWED,
        ),
        by(
            "mTLS, wrong workload",
            "batch (X.509-SVID)",
            mtls(&[BATCH]),
            DENIED,
        ),
        by(
            two,
            "frontend and batch",
            mtls(&[FRONTEND, BATCH]),
            (401, "peer-uri-names"),
        ),
    ]
}

const ALLOWED: (u16, &str) = (200, "");
const DENIED: (u16, &str) = (403, "no-rule-matches");

fn case(
    title: &'static str,
    identity: &'static str,
    request: Request,
    (status, code): (u16, &'static str),
) -> Case {
    Case {
        title,
        identity,
        request,
        way: Way::Plain,
        status,
        code,
    }
}

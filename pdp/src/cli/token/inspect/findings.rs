//! What looks wrong with a JWT, whoever signed it.
//!
//! What this is not: why a verifier refuses it; each of these may be as its issuer means it.

use edgeward_core::jose::{Algorithm, MAX_TOKEN_BYTES};
use edgeward_core::spiffe::{SpiffeId, looks_like_spiffe_id};
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::DEFAULT_MAX_LIFETIME;
use serde_json::{Map, Value};

use super::decoded::Jwt;
use super::times::{instant, span};

/// How far clocks may disagree, in seconds.
const LEEWAY: u64 = 60;
/// Header members by which a token would choose its own key, or change what is signed.
const STEERING: [&str; 7] = ["crit", "b64", "jwk", "jku", "x5u", "x5c", "zip"];

/// One thing that looks wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// A stable word.
    pub(super) code: &'static str,
    /// For people.
    pub(super) detail: String,
}

impl Finding {
    pub(super) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

/// All that looks wrong at `now`.
pub(super) fn of(token: &str, jwt: &Jwt, now: UnixSeconds) -> Vec<Finding> {
    let mut found = jwt.flaws.clone();
    if token.len() > MAX_TOKEN_BYTES {
        let detail = format!("longer than {MAX_TOKEN_BYTES} bytes, which the filter does not read");
        found.push(Finding::new("too-long", detail));
    }
    of_header(jwt, &mut found);
    of_parties(&jwt.claims, &mut found);
    of_times(&jwt.claims, now, &mut found);
    found
}

fn of_header(jwt: &Jwt, found: &mut Vec<Finding>) {
    let algorithm = jwt
        .header
        .get("alg")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if algorithm.eq_ignore_ascii_case("none") || jwt.signature_bytes == 0 {
        let detail = "it is not signed: anybody can have written it";
        found.push(Finding::new("not-signed", detail));
    } else if algorithm.starts_with("HS") {
        let detail = "signed with a shared secret: whoever can verify it can forge it";
        found.push(Finding::new("algorithm-symmetric", detail));
    } else if algorithm.parse::<Algorithm>().is_err() {
        let detail = "`alg` is none that Edgeward verifies";
        found.push(Finding::new("algorithm-unknown", detail));
    }
    for name in STEERING {
        if jwt.header.contains_key(name) {
            let detail = format!("header `{name}`: a token must not choose how it is verified");
            found.push(Finding::new("header-steers", detail));
        }
    }
    if !jwt.header.get("kid").is_some_and(Value::is_string) {
        let detail = "no `kid`: its key cannot be told from others";
        found.push(Finding::new("no-key-id", detail));
    }
}

fn of_parties(claims: &Map<String, Value>, found: &mut Vec<Finding>) {
    match claims.get("aud") {
        Some(Value::String(name)) if !name.is_empty() => {}
        Some(Value::Array(names)) if names.len() == 1 => {}
        Some(Value::Array(names)) if names.len() > 1 => {
            let detail = "for several audiences: each of them can show it to the others";
            found.push(Finding::new("many-audiences", detail));
        }
        _ => found.push(Finding::new(
            "no-audience",
            "for nobody: whoever gets it can use it anywhere",
        )),
    }
    let subject = claims
        .get("sub")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if subject.is_empty() {
        found.push(Finding::new(
            "no-subject",
            "no `sub`: it says of nobody who it is",
        ));
    }
    if !looks_like_spiffe_id(subject) {
        if !claims.get("iss").is_some_and(Value::is_string) {
            found.push(Finding::new(
                "no-issuer",
                "no `iss`: nobody says whose keys verify it",
            ));
        }
    } else if let Err(error) = subject.parse::<SpiffeId>() {
        found.push(Finding::new("spiffe-id-invalid", format!("`sub`: {error}")));
    }
}

fn of_times(claims: &Map<String, Value>, now: UnixSeconds, found: &mut Vec<Finding>) {
    for name in ["exp", "nbf", "iat"] {
        if claims.contains_key(name) && instant(claims, name).is_none() {
            found.push(Finding::new(
                "time-unreadable",
                format!("`{name}` is no time"),
            ));
        }
    }
    let (start, latest) = (
        instant(claims, "iat").or_else(|| instant(claims, "nbf")),
        now.plus(LEEWAY),
    );
    match instant(claims, "exp") {
        None => found.push(Finding::new("no-expiry", "no `exp`: it never ends")),
        Some(end) => {
            if end <= now {
                let ago = span(now.seconds_since(end));
                found.push(Finding::new("expired", format!("expired {ago} ago")));
            }
            let lifetime = end.seconds_since(start.unwrap_or(now));
            if lifetime > DEFAULT_MAX_LIFETIME {
                let detail = format!("lives for {}: a thief has as long", span(lifetime));
                found.push(Finding::new("long-lived", detail));
            }
        }
    }
    if instant(claims, "nbf").is_some_and(|instant| instant > latest) {
        found.push(Finding::new("not-yet-valid", "`nbf` has not come"));
    }
    if instant(claims, "iat").is_some_and(|instant| instant > latest) {
        found.push(Finding::new(
            "issued-in-future",
            "`iat` has not come: is a clock wrong?",
        ));
    }
}

//! What an answer says: whether the token is active, whose it is, for whom, how long.
//!
//! Source: RFC 7662 section 2.2. Members are read strictly: one of another type is an error, never absence.

use edgeward_core::json::parse_object;
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::Issuer;
use serde_json::{Map, Value};

use super::{Introspected, IntrospectionRefusal, IntrospectionSettings};
use crate::attestation::jwt::tell_named;
use crate::attestation::{Attested, Attributes};

type Answer = Map<String, Value>;

pub(super) fn read(
    body: &[u8],
    settings: &IntrospectionSettings,
    now: UnixSeconds,
) -> Result<Introspected, IntrospectionRefusal> {
    let answer = parse_object(body)?;
    match answer.get("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Err(IntrospectionRefusal::Inactive),
        _ => return Err(IntrospectionRefusal::Answer("no `active`")),
    }
    let issuer = check_issuer(&answer, settings)?;
    check_use(&answer)?;
    check_audiences(&answer, &settings.audiences)?;
    let expires_at = check_times(&answer, settings, now)?;
    let (subject, client) = (text(&answer, "sub")?, text(&answer, "client_id")?);
    let mut attributes = Attributes::default();
    for (name, value) in [
        ("subject", subject),
        ("client_id", client),
        ("username", text(&answer, "username")?),
    ] {
        if let Some(value) = value {
            attributes.tell(name, value)?;
        }
    }
    for scope in text(&answer, "scope")?.unwrap_or_default().split(' ') {
        if !scope.is_empty() {
            attributes.tell("scope", scope)?;
        }
    }
    for name in &settings.claims {
        tell_named(name, &answer, &mut attributes)?;
    }
    let whose = subject
        .or(client)
        .ok_or(IntrospectionRefusal::Missing("sub"))?;
    Ok(Introspected {
        attested: Attested {
            attributes,
            expires_at,
            once: None,
        },
        subject: format!("{issuer}|{whose}"),
        token_id: text(&answer, "jti")?.map(str::to_owned),
    })
}

/// Whose it is. Whatever cannot be an issuer would be another's name in revocations.
fn check_issuer(
    answer: &Answer,
    settings: &IntrospectionSettings,
) -> Result<Issuer, IntrospectionRefusal> {
    let named = text(answer, "iss")?;
    if let Some(issuer) = &settings.issuer {
        return match named {
            Some(named) if named == issuer.as_str() => Ok(issuer.clone()),
            _ => Err(IntrospectionRefusal::Issuer),
        };
    }
    // A server that does not say what it is called is called by where it is asked.
    let named = named.unwrap_or(settings.endpoint.as_str());
    named.parse().map_err(|_| IntrospectionRefusal::Type("iss"))
}

/// A token that is bound to a key, or is no bearer token, is not shown by whoever sends it here.
fn check_use(answer: &Answer) -> Result<(), IntrospectionRefusal> {
    if answer.get("cnf").is_some_and(|cnf| !cnf.is_null()) {
        return Err(IntrospectionRefusal::Bound);
    }
    match text(answer, "token_type")? {
        None => Ok(()),
        // RFC 6749 section 7.1: whatever its capitals. Some servers say what kind of token it is.
        Some(kind)
            if ["bearer", "access_token"]
                .iter()
                .any(|known| kind.eq_ignore_ascii_case(known)) =>
        {
            Ok(())
        }
        Some(_) => Err(IntrospectionRefusal::Bound),
    }
}

/// For us, and for nobody who could show it to us.
fn check_audiences(answer: &Answer, ours: &[String]) -> Result<(), IntrospectionRefusal> {
    let named: Vec<&str> = match answer.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => {
            let texts = many.iter().map(Value::as_str).collect::<Option<_>>();
            texts.ok_or(IntrospectionRefusal::Type("aud"))?
        }
        None | Some(Value::Null) => Vec::new(),
        Some(_) => return Err(IntrospectionRefusal::Type("aud")),
    };
    let is_ours = |name: &&str| ours.iter().any(|ours| ours == name);
    if !named.iter().any(is_ours) {
        return Err(IntrospectionRefusal::Audience);
    }
    if named.iter().all(is_ours) {
        return Ok(());
    }
    Err(IntrospectionRefusal::SharedAudience)
}

/// The first instant at which the token must no longer be honoured.
fn check_times(
    answer: &Answer,
    settings: &IntrospectionSettings,
    now: UnixSeconds,
) -> Result<UnixSeconds, IntrospectionRefusal> {
    let leeway = settings.leeway.as_secs();
    let expires = time(answer, "exp")?.ok_or(IntrospectionRefusal::Missing("exp"))?;
    let expires_at = expires.plus(leeway);
    if expires_at <= now {
        return Err(IntrospectionRefusal::Expired);
    }
    for name in ["nbf", "iat"] {
        if time(answer, name)?.is_some_and(|from| from > now.plus(leeway)) {
            return Err(IntrospectionRefusal::NotYet);
        }
    }
    let since = time(answer, "iat")?.unwrap_or(now);
    if expires.seconds_since(since) > settings.max_lifetime.as_secs() {
        return Err(IntrospectionRefusal::TooLong);
    }
    Ok(expires_at)
}

fn text<'a>(
    answer: &'a Answer,
    name: &'static str,
) -> Result<Option<&'a str>, IntrospectionRefusal> {
    match answer.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(IntrospectionRefusal::Type(name)),
    }
}

fn time(answer: &Answer, name: &'static str) -> Result<Option<UnixSeconds>, IntrospectionRefusal> {
    match answer.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let seconds = value.as_u64().ok_or(IntrospectionRefusal::Type(name))?;
            Ok(Some(UnixSeconds(seconds)))
        }
    }
}

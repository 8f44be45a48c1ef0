//! The report on one token, for people and for programs.

use std::fmt::Write as _;

use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{TokenRefusal, VerifiedToken};
use serde_json::{Map, Value, json};

use super::decoded::{Decoded, Jwt};
use super::findings::{self, Finding};
use super::kind::Kind;
use super::times;
use crate::cli::output::printable;

/// The most who act that are named.
const MAX_ACTORS: usize = 16;
const NOT_VERIFIED: &str =
    "NOT verified: nothing below is a fact (name keys by --jwks or --config)";

/// All there is to say of one token.
pub(super) struct Report {
    decoded: Decoded,
    kind: Kind,
    length: usize,
    findings: Vec<Finding>,
    verdict: Option<Result<VerifiedToken, TokenRefusal>>,
    now: UnixSeconds,
}

impl Report {
    pub(super) fn of(
        token: &str,
        verdict: Option<Result<VerifiedToken, TokenRefusal>>,
        now: UnixSeconds,
    ) -> Self {
        let decoded = Decoded::of(token);
        let findings = match &decoded {
            Decoded::Jwt(jwt) => findings::of(token, jwt, now),
            _ => Vec::new(),
        };
        Self {
            kind: Kind::of(&decoded),
            length: token.len(),
            decoded,
            findings,
            verdict,
            now,
        }
    }

    /// Whether keys were named and it does not hold by them.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.verdict, Some(Err(_)))
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = format!("kind       {} ({})\n", self.kind.says, self.kind.word);
        line(&mut text, "signature", &self.signature());
        match &self.decoded {
            Decoded::Jwt(jwt) => self.write_jwt(jwt, &mut text),
            Decoded::Encrypted(header) => members(&mut text, "header", header, self.now),
            Decoded::AwsRequest | Decoded::Opaque => {
                line(&mut text, "length", &format!("{} bytes", self.length));
            }
        }
        text
    }

    fn write_jwt(&self, jwt: &Jwt, text: &mut String) {
        members(text, "header", &jwt.header, self.now);
        members(text, "claims", &jwt.claims, self.now);
        if let Some(end) = times::instant(&jwt.claims, "exp") {
            line(text, "life", &times::expiry(end, self.now));
        }
        line(text, "binding", &binding(&jwt.claims).1);
        let actors = actors(&jwt.claims);
        if !actors.is_empty() {
            line(
                text,
                "acting",
                &format!("{}, on behalf of `sub`", actors.join(", before that ")),
            );
        }
        for finding in &self.findings {
            line(
                text,
                "looks wrong",
                &format!("{} ({})", finding.detail, finding.code),
            );
        }
    }

    fn signature(&self) -> String {
        match &self.verdict {
            None => NOT_VERIFIED.to_owned(),
            Some(Ok(token)) => {
                let key = token.key_id.as_deref().unwrap_or("without a name");
                format!(
                    "verified as {} of {}, by key {key}",
                    token.profile.as_str(),
                    token.subject
                )
            }
            Some(Err(refusal)) => {
                format!(
                    "REFUSED: {} ({refusal}): nothing below is a fact",
                    refusal.code()
                )
            }
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let verified = self.verdict.as_ref().map(Result::is_ok);
        let refusal = self
            .verdict
            .as_ref()
            .and_then(|verdict| verdict.as_ref().err());
        let findings = self.findings.iter();
        let findings: Vec<Value> = findings
            .map(|finding| json!({ "code": finding.code, "detail": finding.detail }))
            .collect();
        let mut report = json!({
            "kind": self.kind.word,
            "length": self.length,
            "verified": verified,
            "reason": refusal.map(TokenRefusal::code),
            "detail": self.signature(),
            "findings": findings,
        });
        let more = match &self.decoded {
            Decoded::Jwt(jwt) => self.jwt_json(jwt),
            Decoded::Encrypted(header) => json!({ "header": header }),
            Decoded::AwsRequest | Decoded::Opaque => json!({}),
        };
        if let (Some(members), Value::Object(more)) = (report.as_object_mut(), more) {
            members.extend(more);
        }
        report
    }

    fn jwt_json(&self, jwt: &Jwt) -> Value {
        let expires_at = times::instant(&jwt.claims, "exp");
        json!({
            "header": jwt.header,
            "claims": jwt.claims,
            "expires_at": expires_at.map(|instant| instant.0),
            "expires_in": expires_at.map(|instant| instant.seconds_since(self.now)),
            "expired": expires_at.is_some_and(|instant| instant <= self.now),
            "binding": binding(&jwt.claims).0,
            "actors": actors(&jwt.claims),
        })
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{name:<10} {}", printable(value));
}

fn members(text: &mut String, name: &str, members: &Map<String, Value>, now: UnixSeconds) {
    let _ = writeln!(text, "{name}");
    for (name, value) in members {
        let said = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let is_time = times::TIMES.contains(&name.as_str());
        let seen = times::of_value(value).filter(|_| is_time);
        let seen = seen.map(|instant| format!("  ({})", times::seen(instant, now)));
        let (name, said) = (printable(name), printable(&said));
        let _ = writeln!(text, "  {name:<16} {said}{}", seen.unwrap_or_default());
    }
}

/// What a token demands of whoever shows it (RFC 7800), as a word and in words.
fn binding(claims: &Map<String, Value>) -> (&'static str, String) {
    let Some(confirmation) = claims.get("cnf") else {
        return ("none", "none: whoever holds it can use it".to_owned());
    };
    let told = |name: &str| confirmation.get(name).and_then(Value::as_str);
    if let Some(digest) = told("x5t#S256") {
        let says = format!("only with the client certificate of SHA-256 {digest} (RFC 8705)");
        return ("certificate", says);
    }
    if let Some(thumbprint) = told("jkt") {
        let says = format!("only with a DPoP proof by the key {thumbprint} (RFC 9449)");
        return ("dpop", says);
    }
    let says = "`cnf` demands a proof of a kind that is not known here";
    ("unknown", says.to_owned())
}

/// Who acts, the present one first (RFC 8693 section 4.1).
fn actors(claims: &Map<String, Value>) -> Vec<String> {
    let mut actors = Vec::new();
    let mut next = claims.get("act");
    while let (Some(Value::Object(actor)), true) = (next, actors.len() < MAX_ACTORS) {
        let subject = actor.get("sub").and_then(Value::as_str);
        actors.push(subject.unwrap_or("somebody without `sub`").to_owned());
        next = actor.get("act");
    }
    actors
}

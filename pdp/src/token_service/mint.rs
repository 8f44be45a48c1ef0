//! The claims of a token of ours.
//!
//! Sources: JWT-SVID.md sections 2 and 3, RFC 9068 section 2.2 (`at+jwt`), RFC 8693 section 4.1 (`act`),
//! RFC 8705 section 3.1 (`cnf`). What this is not: who may have it, or the signature.

use edgeward_core::jose::encode_base64url;
use edgeward_core::time::UnixSeconds;
use serde_json::{Map, Value, json};

use super::keys::JwtType;
use super::request::TokenKind;
use crate::workloads::ClientWorkload;

/// The claim in which our tokens say how their workload was attested. Only we write it, and only in
/// tokens of ours it means anything.
pub(super) const PROVENANCE: &str = "edgeward";

/// Everything that a token says.
#[derive(Debug)]
pub(super) struct Draft<'d> {
    pub(super) kind: TokenKind,
    /// Who it is about.
    pub(super) workload: &'d ClientWorkload,
    /// The `iss`; access tokens have one always.
    pub(super) issuer: Option<&'d str>,
    pub(super) audiences: &'d [String],
    pub(super) scopes: &'d [String],
    /// Who acts on its behalf, with those before.
    pub(super) actor: Option<Value>,
    /// The certificate that its bearer must show.
    pub(super) certificate: Option<[u8; 32]>,
    /// When its workload was attested.
    pub(super) attested_at: UnixSeconds,
    pub(super) now: UnixSeconds,
    pub(super) expires_at: UnixSeconds,
}

impl Draft<'_> {
    /// The `typ` of its header.
    pub(super) fn typ(&self) -> JwtType {
        match self.kind {
            TokenKind::JwtSvid => JwtType::Jwt,
            TokenKind::AccessToken => JwtType::AccessToken,
        }
    }

    /// The claims as a JSON text.
    pub(super) fn claims(&self, token_id: &str) -> String {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        let id = self.workload.spiffe_id.as_str();
        match self.kind {
            TokenKind::JwtSvid => put("sub", id.into()),
            TokenKind::AccessToken => {
                put("client_id", id.into());
                put("sub", self.workload.name.as_str().into())
            }
        };
        put("aud", self.audiences.into());
        put("iat", self.now.0.into());
        put("exp", self.expires_at.0.into());
        put("jti", token_id.into());
        if let Some(issuer) = self.issuer {
            put("iss", issuer.into());
        }
        if !self.scopes.is_empty() {
            put("scope", self.scopes.join(" ").into());
        }
        if let Some(actor) = &self.actor {
            put("act", actor.clone());
        }
        if let Some(certificate) = &self.certificate {
            put("cnf", json!({ "x5t#S256": encode_base64url(certificate) }));
        }
        let provenance = json!({
            "workload": self.workload.name.as_str(),
            "provider": self.workload.provider.as_str(),
            "attested_at": self.attested_at.0,
        });
        put(PROVENANCE, provenance);
        Value::Object(claims).to_string()
    }
}

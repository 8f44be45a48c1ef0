//! A token of ours that is shown to us again: to be renewed, or by whom it was sent to, to act on behalf
//! of its workload.
//!
//! What this is not: a verifier for anyone else's tokens (`crate::attestation`), nor the judge of whom
//! it was for: that is asked by whoever takes it.

use edgeward_core::jose::{Algorithm, CompactJws, KeySelectionError, KeySet, SignatureCheck as _};
use edgeward_core::json;
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{Claims, ClaimsError, TokenRefusal, TokenType};
use serde_json::{Map, Value};

use super::mint::PROVENANCE;
use crate::crypto::AwsLc;

/// A token of ours that holds.
#[derive(Debug)]
pub(super) struct OwnToken {
    pub(super) claims: Claims,
    pub(super) key_id: String,
    /// The name of its workload, as configured when it was signed.
    pub(super) workload: String,
    pub(super) attested_at: UnixSeconds,
    pub(super) scopes: Vec<String>,
    /// Who acts in it already.
    pub(super) actor: Option<Value>,
}

/// Reads `token` where its signature is by one of `keys` and it holds at `now`, to the second: there
/// is but one clock.
pub(super) fn verify(
    token: &str,
    keys: &KeySet,
    now: UnixSeconds,
) -> Result<OwnToken, TokenRefusal> {
    let mut jws = CompactJws::parse(token)?;
    let claims = Claims::parse(std::mem::take(&mut jws.payload))?;
    if jws.algorithm != Algorithm::Es256 {
        return Err(TokenRefusal::AlgorithmNotAllowed);
    }
    let token_type = TokenType::of_header(jws.token_type.as_deref());
    if !["JWT", "at+jwt"]
        .iter()
        .any(|ours| TokenType::of_header(Some(ours)) == token_type)
    {
        return Err(TokenRefusal::TypeNotAllowed(token_type));
    }
    if now >= claims.expires_at {
        return Err(TokenRefusal::Expired);
    }
    let Some(key_id) = jws.key_id else {
        return Err(KeySelectionError::MissingKeyId.into());
    };
    let key = keys.select(Some(&key_id), jws.algorithm)?;
    AwsLc.check(jws.algorithm, key, jws.signed, &jws.signature)?;
    read(claims, key_id)
}

fn read(claims: Claims, key_id: String) -> Result<OwnToken, TokenRefusal> {
    let malformed = || ClaimsError::Malformed(PROVENANCE);
    let mut all = json::parse_object(claims.all.as_bytes()).map_err(ClaimsError::Json)?;
    let provenance: Map<String, Value> = match all.remove(PROVENANCE) {
        Some(Value::Object(members)) => members,
        _ => return Err(malformed().into()),
    };
    let workload = provenance.get("workload").and_then(Value::as_str);
    let attested_at = provenance.get("attested_at").and_then(Value::as_u64);
    let (Some(workload), Some(attested_at)) = (workload, attested_at) else {
        return Err(malformed().into());
    };
    let scopes = match all.remove("scope") {
        None => Vec::new(),
        Some(Value::String(scopes)) => scopes.split_ascii_whitespace().map(str::to_owned).collect(),
        Some(_) => return Err(ClaimsError::Malformed("scope").into()),
    };
    Ok(OwnToken {
        workload: workload.to_owned(),
        attested_at: UnixSeconds(attested_at),
        scopes,
        actor: all.remove("act"),
        claims,
        key_id,
    })
}

//! Static keys of workloads: in development, each with what is told of who shows it.

use edgeward_core::xfcc::hex_digest;
use sha2::{Digest as _, Sha256};

use super::Context;
use crate::attestation::Attributes;
use crate::attestation::evidence::EvidenceSettings;
use crate::attestation::static_keys::{StaticKeys, StaticKeysError};
use crate::config::problem::{Field, Findings};
use crate::config::raw_evidence::RawStaticKey;

pub(super) fn static_keys(
    raw: Vec<RawStaticKey>,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<EvidenceSettings> {
    let field = field.key("static_keys");
    if context.is_production() {
        let message = "are for development only: name a platform that vouches for the workload, or set `environment: development`";
        findings.refuse(&field, message);
        return None;
    }
    let keys = raw.into_iter().enumerate();
    let keys: Vec<Option<_>> = keys
        .map(|(index, raw)| key(raw, &field.index(index), findings))
        .collect();
    // With a mistake in one, nothing is said of all.
    let keys = StaticKeys::new(keys.into_iter().collect::<Option<_>>()?);
    let place = match keys {
        Err(StaticKeysError::Twice(index)) => field.index(index).key("sha256"),
        _ => field,
    };
    findings
        .accept(&place, keys)
        .map(EvidenceSettings::StaticKeys)
}

fn key(
    raw: RawStaticKey,
    field: &Field,
    findings: &mut Findings,
) -> Option<([u8; 32], Attributes)> {
    let digest = findings.accept(&field.key("sha256"), digest(&raw.sha256));
    let told = raw.attributes.unwrap_or_default();
    let field = field.key("attributes");
    if told.is_empty() {
        let message =
            "must not be empty: say by what client workloads select, such as `name: cart`";
        findings.refuse(&field, message);
        return None;
    }
    let mut attributes = Attributes::default();
    for (name, value) in told {
        findings.accept(&field.key(&name), attributes.tell(&name, value))?;
    }
    Some((digest?, attributes))
}

/// What was written is never repeated: it may be the key itself.
fn digest(text: &str) -> Result<[u8; 32], &'static str> {
    let digest = hex_digest(text).ok_or(
        "must be 64 lower-case hex digits: the key's digest, as `printf %s \"$KEY\" | sha256sum` prints it",
    )?;
    if digest == *Sha256::digest(b"") {
        return Err("is the digest of an empty key: was `$KEY` set?");
    }
    Ok(digest)
}

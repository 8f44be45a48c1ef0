//! Where revocations are kept, and who may make them.

use edgeward_core::xfcc::hex_digest;
use sha2::{Digest as _, Sha256};

use super::Context;
use crate::config::problem::{Field, Findings};
use crate::config::raw::RawRevocations;
use crate::config::{Listener, Revocations};
use crate::service::{Administrators, OperatorId};

pub(super) fn revocations(
    raw: Option<RawRevocations>,
    field: &Field,
    listeners: &[Listener],
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<Revocations> {
    let raw = raw?;
    if raw.admin_tokens_sha256.is_empty() && raw.operators.is_empty() {
        findings.refuse(
            field,
            "lets nobody revoke: list the SHA-256 digest of a token in `admin_tokens_sha256`, or a \
             SPIFFE ID in `operators`",
        );
    }
    let tokens = field.key("admin_tokens_sha256");
    let digests = raw.admin_tokens_sha256.iter().enumerate();
    let token_digests = digests
        .filter_map(|(index, text)| findings.accept(&tokens.index(index), digest(text)))
        .collect();
    Some(Revocations {
        directory: context.resolve(&raw.directory),
        administrators: Administrators {
            token_digests,
            operators: operators(&raw.operators, &field.key("operators"), listeners, findings),
        },
    })
}

fn operators(
    raw: &[String],
    field: &Field,
    listeners: &[Listener],
    findings: &mut Findings,
) -> Vec<OperatorId> {
    if !raw.is_empty() && !listeners.iter().any(asks_for_certificates) {
        findings.refuse(
            field,
            "could never be let in: no listener asks for client certificates: set `tls.client_ca` \
             on one of `listen`, or remove them",
        );
    }
    let ids = raw.iter().enumerate();
    ids.filter_map(|(index, text)| findings.accept(&field.index(index), text.parse()))
        .collect()
}

fn asks_for_certificates(listener: &Listener) -> bool {
    match listener {
        Listener::Tcp { tls, .. } => tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()),
        Listener::Unix { .. } => false,
    }
}

/// What was written is never repeated: it may be the token itself.
pub(super) fn digest(text: &str) -> Result<[u8; 32], &'static str> {
    let digest = hex_digest(text).ok_or(
        "must be 64 lower-case hex digits: the token's digest, as `printf %s \"$TOKEN\" | \
         sha256sum` prints it",
    )?;
    if digest == *Sha256::digest(b"") {
        return Err("is the digest of an empty token: was `$TOKEN` set?");
    }
    Ok(digest)
}

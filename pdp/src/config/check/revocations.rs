//! Where revocations are kept, and who may make them.

use edgeward_core::xfcc::hex_digest;
use sha2::{Digest as _, Sha256};

use super::Context;
use crate::config::Revocations;
use crate::config::problem::{Field, Findings};
use crate::config::raw::RawRevocations;
use crate::service::Administrators;

pub(super) fn revocations(
    raw: Option<RawRevocations>,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<Revocations> {
    let raw = raw?;
    let field = field.key("admin_tokens_sha256");
    if raw.admin_tokens_sha256.is_empty() {
        findings.refuse(
            &field,
            "must not be empty: list the SHA-256 digest of each token that may revoke",
        );
    }
    let digests = raw.admin_tokens_sha256.iter().enumerate();
    let token_digests = digests
        .filter_map(|(index, text)| findings.accept(&field.index(index), digest(text)))
        .collect();
    Some(Revocations {
        directory: context.resolve(&raw.directory),
        administrators: Administrators { token_digests },
    })
}

/// What was written is never repeated: it may be the token itself.
fn digest(text: &str) -> Result<[u8; 32], &'static str> {
    let digest = hex_digest(text).ok_or(
        "must be 64 lower-case hex digits: the token's digest, as `printf %s \"$TOKEN\" | \
         sha256sum` prints it",
    )?;
    if digest == *Sha256::digest(b"") {
        return Err("is the digest of an empty token: was `$TOKEN` set?");
    }
    Ok(digest)
}

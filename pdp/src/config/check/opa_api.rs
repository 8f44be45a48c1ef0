//! OPA's REST API: who may call it.

use super::Context;
use super::revocations::digest;
use crate::config::Listener;
use crate::config::problem::{Field, Findings};
use crate::config::raw::{RawAuthorization, RawOpaApi};
use crate::service::{Authorization, OpaApi};

pub(super) fn opa_api(
    raw: Option<RawOpaApi>,
    field: &Field,
    listeners: &[Listener],
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<OpaApi> {
    let raw = raw?;
    let authorization = match raw.authorization {
        Some(RawAuthorization::Basic) => Authorization::Basic,
        Some(RawAuthorization::Off) | None => Authorization::Off,
    };
    let is_closed = !raw.tokens_sha256.is_empty() || authorization == Authorization::Basic;
    if !is_closed && context.is_production() && listeners.iter().any(is_open_to_strangers) {
        findings.refuse(
            field,
            "would show policies and data to whoever reaches a TLS listener: set `tokens_sha256` or \
             `authorization: basic`, or `tls.client_ca` on each listener beyond this machine",
        );
    }
    let tokens = field.key("tokens_sha256");
    let digests = raw.tokens_sha256.iter().enumerate();
    let token_digests = digests
        .filter_map(|(index, text)| findings.accept(&tokens.index(index), digest(text)))
        .collect();
    Some(OpaApi {
        token_digests,
        authorization,
        queries: raw.queries.unwrap_or(false),
    })
}

/// Beyond this machine, and without anybody who says who calls. Where it is not encrypted either, a
/// service mesh does both, as `plaintext` says.
fn is_open_to_strangers(listener: &Listener) -> bool {
    match listener {
        Listener::Tcp {
            address,
            tls: Some(tls),
        } => !address.ip().is_loopback() && tls.client_ca.is_none() && !tls.client_svids,
        Listener::Tcp { tls: None, .. } | Listener::Unix { .. } => false,
    }
}

//! The doors for proxies without a filter of ours.

use edgeward_core::atoms::parse_cidr;
use edgeward_core::headers;
use edgeward_core::peer::TrustedHop;
use edgeward_core::request::PathNormalization;
use edgeward_core::spiffe::SpiffeId;

use super::exactly_one;
use crate::config::problem::{Field, Findings};
use crate::config::raw_ext_authz::{RawExtAuthz, RawTrustedHop};
use crate::service::{Dialect, ExtAuthzSettings, Gateway, PeerSettings, TokenSettings};

const DEFAULT_TOKEN_HEADER: &str = "authorization";

enum Hop {
    Network(String),
    Workload(String),
}

pub(super) fn ext_authz(
    raw: Option<RawExtAuthz>,
    has_keys: bool,
    field: &Field,
    findings: &mut Findings,
) -> Option<ExtAuthzSettings> {
    let raw = raw?;
    let opa_envoy = opa_envoy(&raw, field, findings);
    let token = raw.token.unwrap_or_default();
    let peer = raw.peer.unwrap_or_default();
    let token_header = token.header.unwrap_or(DEFAULT_TOKEN_HEADER.to_owned());
    check_header(&token_header, &field.key("token").key("header"), findings);
    for (index, name) in raw.allowed_request_headers.iter().enumerate() {
        let field = field.key("allowed_request_headers").index(index);
        check_header(name, &field, findings);
    }
    let gateways = gateways(&raw.gateways, token.forward, field, findings);
    let path = raw.path.as_deref().map(str::parse::<PathNormalization>);
    let path = path.and_then(|path| findings.accept(&field.key("path"), path));
    let believes_peers = peer.certificates || !peer.trusted_hops.is_empty();
    let identifies = has_keys || believes_peers;
    let hops = field.key("peer").key("trusted_hops");
    let trusted_hops = peer.trusted_hops.into_iter().enumerate();
    Some(ExtAuthzSettings {
        token: TokenSettings {
            header: token_header,
            forward: token.forward,
        },
        anonymous: raw.anonymous,
        allowed_request_headers: raw.allowed_request_headers,
        normalization: path.unwrap_or_default(),
        joined_headers: raw.joined_headers,
        peer: PeerSettings {
            certificates: peer.certificates,
            trusted_hops: trusted_hops
                .filter_map(|(index, hop)| trusted_hop(hop, &hops.index(index), findings))
                .collect(),
        },
        gateways,
        dialect: if opa_envoy {
            Dialect::OpaEnvoy { identifies }
        } else {
            Dialect::Edgeward
        },
    })
}

/// Whether the plugin's words are spoken.
fn opa_envoy(raw: &RawExtAuthz, field: &Field, findings: &mut Findings) -> bool {
    match raw.dialect.as_deref() {
        None | Some("edgeward") => return false,
        Some("opa-envoy") => {}
        Some(_) => {
            findings.refuse(&field.key("dialect"), "must be `edgeward` or `opa-envoy`");
            return false;
        }
    }
    if !raw.gateways.is_empty() {
        let message = "gateways that ask over HTTP know the words of `edgeward` only: remove this, \
                       or `dialect`";
        findings.refuse(&field.key("gateways"), message);
    }
    if !raw.allowed_request_headers.is_empty() {
        let message = "with `dialect: opa-envoy` policies may set any header: remove this";
        findings.refuse(&field.key("allowed_request_headers"), message);
    }
    true
}

fn gateways(
    names: &[String],
    forwards: bool,
    field: &Field,
    findings: &mut Findings,
) -> Vec<Gateway> {
    let mut gateways = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let place = field.key("gateways").index(index);
        let Some(gateway) = findings.accept(&place, name.parse::<Gateway>()) else {
            continue;
        };
        if !gateway.removes() && !forwards {
            let message = format!(
                "`{name}` cannot remove the token from a request: set `token.forward: true`, and \
                 know that the upstream is given it"
            );
            findings.refuse(&place, message);
        }
        gateways.push(gateway);
    }
    gateways
}

fn check_header(name: &str, field: &Field, findings: &mut Findings) {
    if !headers::may_be_configured(name) {
        findings.refuse(field, headers::NOT_CONFIGURABLE);
    }
}

fn trusted_hop(raw: RawTrustedHop, field: &Field, findings: &mut Findings) -> Option<TrustedHop> {
    let choices = vec![
        ("network", raw.network.map(Hop::Network)),
        ("spiffe_id", raw.spiffe_id.map(Hop::Workload)),
    ];
    match exactly_one(choices, field, findings)? {
        Hop::Network(text) => findings
            .accept(&field.key("network"), parse_cidr(&text))
            .map(TrustedHop::Network),
        Hop::Workload(text) => findings
            .accept(&field.key("spiffe_id"), text.parse::<SpiffeId>())
            .map(TrustedHop::Workload),
    }
}

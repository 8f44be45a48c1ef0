//! The rivals' filters, as a careful operator would configure them.

use std::path::Path;

use serde_json::{Value, json};

use crate::config::{filter, wasm};
use crate::tokens::{AUDIENCE, ISSUER};

/// Envoy's own JWT filter on every path; with or without its memory of verified tokens.
pub fn jwt_authn(jwks: &Value, remembered_tokens: Option<u32>) -> Value {
    let mut provider = json!({
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "require_expiration": true,
        "local_jwks": {"inline_string": jwks.to_string()},
    });
    if let Some(size) = remembered_tokens {
        provider["jwt_cache_config"] = json!({"jwt_cache_size": size});
    }
    let config = json!({
        "providers": {"bench": provider},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "bench"}}],
    });
    filter(
        "envoy.filters.http.jwt_authn",
        "jwt_authn.v3.JwtAuthentication",
        &config,
    )
}

/// Envoy's own filter that asks a decision service by gRPC.
pub fn ext_authz(cluster: &str) -> Value {
    let config = json!({
        "transport_api_version": "V3",
        "failure_mode_allow": false,
        "grpc_service": {"envoy_grpc": {"cluster_name": cluster}, "timeout": "0.5s"},
    });
    filter(
        "envoy.filters.http.ext_authz",
        "ext_authz.v3.ExtAuthz",
        &config,
    )
}

/// Envoy's own filter that asks OPA's REST door: the path goes behind `data.edgeward`.
pub fn ext_authz_opa(cluster: &str) -> Value {
    let config = json!({
        "transport_api_version": "V3",
        "failure_mode_allow": false,
        "http_service": {
            "server_uri": {"uri": "http://opa.bench.test", "cluster": cluster, "timeout": "0.5s"},
            "path_prefix": "/v1/data/edgeward",
        },
    });
    filter(
        "envoy.filters.http.ext_authz",
        "ext_authz.v3.ExtAuthz",
        &config,
    )
}

/// A Wasm filter that does nothing.
pub fn empty(modules: &Path) -> Value {
    wasm("empty", &modules.join("empty.wasm"), "")
}

/// A Wasm filter that reads three headers and looks one key up; it knows `token` on `/floor`.
pub fn floor(modules: &Path, token: &str) -> Value {
    wasm(
        "floor",
        &modules.join("floor.wasm"),
        &format!("Bearer {token}"),
    )
}

/// A Wasm filter that asks a service in `cluster` and lets every request pass.
pub fn callout(modules: &Path, cluster: &str) -> Value {
    wasm("callout", &modules.join("callout.wasm"), cluster)
}

//! Envoy's bootstrap for a run: one listener per set of filters, all alike but for these, and the
//! clusters behind them. JSON, which Envoy reads as it reads YAML.

use std::path::Path;

use serde_json::{Value, json};

/// One listener: its name, its port, and the HTTP filters before the router.
pub struct Listener {
    /// Names it in statistics.
    pub name: &'static str,
    /// On loopback.
    pub port: u16,
    /// In order; the router follows.
    pub filters: Vec<Value>,
}

/// A whole bootstrap.
pub fn bootstrap(admin_port: u16, listeners: &[Listener], clusters: &[Value]) -> Value {
    json!({
        "admin": {"address": address(admin_port)},
        "static_resources": {
            "listeners": listeners.iter().map(listener).collect::<Vec<_>>(),
            "clusters": clusters,
        },
    })
}

/// Every listener answers 200 by itself: there is no upstream whose time could blur the filters'.
fn listener(listener: &Listener) -> Value {
    let mut filters = listener.filters.clone();
    filters.push(filter(
        "envoy.filters.http.router",
        "router.v3.Router",
        &json!({}),
    ));
    json!({
        "name": listener.name,
        "address": address(listener.port),
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.\
                          http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": listener.name,
                "normalize_path": true,
                "stream_idle_timeout": "30s",
                "route_config": {"virtual_hosts": [{
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
                }]},
                "http_filters": filters,
            },
        }]}],
    })
}

/// An HTTP filter; `message` is its type behind `envoy.extensions.filters.http.`.
pub fn filter(name: &str, message: &str, config: &Value) -> Value {
    let mut typed_config = config.clone();
    typed_config["@type"] = json!(format!(
        "type.googleapis.com/envoy.extensions.filters.http.{message}"
    ));
    json!({"name": name, "typed_config": typed_config})
}

/// A Wasm filter in a virtual machine of its own.
pub fn wasm(name: &str, module: &Path, configuration: &str) -> Value {
    let config = json!({"config": {
        "name": name,
        "root_id": name,
        "failure_policy": "FAIL_RELOAD",
        "reload_config": {"backoff": {"base_interval": "0.1s"}},
        "vm_config": {
            "vm_id": name,
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": module}},
        },
        "configuration": {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": configuration,
        },
    }});
    filter("envoy.filters.http.wasm", "wasm.v3.Wasm", &config)
}

/// Which HTTP a cluster speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, one connection per request in flight.
    Http1,
    /// HTTP/2, one connection for all.
    Http2,
}

/// Where a cluster's one endpoint listens.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint<'a> {
    /// On loopback.
    Tcp(u16),
    /// At a path.
    Unix(&'a Path),
}

/// A cluster with one endpoint and limits that no run reaches.
pub fn cluster(name: &str, endpoint: Endpoint<'_>, protocol: Protocol) -> Value {
    let address = match endpoint {
        Endpoint::Tcp(port) => address(port),
        Endpoint::Unix(path) => json!({"pipe": {"path": path}}),
    };
    let options = match protocol {
        Protocol::Http1 => json!({"http_protocol_options": {}}),
        Protocol::Http2 => json!({"http2_protocol_options": {}}),
    };
    let limit = json!({
        "max_connections": 4096, "max_pending_requests": 4096, "max_requests": 4096,
    });
    json!({
        "name": name,
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [limit]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.\
                          HttpProtocolOptions",
                "explicit_http_config": options,
            },
        },
    })
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

//! What `opa-envoy-plugin` shows a policy: the `CheckRequest` as protobuf's JSON has it, and its path, query
//! and body taken apart.
//!
//! A member is there where protobuf's JSON would have it: nothing that is empty or zero. Headers that a
//! client may not say are left out, for the upstream does not get them either. Metadata of types that
//! nobody here knows (`typedFilterMetadata`) is left out.
//!
//! Sources: protobuf, "`ProtoJSON` Format"; `envoy/service/auth/v3/attribute_context.proto`, Envoy 1.40.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward_core::headers::{self, HeaderFate};
use edgeward_core::request::percent_decode;
use envoy_types::ext_authz::v3::pb::{Address, CheckRequest, HeaderValue};
use envoy_types::pb::envoy::config::core::v3::Metadata;
use envoy_types::pb::envoy::config::core::v3::socket_address::PortSpecifier;
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::google::protobuf::{ListValue, Struct, Timestamp, Value, value::Kind};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

use super::super::intake::Intake;
use super::super::{ExtAuthzSettings, check_request};
use super::body;

/// The input for `check`, which was taken in as `intake`; or the reason code of one that there cannot be.
pub(super) fn input(
    check: CheckRequest,
    intake: &Intake<'_>,
    settings: &ExtAuthzSettings,
    subject: Option<&RawValue>,
) -> Result<Json, &'static str> {
    let mut attributes = check.attributes.unwrap_or_default();
    let mut request = attributes.request.take().unwrap_or_default();
    let mut http = request.http.take().unwrap_or_default();
    let headers = shown_headers(&mut http, settings);
    let bytes = match http.body.as_bytes() {
        [] => &*http.raw_body,
        text => text,
    };
    let text = |name: &str| headers.get(name).map(String::as_str);
    // Envoy says so itself, and counts what came.
    let is_part = text("x-envoy-auth-partial-body") == Some("true")
        || usize::try_from(http.size).is_ok_and(|size| size > bytes.len());
    let body = body::read(bytes, text("content-type"), text("content-length"), is_part)?;
    let path = percent_decode(intake.request.path.as_str()).ok_or("request-path-encoding")?;
    let query = intake.request.query.as_ref();
    let mut input = json!({
        "attributes": attributes_of(attributes, &request, &http, &headers),
        "parsed_path": path.trim_start_matches('/').split('/').collect::<Vec<_>>(),
        "parsed_query": query.map_or_else(|| json!({}), |query| body::lists(query.pairs())),
        "parsed_body": body.parsed,
        "truncated_body": body.truncated,
        "version": { "encoding": "protojson", "ext_authz": "v3" },
    });
    if let Some(subject) = subject {
        let subject = serde_json::from_str(subject.get()).map_err(|_| "identity-unwritable")?;
        put(&mut input, "subject", subject);
    }
    Ok(input)
}

/// Headers by their names, lines of one name joined as Envoy joins them.
fn shown_headers(http: &mut HttpRequest, settings: &ExtAuthzSettings) -> HashMap<String, String> {
    let mut joined = std::mem::take(&mut http.headers);
    let lines = http.header_map.take().unwrap_or_default().headers;
    for HeaderValue {
        key,
        value,
        raw_value,
    } in lines
    {
        let value = check_request::bytes(value, raw_value);
        let value = String::from_utf8_lossy(&value);
        joined
            .entry(key)
            .and_modify(|all| {
                all.push(',');
                all.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    let stripped = settings.stripped();
    joined.retain(|name, _| {
        let stays = *name == settings.token.header || name == "host";
        stays || headers::fate(&name.to_ascii_lowercase(), &stripped) != HeaderFate::Strip
    });
    joined
}

fn attributes_of(
    attributes: AttributeContext,
    request: &Request,
    http: &HttpRequest,
    headers: &HashMap<String, String>,
) -> Json {
    let mut all = json!({});
    put_some(&mut all, "source", attributes.source.map(peer));
    put_some(&mut all, "destination", attributes.destination.map(peer));
    let mut asked = json!({});
    put_some(&mut asked, "time", request.time.as_ref().and_then(time));
    put(&mut asked, "http", http_of(http, headers));
    put(&mut all, "request", asked);
    if !attributes.context_extensions.is_empty() {
        put(
            &mut all,
            "contextExtensions",
            json!(attributes.context_extensions),
        );
    }
    put_some(
        &mut all,
        "metadataContext",
        attributes.metadata_context.map(metadata),
    );
    put_some(
        &mut all,
        "routeMetadataContext",
        attributes.route_metadata_context.map(metadata),
    );
    if let Some(session) = attributes.tls_session {
        let mut told = json!({});
        put_text(&mut told, "sni", &session.sni);
        put(&mut all, "tlsSession", told);
    }
    all
}

fn http_of(http: &HttpRequest, headers: &HashMap<String, String>) -> Json {
    let mut told = json!({});
    if !headers.is_empty() {
        put(&mut told, "headers", json!(headers));
    }
    for (name, text) in [
        ("id", &http.id),
        ("method", &http.method),
        ("path", &http.path),
        ("host", &http.host),
        ("scheme", &http.scheme),
        ("query", &http.query),
        ("fragment", &http.fragment),
        ("protocol", &http.protocol),
        ("body", &http.body),
    ] {
        put_text(&mut told, name, text);
    }
    if http.size != 0 {
        // Numbers of 64 bits are texts in protobuf's JSON.
        put(&mut told, "size", http.size.to_string().into());
    }
    put_text(&mut told, "rawBody", &STANDARD.encode(&http.raw_body));
    told
}

fn peer(peer: Peer) -> Json {
    let mut told = json!({});
    put_some(
        &mut told,
        "address",
        peer.address.and_then(|a| a.address).map(address),
    );
    put_text(&mut told, "service", &peer.service);
    if !peer.labels.is_empty() {
        put(&mut told, "labels", json!(peer.labels));
    }
    put_text(&mut told, "principal", &peer.principal);
    put_text(&mut told, "certificate", &peer.certificate);
    told
}

fn address(address: Address) -> Json {
    let mut told = json!({});
    let kind = match address {
        Address::SocketAddress(socket) => {
            if socket.protocol != 0 {
                put_text(&mut told, "protocol", socket.protocol().as_str_name());
            }
            put_text(&mut told, "address", &socket.address);
            match socket.port_specifier {
                Some(PortSpecifier::PortValue(port)) => put(&mut told, "portValue", port.into()),
                Some(PortSpecifier::NamedPort(name)) => put_text(&mut told, "namedPort", &name),
                None => {}
            }
            put_text(&mut told, "resolverName", &socket.resolver_name);
            "socketAddress"
        }
        Address::Pipe(pipe) => {
            put_text(&mut told, "path", &pipe.path);
            if pipe.mode != 0 {
                put(&mut told, "mode", pipe.mode.into());
            }
            "pipe"
        }
        Address::EnvoyInternalAddress(_) => "envoyInternalAddress",
    };
    json!({ kind: told })
}

/// As RFC 3339 has it; none where it is no instant.
fn time(time: &Timestamp) -> Option<Json> {
    let instant = jiff::Timestamp::new(time.seconds, time.nanos).ok()?;
    Some(instant.to_string().into())
}

fn metadata(metadata: Metadata) -> Json {
    let mut told = json!({});
    if !metadata.filter_metadata.is_empty() {
        let namespaces = metadata.filter_metadata.into_iter();
        let namespaces: Map<_, _> = namespaces.map(|(name, s)| (name, object(s))).collect();
        put(&mut told, "filterMetadata", namespaces.into());
    }
    told
}

fn object(of: Struct) -> Json {
    let fields = of.fields.into_iter();
    Json::Object(fields.map(|(name, v)| (name, value(v))).collect())
}

/// Depth is bounded by whoever decoded it.
fn value(of: Value) -> Json {
    match of.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(flag)) => flag.into(),
        Some(Kind::StringValue(text)) => text.into(),
        Some(Kind::NumberValue(number)) => number_of(number),
        Some(Kind::StructValue(of)) => object(of),
        Some(Kind::ListValue(ListValue { values })) => values.into_iter().map(value).collect(),
    }
}

/// A whole number is written as one.
fn number_of(number: f64) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return format!("{number:.0}")
            .parse::<i64>()
            .map_or(Json::Null, Json::from);
    }
    number.into()
}

fn put(to: &mut Json, name: &str, value: Json) {
    if let Some(members) = to.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

fn put_text(to: &mut Json, name: &str, text: &str) {
    if !text.is_empty() {
        put(to, name, text.into());
    }
}

fn put_some(to: &mut Json, name: &str, value: Option<Json>) {
    if let Some(value) = value {
        put(to, name, value);
    }
}

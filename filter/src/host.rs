//! The only file that names a host call.
//!
//! `unsafe` is the SDK's alone. Its wrappers panic on a status that the ABI does not foresee at
//! that place, and a panic takes the whole worker's VM; so each call here is made only where Envoy
//! can answer with nothing else (the phase is right, the stream is alive), and everything that a
//! client can influence is read as bytes, never through the SDK's `String` forms.

use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use edgeward_core::authzen::{self, COMPARED_EVALUATION, EVALUATION_PATH};
use edgeward_core::decide::{DECIDE_PATH, QUESTION_TYPE};
use edgeward_core::peer::TlsFacts;
use edgeward_core::time::UnixSeconds;
use edgeward_core::xfcc::hex_digest;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType, MetricType, Status};

use crate::config::Config;
use crate::identify::Field;
use crate::reply::{Reply, grpc_status};
use crate::signature::{VERIFIED, VerifySignature};
use crate::step::{Ask, Door};

/// The most that is read of an answer of the PDP, in bytes: a feed is the largest.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// Envoy, as a checker of signatures.
pub(crate) struct Envoy;

impl VerifySignature for Envoy {
    fn verify_signature(&self, arguments: &[u8]) -> bool {
        let answer = hostcalls::call_foreign_function("verify_signature", Some(arguments));
        matches!(answer, Ok(Some(answer)) if answer == VERIFIED)
    }
}

/// The wall clock, in microseconds since 1970.
pub(crate) fn now_microseconds() -> u64 {
    let now = hostcalls::get_current_time().ok();
    let since = now
        .and_then(|now| now.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// The wall clock, in seconds since 1970.
pub(crate) fn now() -> UnixSeconds {
    UnixSeconds(now_microseconds() / 1_000_000)
}

/// All fields of the request, names in lower case.
pub(crate) fn request_fields() -> Vec<Field> {
    hostcalls::get_map_bytes(MapType::HttpRequestHeaders).unwrap_or_default()
}

/// Removes a request header.
pub(crate) fn remove_request_header(name: &str) -> Result<(), Status> {
    hostcalls::remove_map_value(MapType::HttpRequestHeaders, name)
}

/// Sets a request header, replacing every one of that name.
pub(crate) fn set_request_header(name: &str, value: &str) -> Result<(), Status> {
    hostcalls::set_map_value(MapType::HttpRequestHeaders, name, Some(value))
}

/// Sets a response header, replacing every one of that name.
pub(crate) fn set_response_header(name: &str, value: &str) -> Result<(), Status> {
    hostcalls::set_map_value(MapType::HttpResponseHeaders, name, Some(value))
}

/// Has Envoy choose the route anew, because path or host were rewritten.
pub(crate) fn clear_route_cache() {
    // An Envoy without the function keeps the route that it chose by the request's own spelling.
    let _ = hostcalls::call_foreign_function("clear_route_cache", None);
}

/// Lets a held request go on.
pub(crate) fn resume_request() -> Result<(), Status> {
    hostcalls::resume_http_request()
}

/// Has what follows in this callback be done to another stream, which its filter still holds.
pub(crate) fn act_for(stream: u32) -> Result<(), Status> {
    hostcalls::set_effective_context(stream)
}

/// A queue of the host's by which streams have this root called; none where it has none for us.
pub(crate) fn open_queue() -> Option<u32> {
    let now = hostcalls::get_current_time().ok()?;
    let now = now.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    // Every worker needs its own: one that another took too would be called late, on its tick.
    hostcalls::register_shared_queue(&format!("edgeward.{now}")).ok()
}

/// Has the root called by `queue` when this turn of the event loop is over, in the same thread.
pub(crate) fn call_root(queue: u32) {
    if hostcalls::enqueue_shared_queue(queue, Some(b"q")).is_err() {
        log::warn!("questions wait for the next tick");
    }
}

/// The root was called by `queue`.
pub(crate) fn called_by(queue: u32) {
    let _ = hostcalls::dequeue_shared_queue(queue);
}

/// Answers the request.
pub(crate) fn send(reply: &Reply) -> Result<(), Status> {
    let headers = reply.headers();
    if reply.grpc {
        let metadata: Vec<(&str, &[u8])> = headers
            .iter()
            .filter(|(name, _)| *name != "content-type")
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        let message = reply.grpc_message();
        let status = grpc_status(reply.refusal);
        return hostcalls::send_grpc_response(status, Some(&message), metadata);
    }
    let headers = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    hostcalls::send_http_response(reply.refusal.status(), headers, Some(&reply.body()))
}

/// The directly connected address, without its port.
pub(crate) fn source_address() -> Option<IpAddr> {
    let text = property(["source", "address"])?;
    let text = std::str::from_utf8(&text).ok()?;
    let address = text
        .rsplit_once(':')
        .map_or(text, |(address, _port)| address);
    address
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

/// The client certificate that Envoy validated on this connection.
pub(crate) fn tls_facts() -> Option<TlsFacts> {
    if property(["connection", "mtls"])? != [1] {
        return None;
    }
    let digest = property(["connection", "sha256_peer_certificate_digest"])?;
    Some(TlsFacts {
        certificate_digest: hex_digest(std::str::from_utf8(&digest).ok()?)?,
        first_uri: property(["connection", "uri_san_peer_certificate"])
            .and_then(|uri| String::from_utf8(uri).ok()),
    })
}

/// Posts `body` to the PDP. The answer comes as a callback, failures too.
pub(crate) fn call_pdp(call: &PdpCall<'_>) -> Result<u32, Status> {
    let mut headers = vec![
        (":method", if call.body.is_some() { "POST" } else { "GET" }),
        (":path", call.path),
        (":authority", call.authority),
    ];
    if call.body.is_some() {
        headers.push(("content-type", call.kind));
    }
    // Our own form needs no other word for it.
    if call.kind == JSON {
        headers.push(("accept", JSON));
    }
    hostcalls::dispatch_http_call(call.cluster, headers, call.body, vec![], call.timeout)
}

/// The content type of what everybody speaks.
pub(crate) const JSON: &str = "application/json";

/// A call to the PDP.
pub(crate) struct PdpCall<'a> {
    pub(crate) cluster: &'a str,
    pub(crate) authority: &'a str,
    pub(crate) path: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) body: Option<&'a [u8]>,
    pub(crate) timeout: Duration,
}

impl<'a> PdpCall<'a> {
    /// One that asks for a decision.
    pub(crate) fn question(config: &'a Config, ask: &'a Ask) -> Self {
        let (path, kind) = match ask.door {
            Door::Decide => (DECIDE_PATH, QUESTION_TYPE),
            Door::Evaluation => (EVALUATION_PATH, JSON),
            Door::Compare => (COMPARED_EVALUATION, JSON),
        };
        Self {
            cluster: &config.cluster,
            authority: &config.authority,
            path,
            kind,
            body: Some(&ask.body),
            timeout: config.pdp_timeout,
        }
    }
}

/// The status of the PDP's answer; empty where there is none: a call whose stream Envoy reset ends
/// with no headers at all, and the SDK panics when asked for one of them.
pub(crate) fn answer_status(headers: usize) -> String {
    if headers == 0 {
        return String::new();
    }
    String::from_utf8(answer_header(":status")).unwrap_or_default()
}

/// The body of the PDP's answer; empty, which is no answer, where it does not say that it is JSON.
pub(crate) fn answer_json(headers: usize, size: usize) -> Vec<u8> {
    if headers == 0 || !authzen::is_json(&answer_header("content-type")) {
        return Vec::new();
    }
    answer_body(size)
}

/// The body of the PDP's answer to what was asked at `door`.
pub(crate) fn answer_to(door: Option<Door>, headers: usize, size: usize) -> Vec<u8> {
    match door {
        Some(Door::Decide) => answer_body(size),
        _ => answer_json(headers, size),
    }
}

/// The body of the PDP's answer, whatever it says that it is: for a form that tells itself.
fn answer_body(size: usize) -> Vec<u8> {
    if size == 0 || size > MAX_ANSWER_BYTES {
        return Vec::new();
    }
    hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size)
        .ok()
        .flatten()
        .unwrap_or_default()
}

fn answer_header(name: &str) -> Vec<u8> {
    hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, name)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// The text of the plugin configuration.
pub(crate) fn plugin_configuration() -> Vec<u8> {
    hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Ticks from now on, this often.
pub(crate) fn tick_every(period: Duration) {
    let _ = hostcalls::set_tick_period(period);
}

/// Makes a counter known; counts nothing where Envoy refuses it.
pub(crate) fn define_counter(name: &str) -> Option<u32> {
    hostcalls::define_metric(MetricType::Counter, name).ok()
}

/// Makes a histogram known.
pub(crate) fn define_histogram(name: &str) -> Option<u32> {
    hostcalls::define_metric(MetricType::Histogram, name).ok()
}

/// Makes a gauge known.
pub(crate) fn define_gauge(name: &str) -> Option<u32> {
    hostcalls::define_metric(MetricType::Gauge, name).ok()
}

/// Adds to a counter or a gauge; a gauge also takes less than nothing.
pub(crate) fn add(metric: u32, number: i64) {
    let _ = hostcalls::increment_metric(metric, number);
}

/// Records a value in a histogram.
pub(crate) fn record(histogram: u32, value: u64) {
    let _ = hostcalls::record_metric(histogram, value);
}

fn property<const N: usize>(path: [&str; N]) -> Option<Vec<u8>> {
    hostcalls::get_property(path.to_vec()).ok().flatten()
}

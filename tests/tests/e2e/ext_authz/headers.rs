//! Promise 3, and the headers of promise 2: no line of a header hides another, and nothing that a
//! client says of itself reaches the upstream or the policy as a fact.

use edgeward_tests::keys::FRONTEND;
use edgeward_tests::raw::Request;
use edgeward_tests::setup::Setup;
use serde_json::json;

use super::{Door, door, filter, patient};
use crate::hygiene::SPOOFED;

/// What some proxy or back end lets a request pass for: a health check's name, a cookie that cannot
/// be read, a word of the proxy's own.
pub(super) const UNTELLING: [(&str, &str); 9] = [
    ("User-Agent", "kube-probe/1.30"),
    ("User-Agent", "GoogleHC/1.0"),
    ("User-Agent", "ELB-HealthChecker/2.0"),
    ("Cookie", "=;;=\"; a"),
    ("Cookie", "edgeward=1"),
    ("X-Envoy-Internal", "true"),
    ("X-Edgeward-Decision-Id", "posture-1"),
    ("Upgrade", "websocket"),
    ("X-Envoy-Auth-Partial-Body", "true"),
];

#[test]
fn every_line_of_a_header_is_decided_on_by_ext_authz() {
    let door = door();
    for lines in [&["banned"][..], &["fine", "banned"], &["banned", "fine"]] {
        let mut request = door.allowed("/lines");
        for line in lines {
            request = request.header("X-Role", line);
        }
        let reply = door.send(&request);
        door.assert_refused(&reply, 403, "no-rule-allows", "/lines");
    }
    let reply = door.send(&door.allowed("/line-fine").header("X-Role", "fine"));
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn joined_headers_are_denied_by_ext_authz_unless_configured_and_then_none_hides_another() {
    let joining = || {
        filter(patient(Setup::ext_authz()), |filter| {
            filter["encode_raw_headers"] = json!(false);
        })
    };
    let strict = Door::open(joining(), &json!({}));
    let reply = strict.send(&strict.allowed("/joined"));
    strict.assert_refused(&reply, 503, "ext-authz-headers-joined", "/joined");
    let door = Door::open(joining(), &json!({ "joined_headers": true }));
    let reply = door.send(&door.allowed("/fine").header("X-Role", "fine"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    for lines in [&["fine", "banned"][..], &["fine,banned"]] {
        let mut request = door.allowed("/joined");
        for line in lines {
            request = request.header("X-Role", line);
        }
        let reply = door.send(&request);
        door.assert_refused(&reply, 403, "no-rule-allows", "/joined");
    }
    let twice = door.allowed("/joined").bearer("another");
    let reply = door.send(&twice);
    assert_eq!(reply.status, 401, "{}", reply.text());
}

#[test]
fn a_header_that_is_not_text_never_passes_ext_authz() {
    let door = door();
    for byte in 0x80..=0xff_u8 {
        let request = door.allowed("/not-text").header("X-Role", [b'b', byte]);
        let reply = door.send(&request);
        door.assert_refused(&reply, 400, "request-header-invalid", "/not-text");
    }
}

#[test]
fn no_spoofed_header_passes_ext_authz_in_any_spelling() {
    let door = door();
    for (index, name) in SPOOFED.into_iter().enumerate() {
        let path = format!("/spoof-{index}");
        let request = door
            .allowed(&path)
            .header(name, "spoofed")
            .header(name, "spoofed-too");
        let reply = door.send(&request);
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
        let seen = &door.upstream.seen(&path)[0];
        let values = seen
            .headers
            .iter()
            .map(|(_, value)| String::from_utf8_lossy(value));
        let spoofed: Vec<_> = values.filter(|value| value.contains("spoofed")).collect();
        assert!(spoofed.is_empty(), "{name}: {:?}", seen.headers);
        assert_eq!(seen.header("x-edgeward-subject"), [FRONTEND], "{name}");
        assert_eq!(seen.header("x-edgeward-decision-id").len(), 1, "{name}");
    }
}

#[test]
fn a_client_cannot_have_ext_authz_s_headers_dropped_by_a_later_hop() {
    let door = door();
    let request = door.allowed("/nominated").header(
        "Connection",
        "close, X-Edgeward-Subject, X-Edgeward-Decision-Id",
    );
    let reply = door.send(&request);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = &door.upstream.seen("/nominated")[0];
    assert_eq!(seen.header("x-edgeward-subject"), [FRONTEND]);
    let connection = seen.header("connection").concat().to_ascii_lowercase();
    assert!(!connection.contains("edgeward"), "{connection}");
}

#[test]
fn forged_forwarding_headers_choose_neither_path_nor_host_nor_method_of_ext_authz() {
    let door = door();
    let mut request = door.allowed("/forbidden/forged");
    for name in [
        "X-Forwarded-Uri",
        "X_Forwarded_Uri",
        "X-Forwarded-Prefix",
        "X-Original-Url",
        "X-Original-Uri",
        "X-Envoy-Original-Path",
        "X-Rewrite-Url",
    ] {
        request = request.header(name, "/public");
    }
    for name in [
        "X-Forwarded-Host",
        "X-Forwarded-Server",
        "X-Envoy-Original-Host",
    ] {
        request = request.header(name, "public.test");
    }
    request = request
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Port", "443")
        .header("X-Forwarded-Method", "OPTIONS")
        .header("X-Http-Method-Override", "OPTIONS")
        .header("Forwarded", "for=127.0.0.1;host=public.test;proto=https");
    let reply = door.send(&request);
    door.assert_refused(&reply, 403, "no-rule-allows", "/forbidden/forged");
}

#[test]
fn nothing_but_the_decision_lets_a_request_pass_ext_authz() {
    let door = door();
    for (name, value) in UNTELLING {
        for method in ["GET", "OPTIONS", "TRACE", "POST"] {
            let request = Request::new(method, "/unauthorised").header(name, value);
            let reply = door.send(&request);
            assert!(reply.status >= 400, "{method} {name}: {}", reply.status);
        }
    }
    assert!(door.upstream.seen("/unauthorised").is_empty());
}

#[test]
fn an_obligation_reaches_upstream_and_client_through_ext_authz_and_replaces_the_client_s() {
    let door = door();
    let request = door
        .allowed("/obliged/x")
        .header("X_Obliged", "by client")
        .header("X-Obliged", "by client");
    let reply = door.send(&request);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("x-policy-note").as_deref(), Some("seen"));
    let seen = &door.upstream.seen("/obliged/x")[0];
    assert_eq!(seen.header("x-obliged"), ["by policy"]);
    assert!(seen.header("x_obliged").is_empty());
}

#[test]
fn the_decision_on_a_traced_request_is_found_by_its_trace() {
    let door = door();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = door.allowed("/forbidden/traced");
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let reply = door.send(&request);
    door.assert_refused(&reply, 403, "no-rule-allows", "/forbidden/traced");
    let id = reply.header("x-edgeward-decision-id").expect("an id");
    let log = door.pdp.log();
    let record = log.lines().find(|line| line.contains(&id));
    let record: serde_json::Value =
        serde_json::from_str(record.expect("a record")).expect("a record is JSON");
    assert_eq!(record["span"]["trace_id"], trace, "{record}");
}

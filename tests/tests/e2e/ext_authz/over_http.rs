//! The same promises where Envoy asks over HTTP.

use std::sync::LazyLock;

use edgeward_tests::keys::FRONTEND;
use edgeward_tests::raw::Request;
use edgeward_tests::setup::Setup;
use serde_json::{Value, json};

use super::headers::UNTELLING;
use super::paths::{CANONICAL, REFUSED};
use super::{Door, filter};
use crate::hygiene::SPOOFED;

fn door() -> &'static Door {
    static DOOR: LazyLock<Door> = LazyLock::new(|| Door::open(asking(|_| {}), &section()));
    &DOOR
}

fn section() -> Value {
    json!({ "gateways": ["envoy"], "allowed_request_headers": ["x-obliged"], "anonymous": true })
}

/// The setup that ships, told of the header that policies may set here and the one that they set
/// on responses, with time enough, and changed.
fn asking(change: impl FnOnce(&mut Value)) -> Setup {
    filter(Setup::ext_authz_http(), |filter| {
        let service = &mut filter["http_service"];
        service["server_uri"]["timeout"] = json!("10s");
        let response = &mut service["authorization_response"];
        let upstream = response["allowed_upstream_headers"]["patterns"].as_array_mut();
        upstream
            .expect("a list")
            .push(json!({ "exact": "x-obliged" }));
        response["allowed_client_headers_on_success"] =
            json!({ "patterns": [{ "exact": "x-policy-note" }] });
        change(filter);
    })
}

#[test]
fn what_is_decided_over_http_is_what_is_forwarded() {
    let door = door();
    for target in CANONICAL {
        let reply = door.send(&door.allowed(target));
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        assert_eq!(reply.json()["line"], format!("GET {target} HTTP/1.1"));
    }
    for (target, code) in REFUSED {
        let reply = door.send(&door.allowed(target));
        // Envoy or the HTTP library of the PDP refuse some of these, with no code.
        assert!(
            (400..500).contains(&reply.status),
            "{target}: {}",
            reply.status
        );
        let given = reply.code();
        assert!(given.is_empty() || given == code, "{target}: {given}");
    }
    for host in [
        "FORBIDDEN.test",
        "forbidden.test.",
        "forbidden.test:080",
        "127.1",
    ] {
        let reply = door.send(&door.allowed("/refused").host(host));
        assert_eq!(reply.status, 400, "{host}: {}", reply.text());
    }
    assert!(door.upstream.seen("refused").is_empty());
    for (target, host) in [
        ("/forbidden?x=/public", "shop.test"),
        ("/forbidden/x", "shop.test"),
        ("/hidden", "forbidden.test"),
        ("/hidden", "forbidden.test:8080"),
    ] {
        let reply = door.send(&door.allowed(target).host(host));
        door.assert_refused(&reply, 403, "no-rule-allows", target);
    }
}

#[test]
fn the_method_decided_on_over_http_is_the_client_s() {
    let policy = r#"package edgeward.authz
decision := {"allow": input.action.name == "GET", "reasons": ["by-method"]}"#;
    let door = Door::open(asking(|_| {}), &section());
    super::write_policy(door.policies.path(), policy);
    let denied = || door.send(&Request::new("POST", "/method").body("x"));
    let patience = std::time::Duration::from_secs(20);
    let settled = edgeward_tests::process::wait_for(patience, || {
        (denied().code() == "by-method").then_some(())
    });
    assert!(settled.is_some(), "{}", denied().text());
    let reply = door.send(&Request::get("/method-get"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(door.upstream.seen("POST /method").is_empty());
}

#[test]
fn no_line_of_a_header_hides_another_over_http() {
    let door = door();
    for lines in [
        &["banned"][..],
        &["fine", "banned"],
        &["banned", "fine"],
        &["a,banned"],
    ] {
        let mut request = door.allowed("/http-lines");
        for line in lines {
            request = request.header("X-Role", line);
        }
        let reply = door.send(&request);
        door.assert_refused(&reply, 403, "no-rule-allows", "/http-lines");
    }
    for byte in 0x80..=0xff_u8 {
        let reply = door.send(&door.allowed("/http-lines").header("X-Role", [b'b', byte]));
        assert!(reply.status >= 400, "{byte:#x}: {}", reply.text());
    }
    assert!(door.upstream.seen("/http-lines").is_empty());
}

#[test]
fn no_spoofed_header_passes_over_http_in_any_spelling() {
    let door = door();
    for (index, name) in SPOOFED.into_iter().chain(["X-Edgeward-Source"]).enumerate() {
        let path = format!("/http-spoof-{index}");
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
        assert!(seen.header("authorization").is_empty(), "{name}");
    }
}

#[test]
fn forged_forwarding_headers_choose_nothing_over_http() {
    let door = door();
    let mut request = door.allowed("/forbidden/http-forged");
    for name in [
        "X-Forwarded-Uri",
        "X_Forwarded_Uri",
        "X-Original-Uri",
        "X-Original-Url",
    ] {
        request = request.header(name, "/public");
    }
    request = request
        .header("X-Forwarded-Host", "public.test")
        .header("X-Original-Host", "public.test")
        .header("X-Forwarded-Method", "OPTIONS")
        .header("X-Original-Method", "OPTIONS")
        .header("X-Forwarded-Prefix", "/public")
        .header("Forwarded", "host=public.test");
    let reply = door.send(&request);
    door.assert_refused(&reply, 403, "no-rule-allows", "http-forged");
}

#[test]
fn a_client_cannot_have_our_headers_dropped_by_a_later_hop_over_http() {
    let door = door();
    let request = door.allowed("/http-nominated").header(
        "Connection",
        "close, X-Edgeward-Subject, X-Edgeward-Decision-Id",
    );
    let reply = door.send(&request);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = &door.upstream.seen("/http-nominated")[0];
    assert_eq!(seen.header("x-edgeward-subject"), [FRONTEND]);
    let connection = seen.header("connection").concat().to_ascii_lowercase();
    assert!(!connection.contains("edgeward"), "{connection}");
}

#[test]
fn nothing_but_the_decision_lets_a_request_pass_over_http() {
    let door = door();
    for (name, value) in UNTELLING {
        for method in ["GET", "OPTIONS", "TRACE", "POST"] {
            let request = Request::new(method, "/http-unauthorised").header(name, value);
            let reply = door.send(&request);
            assert!(reply.status >= 400, "{method} {name}: {}", reply.status);
        }
    }
    assert!(door.upstream.seen("/http-unauthorised").is_empty());
}

#[test]
fn obligations_and_denies_reach_those_they_are_for_over_http() {
    let door = door();
    let reply = door.send(
        &door
            .allowed("/obliged/http")
            .header("X-Obliged", "by client"),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("x-policy-note").as_deref(), Some("seen"));
    let seen = &door.upstream.seen("/obliged/http")[0];
    assert_eq!(seen.header("x-obliged"), ["by policy"]);
    let reply = door.send(&Request::get("/http-bad-token").bearer("x"));
    door.assert_refused(&reply, 401, "token-not-compact", "/http-bad-token");
    assert!(reply.header("www-authenticate").is_some());
}

#[test]
fn the_source_over_http_is_envoy_s_word_and_nothing_is_decided_without_it() {
    let silent = asking(|filter| {
        filter["http_service"]["authorization_request"] = json!({});
    });
    let door = Door::open(silent, &section());
    let reply = door.send(&door.allowed("/no-source"));
    door.assert_refused(&reply, 403, "ext-authz-not-told", "/no-source");
    let withholding = asking(|filter| {
        filter["allowed_headers"] = json!({ "patterns": [{ "exact": "x-role" }] });
    });
    let door = Door::open(withholding, &section());
    let reply = door.send(&door.allowed("/withheld"));
    door.assert_refused(&reply, 403, "ext-authz-headers-withheld", "/withheld");
}

#[test]
fn nothing_passes_over_http_while_the_pdp_is_away_or_has_no_such_door() {
    let mut door = Door::open(asking(|_| {}), &section());
    assert_eq!(door.send(&door.allowed("/http-before")).status, 200);
    door.pdp.crash();
    assert_eq!(door.send(&door.allowed("/http-away")).status, 503);
    assert!(door.upstream.seen("/http-away").is_empty());
    let other = Door::open(asking(|_| {}), &json!({ "gateways": [] }));
    let reply = other.send(&other.allowed("/http-no-door"));
    assert_eq!(reply.status, 404, "{}", reply.text());
    assert!(other.upstream.seen("/http-no-door").is_empty());
}

//! Promise 3: identity and credential headers from the client never reach the upstream or the
//! policy as facts, in any spelling, also where Edgeward then sets nothing.

use edgeward_tests::keys::FRONTEND;
use edgeward_tests::raw::Request;
use serde_json::json;

use crate::{assert_refused, stage};

/// Names that state who is asking, what was asked first, or who forwarded it.
pub(crate) const SPOOFED: [&str; 44] = [
    "x-edgeward-subject",
    "X-Edgeward-Subject",
    "X_Edgeward_Subject",
    "x-edgeward_subject",
    "x_edgeward-decision_id",
    "X-EDGEWARD-DECISION-ID",
    "x-edgeward-",
    "x-edgeward-anything-else",
    "X-Forwarded-Client-Cert",
    "X_Forwarded_Client_Cert",
    "Client-Cert",
    "X-Client-Cert",
    "X-Forwarded-User",
    "X_Forwarded_User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Access-Token",
    "X-Auth-Request-User",
    "X_Auth_Request_User",
    "X-Auth-Request-Email",
    "X-Authenticated-User",
    "Remote-User",
    "Remote_User",
    "Remote-Groups",
    "X-Amzn-Oidc-Identity",
    "X-Amzn-Oidc-Data",
    "X-Envoy-Original-Path",
    "X_Envoy_Original_Path",
    "X-Envoy-Original-Host",
    "X-Original-Url",
    "X-Original-Uri",
    "X_Original_Url",
    "X-Rewrite-Url",
    "X-Forwarded-Uri",
    "X-Forwarded-Host",
    "X_Forwarded_Host",
    "X-Forwarded-Method",
    "X-Forwarded-Prefix",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "Forwarded",
    "X-Obliged",
];

#[test]
fn no_spoofed_header_reaches_the_upstream_or_the_policy_on_any_kind_of_route() {
    let stage = stage();
    for route in ["/spoof", "/public/spoof", "/identity/spoof"] {
        for (index, name) in SPOOFED.into_iter().enumerate() {
            let path = format!("{route}-{index}");
            let request = stage
                .allowed(&path)
                .header(name, "spoofed")
                .header(name, "spoofed-too");
            let reply = stage.send(&request);
            assert_eq!(reply.status, 200, "{name} on {route}: {}", reply.text());
            let seen = &stage.upstream.seen(&path)[0];
            let mut values = seen
                .headers
                .iter()
                .map(|(_, value)| String::from_utf8_lossy(value));
            assert!(
                values.all(|value| !value.contains("spoofed")),
                "{name}: {:?}",
                seen.headers
            );
            assert_eq!(seen.header("x-edgeward-subject"), [FRONTEND], "{name}");
            let asked = json!(stage.tap.asked(&path)).to_string();
            assert!(!asked.contains("spoofed"), "{name}: {asked}");
        }
    }
}

#[test]
fn a_route_that_is_switched_off_still_strips_what_a_client_may_not_say() {
    let stage = stage();
    let mut request = Request::get("/healthz");
    for name in SPOOFED {
        request = request.header(name, "spoofed-off");
    }
    let reply = stage.send(&request);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(!reply.text().contains("spoofed-off"), "{}", reply.text());
}

#[test]
fn a_client_cannot_have_the_identity_header_dropped_by_a_later_hop() {
    let stage = stage();
    let request = stage.allowed("/nominated").header(
        "Connection",
        "close, X-Edgeward-Subject, X-Edgeward-Decision-Id",
    );
    let reply = stage.send(&request);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = &stage.upstream.seen("/nominated")[0];
    assert_eq!(seen.header("x-edgeward-subject"), [FRONTEND]);
    assert_eq!(seen.header("x-edgeward-decision-id").len(), 1);
    let connection = seen.header("connection").concat().to_ascii_lowercase();
    assert!(!connection.contains("edgeward"), "{connection}");
}

#[test]
fn a_token_is_not_passed_on_to_the_upstream_or_to_the_policy() {
    let stage = stage();
    let token = stage.keys.jwt_svid(FRONTEND);
    let request = Request::get("/token-kept")
        .bearer(&token)
        .header("Cookie", "session=secret");
    assert_eq!(stage.send(&request).status, 200);
    let seen = &stage.upstream.seen("/token-kept")[0];
    assert_eq!(seen.header("authorization"), Vec::<String>::new());
    let asked = stage.tap.asked("/token-kept")[0].to_string();
    assert!(
        !asked.contains(&token) && !asked.contains("session=secret"),
        "{asked}"
    );
}

#[test]
fn forwarding_headers_of_an_untrusted_client_change_nothing_that_is_decided_on() {
    let stage = stage();
    let request = stage
        .allowed("/forwarded")
        .header("X-Forwarded-For", "10.9.8.7")
        .header("X-Forwarded-Proto", "https")
        .header("X-Real-Ip", "10.9.8.7")
        .header("X-Envoy-External-Address", "10.9.8.7")
        .header("X-Envoy-Internal", "true")
        .header("X-Request-Id", "10.9.8.7");
    let plain = stage.allowed("/forwarded");
    assert_eq!(stage.send(&request).status, 200);
    assert_eq!(stage.send(&plain).status, 200);
    let asked = stage.tap.asked("/forwarded");
    assert_eq!(asked[0]["context"]["source"]["address"], "127.0.0.1");
    assert_eq!(asked[0]["resource"]["properties"]["headers"], json!({}));
    // Two workers may ask; whatever they ask about, it is the same.
    let mut asked = asked.into_iter().map(|mut question| {
        // Two tokens may differ in their instant; everything else must not.
        question["subject"]["properties"]["claims"] = json!(null);
        question
    });
    let first = asked.next();
    assert!(asked.all(|question| Some(question) == first));
}

#[test]
fn a_header_that_policy_sets_replaces_the_client_s_and_no_other_can_be_set() {
    let stage = stage();
    let reply = stage.send(&stage.allowed("/obliged/x").header("X_Obliged", "by client"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("x-policy-note").as_deref(), Some("seen"));
    assert_eq!(
        stage.upstream.seen("/obliged/x")[0].header("x-obliged"),
        ["by policy"]
    );
    let body = br#"{"decision":true,"context":{"id":"d1","obligations":{"request_headers":{"x-other":"set"}}}}"#;
    stage.tap.break_for(
        "/oblige-other",
        edgeward_tests::tap::Fault::Answer(200, body[..].into()),
    );
    let reply = stage.send(&stage.allowed("/oblige-other"));
    assert_refused(
        stage,
        &reply,
        403,
        "obligation-not-allowed",
        "/oblige-other",
    );
}

#[test]
fn every_forwarded_request_names_its_own_decision() {
    let stage = stage();
    let mut ids = std::collections::BTreeSet::new();
    for path in ["/named/1", "/named/2", "/identity/named", "/public/named"] {
        assert_eq!(stage.send(&stage.allowed(path)).status, 200);
        let id = stage.upstream.seen(path)[0].header("x-edgeward-decision-id");
        assert_eq!(id.len(), 1, "{path}");
        assert!(
            !id[0].is_empty() && ids.insert(id[0].clone()),
            "{path}: {id:?}"
        );
    }
}

//! Gateways that ask over HTTP: each tells of a request in its own way and in no other.

use edgeward_core::headers::{DECISION_ID, SUBJECT};

use super::*;
use crate::service::Gateway;
use crate::service::tests::harness::{Answer, exchange};

/// A door for every gateway.
fn open() -> Asked {
    let mut door = door();
    door.token.forward = true;
    door.gateways = vec![
        Gateway::Envoy,
        Gateway::Nginx,
        Gateway::Traefik,
        Gateway::Caddy,
    ];
    Asked::by(door, POLICY)
}

/// The headers with which `gateway` tells of a request.
fn telling<'h>(gateway: Gateway, method: &'h str, target: &'h str) -> Vec<(&'h str, &'h str)> {
    match gateway {
        Gateway::Envoy => vec![
            ("x-edgeward-source", "10.1.2.3"),
            ("x-forwarded-proto", "http"),
        ],
        Gateway::Nginx => vec![
            ("x-original-method", method),
            ("x-original-host", "shop.example"),
            ("x-original-uri", target),
            ("x-real-ip", "10.1.2.3"),
        ],
        Gateway::Traefik | Gateway::Caddy => vec![
            ("x-forwarded-method", method),
            ("x-forwarded-host", "shop.example"),
            ("x-forwarded-uri", target),
            ("x-forwarded-for", "192.0.2.1, 10.1.2.3"),
            ("x-forwarded-proto", "https"),
        ],
    }
}

fn call(
    asked: &Asked,
    gateway: Gateway,
    (method, target): (&str, &str),
    more: &[(&str, &str)],
) -> Answer {
    let mut headers = telling(gateway, method, target);
    headers.extend(more);
    let path = match gateway {
        Gateway::Envoy => format!("{}{target}", gateway.path()),
        _ => gateway.path().to_owned(),
    };
    let asks_with = if gateway == Gateway::Envoy {
        method
    } else {
        "GET"
    };
    exchange(asked.pdp.connect(), asks_with, &path, &headers, b"")
}

const OTHERS: [Gateway; 3] = [Gateway::Nginx, Gateway::Traefik, Gateway::Caddy];

#[test]
fn each_gateway_is_answered_by_what_it_alone_tells() {
    let asked = open();
    let bearer = format!("Bearer {}", asked.token(&json!({})));
    let token = [("authorization", bearer.as_str())];
    for gateway in [Gateway::Envoy].into_iter().chain(OTHERS) {
        let allowed = call(&asked, gateway, ("GET", "/a?b=/admin"), &token);
        assert_eq!(allowed.status, 200, "{gateway:?}: {}", allowed.body);
        assert_eq!(allowed.header(SUBJECT), Some(WHO), "{gateway:?}");
        assert_eq!(allowed.header("x-edgeward-tier"), Some("gold"));
        assert_eq!(allowed.header("cache-control"), Some("no-store"));
        assert!(allowed.header(DECISION_ID).is_some());
        let denied = call(&asked, gateway, ("GET", "/admin?x=/a"), &token);
        assert_eq!(denied.status, 403, "{gateway:?}: {}", denied.body);
        assert_eq!(denied.json()["code"], "no-rule-matches");
        let nobody = call(&asked, gateway, ("GET", "/a"), &[]);
        assert_eq!(nobody.status, 401, "{gateway:?}: {}", nobody.body);
        assert!(nobody.header("www-authenticate").is_some());
        let odd = call(&asked, gateway, ("GET", "/a/../admin"), &token);
        let status = if gateway == Gateway::Nginx { 403 } else { 400 };
        assert_eq!(odd.status, status, "{gateway:?}");
        assert_eq!(odd.json()["status"], status);
        assert_eq!(odd.json()["code"], "request-path-dot-segment");
    }
}

#[test]
fn what_another_gateway_would_say_is_a_client_s_word() {
    let asked = open();
    let bearer = format!("Bearer {}", asked.token(&json!({})));
    for gateway in OTHERS {
        for (name, value) in [
            ("x-forwarded-uri", "/a"),
            ("x_forwarded_uri", "/a"),
            ("x-original-host", "a"),
            ("x-original-method", "HEAD"),
            ("x-original-uri", "/a"),
            ("x-original-url", "/a"),
            ("x-forwarded-prefix", "/a"),
            ("x-rewrite-url", "/a"),
            ("forwarded", "host=a"),
            ("x-edgeward-subject", WHO),
            ("x_edgeward_subject", WHO),
            ("x-forwarded-user", WHO),
        ] {
            let more = [("authorization", bearer.as_str()), (name, value)];
            let answer = call(&asked, gateway, ("GET", "/admin"), &more);
            assert!(answer.status >= 400, "{gateway:?} {name}: {}", answer.body);
            // It could not be removed, so it does not pass with an allowed request either.
            let answer = call(&asked, gateway, ("GET", "/a"), &more);
            assert!(answer.status >= 400, "{gateway:?} {name}: {}", answer.body);
        }
    }
    let more = [
        ("authorization", bearer.as_str()),
        ("x-forwarded-uri", "/a"),
        ("x_forwarded_user", WHO),
    ];
    let answer = call(&asked, Gateway::Envoy, ("GET", "/admin"), &more);
    assert_eq!(answer.status, 403);
    let answer = call(&asked, Gateway::Envoy, ("GET", "/a"), &more);
    let removed = answer.header("x-envoy-auth-headers-to-remove").unwrap();
    for name in ["x-forwarded-uri", "x_forwarded_user", "x-edgeward-source"] {
        assert!(
            removed.split(',').any(|removed| removed == name),
            "{removed}"
        );
    }
}

#[test]
fn a_call_that_does_not_tell_all_of_a_request_once_is_denied() {
    let asked = open();
    let bearer = format!("Bearer {}", asked.token(&json!({})));
    for gateway in OTHERS {
        let complete = telling(gateway, "GET", "/a");
        for (name, _) in complete.iter().take(4) {
            let code = |headers: &[(&str, &str)]| {
                let mut headers = headers.to_vec();
                headers.push(("authorization", &bearer));
                let call = exchange(asked.pdp.connect(), "GET", gateway.path(), &headers, b"");
                (
                    call.status >= 400,
                    call.json()["code"].as_str().map(str::to_owned),
                )
            };
            let told = Some("ext-authz-not-told".to_owned());
            let without: Vec<_> = complete
                .iter()
                .filter(|(other, _)| other != name)
                .copied()
                .collect();
            assert_eq!(code(&without), (true, told.clone()), "{gateway:?} {name}");
            let mut twice = complete.clone();
            twice.push((name, "/a"));
            assert_eq!(code(&twice), (true, told), "{gateway:?} {name}");
        }
    }
}

#[test]
fn a_gateway_that_is_not_configured_has_no_door() {
    let asked = Asked::by(door(), "decision := true");
    for gateway in [Gateway::Envoy].into_iter().chain(OTHERS) {
        let answer = call(&asked, gateway, ("GET", "/a"), &[]);
        assert_eq!(answer.status, 404, "{gateway:?}");
    }
    let asked = open();
    for path in [
        "/ext-authz/envoyadmin",
        "/ext-authz/nginx/a",
        "/ext-authz/",
        "/ext-authz/apache",
    ] {
        let answer = exchange(asked.pdp.connect(), "GET", path, &[], b"");
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[test]
fn what_is_for_the_response_never_tells_the_upstream_something() {
    for name in ["x-edgeward-tier", "x_edgeward_role", "x-tier"] {
        let policy = POLICY.replace("cache-control", name);
        let mut door = door();
        door.token.forward = true;
        door.allowed_request_headers = vec!["x-tier".to_owned()];
        door.gateways = vec![Gateway::Envoy];
        let asked = Asked::by(door, &policy);
        let token = format!("Bearer {}", asked.token(&json!({})));
        let answer = call(
            &asked,
            Gateway::Envoy,
            ("GET", "/orders"),
            &[("authorization", &token)],
        );
        assert_eq!(answer.status, 403, "{name}");
        assert!(answer.header(SUBJECT).is_none(), "{name}");
    }
}

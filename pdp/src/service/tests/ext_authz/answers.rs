//! What the proxy is told to do, in the one form that each fault and each decision has.

use std::io::{Read as _, Write as _};

use envoy_types::ext_authz::v3::pb::{HeaderAppendAction, HeaderValueOption};

use super::*;
use crate::service::tests::harness::exchange;

const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";

#[test]
fn an_allow_names_its_decision_and_carries_every_obligation() {
    let asked = Asked::by(door(), POLICY);
    let response = asked.check(asked.get("/a"));
    let metadata = response.dynamic_metadata.clone().unwrap().fields;
    let ok = allowed(response);
    let id = header(&ok.headers, "x-edgeward-decision-id").unwrap();
    assert!(!id.is_empty());
    assert_eq!(header(&ok.headers, "x-edgeward-tier"), Some("gold"));
    assert_eq!(
        header(&ok.response_headers_to_add, "cache-control"),
        Some("no-store")
    );
    let overwrites = |option: &HeaderValueOption| {
        option.append_action() == HeaderAppendAction::OverwriteIfExistsOrAdd
    };
    assert!(
        ok.headers
            .iter()
            .chain(&ok.response_headers_to_add)
            .all(overwrites)
    );
    assert!(format!("{:?}", metadata["decision_id"]).contains(id));
}

#[test]
fn what_edgeward_may_set_never_survives_from_the_client_also_when_nothing_is_set() {
    let settings = ExtAuthzSettings {
        allowed_request_headers: vec!["x-tenant".to_owned()],
        ..door()
    };
    let asked = Asked::by(settings, "decision := true");
    let spoofed = [
        "x-edgeward-subject",
        "x_edgeward_subject",
        "x-edgeward_subject",
        "x-edgeward-tier",
        "x_edgeward-tier",
        "x-tenant",
        "x_tenant",
        "x_authorization",
        "x-forwarded-user",
        "x_forwarded_user",
        "proxy_authorization",
        "authorization_",
    ];
    let told = spoofed
        .iter()
        .fold(asked.get("/a"), |told, name| told.header(name, "spoofed"));
    let ok = allowed(asked.check(told));
    let survives = |name: &&str| {
        let set = header(&ok.headers, name).is_some_and(|value| value != "spoofed");
        let removed = ok.headers_to_remove.iter().any(|removed| removed == name);
        assert!(!(set && removed), "{name} is set, then removed");
        !set && !removed
    };
    let passed: Vec<&str> = spoofed.into_iter().filter(survives).collect();
    assert_eq!(passed, ["x_authorization", "authorization_"]);
}

#[test]
fn a_proxy_over_its_rate_gets_a_deny_and_no_error_that_could_be_let_pass() {
    let one = std::num::NonZeroU32::MIN;
    let settings = with(door());
    let limits = Limits {
        rate: Some(crate::service::Rate {
            per_second: one,
            burst: one,
        }),
        ..settings.limits
    };
    let settings = ServiceSettings { limits, ..settings };
    let pdp = Pdp::deciding_with("decision := true", settings);
    let signer = Signer::generate(Algorithm::Es256).unwrap();
    let asked = Asked { pdp, signer };
    assert_eq!(denied(asked.check(Told::get("/a"))).0, 401);
    let got = denied(asked.check(Told::get("/a")));
    assert_eq!(got, (503, "pdp-rate-limited".to_owned()));
}

#[test]
fn an_obligation_that_may_not_be_met_here_is_a_deny() {
    let policy =
        r#"decision := {"allow": true, "obligations": {"request_headers": {"x-tenant": "a"}}}"#;
    let asked = Asked::by(door(), policy);
    let got = denied(asked.check(asked.get("/a")));
    assert_eq!(got, (403, "obligation-not-allowed".to_owned()));
    let settings = ExtAuthzSettings {
        allowed_request_headers: vec!["x-tenant".to_owned()],
        ..door()
    };
    let asked = Asked::by(settings, policy);
    let ok = allowed(asked.check(asked.get("/a").header("x-tenant", "mine")));
    assert_eq!(header(&ok.headers, "x-tenant"), Some("a"));
    assert!(!ok.headers_to_remove.contains(&"x-tenant".to_owned()));
}

#[test]
fn a_deny_says_what_the_filter_s_says() {
    let asked = Asked::by(door(), POLICY);
    let (denied, body) = refused(asked.check(asked.get("/admin")));
    assert_eq!(denied.status.unwrap().code, 403);
    assert_eq!(body["type"], "urn:edgeward:problem:no-rule-matches");
    assert_eq!(body["reasons"], json!(["no-rule-matches"]));
    let id = header(&denied.headers, "x-edgeward-decision-id").unwrap();
    assert_eq!(body["decision_id"], id);
    assert_eq!(
        header(&denied.headers, "content-type"),
        Some("application/problem+json")
    );
    assert_eq!(header(&denied.headers, "cache-control"), Some("no-store"));

    let (denied, _) = refused(asked.check(Told::get("/a")));
    let challenge = header(&denied.headers, "www-authenticate");
    assert_eq!(challenge, Some(r#"Bearer realm="edgeward""#));
    let (denied, _) = refused(asked.check(Told::get("/a").bearer("x")));
    let challenge = header(&denied.headers, "www-authenticate").unwrap();
    assert!(
        challenge.contains(r#"error_description="token-not-compact""#),
        "{challenge}"
    );
}

#[test]
fn a_grpc_caller_is_denied_in_its_own_way() {
    let asked = Asked::by(door(), POLICY);
    let grpc = |told: Told| told.header("content-type", "application/grpc+proto");
    for (told, status, code) in [
        (asked.get("/admin"), "7", "no-rule-matches"),
        (asked.get("/a//b"), "3", "request-path-empty-segment"),
        (Told::get("/a"), "16", "identity-missing"),
    ] {
        let (denied, _) = refused(asked.check(grpc(told)));
        assert_eq!(header(&denied.headers, "grpc-status"), Some(status));
        assert_eq!(header(&denied.headers, "content-type"), None);
        assert!(
            denied.body.starts_with(&format!("{code} (decision ")),
            "{}",
            denied.body
        );
    }
}

#[test]
fn a_call_that_cannot_be_read_is_a_deny_and_no_error() {
    let asked = Asked::by(door(), "decision := true");
    let call = |bytes: &[u8]| {
        let headers = [("content-type", "application/grpc"), ("te", "trailers")];
        let answer = exchange(asked.pdp.connect(), "POST", PATH, &headers, bytes);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    };
    let message = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0][..], &length, bytes].concat()
    };
    // A path that is not UTF-8: attributes.request.http.path, by hand.
    let not_utf8 = [0x0a, 7, 0x22, 5, 0x12, 3, 0x22, 1, 0xff];
    for bytes in [
        Vec::new(),
        b"\0\0\0\0\x09x".to_vec(),
        b"\x01\0\0\0\x01x".to_vec(),
        message(b"\xff\xff"),
        message(&not_utf8),
    ] {
        assert!(
            call(&bytes).contains("ext-authz-call-unreadable"),
            "{bytes:?}"
        );
    }
    assert!(call(&message(b"")).contains("ext-authz-not-http"));
    let large = message(&vec![0; 70 * 1024]);
    assert!(call(&large).contains("ext-authz-call-incomplete"));
    let plain = exchange(asked.pdp.connect(), "POST", PATH, &[], b"");
    assert_eq!(plain.status, 400);
}

#[test]
fn without_its_section_there_is_no_such_door() {
    let pdp = Pdp::deciding("decision := true");
    let headers = [("content-type", "application/grpc")];
    let answer = exchange(pdp.connect(), "POST", PATH, &headers, b"\0\0\0\0\0");
    assert_eq!(answer.status, 404);
}

#[test]
fn a_call_that_stalls_is_ended_with_a_deny() {
    let impatient = ServiceSettings {
        ext_authz: Some(door()),
        ..settings()
    };
    let pdp = Pdp::deciding_with("decision := true", impatient);
    let mut stream = pdp.connect();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc\r\n\
         connection: close\r\ncontent-length: 100\r\n\r\n\0\0\0\0"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("ext-authz-call-incomplete"), "{answer}");
}

#[test]
fn refusals_and_decisions_are_counted_by_their_cause() {
    let asked = Asked::by(door(), POLICY);
    let count = |cause: &str| {
        let metrics = asked.pdp.get("/metrics").body;
        let series = format!("edgeward_decisions_total{{decision=\"deny\",cause=\"{cause}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&series));
        line.unwrap_or_else(|| panic!("{metrics}"))
            .parse::<u64>()
            .unwrap()
    };
    for (cause, told) in [
        ("request", asked.get("//")),
        ("identity", Told::get("/a")),
        ("unavailable", asked.get("/a").joined()),
        ("policy", asked.get("/admin")),
    ] {
        let before = count(cause);
        asked.check(told);
        assert_eq!(count(cause), before + 1, "{cause}");
    }
}

#[test]
fn a_question_has_one_decision_whatever_the_door() {
    let asked = Asked::by(door(), POLICY);
    let question = json!({
        "subject": {"type": "workload", "id": WHO, "properties": {"issuer": ISSUER}},
        "action": {"name": "GET"},
        "resource": {"type": "http", "id": "shop.example", "properties": {
            "host": "shop.example", "path": "/one", "segments": ["one"], "query": {},
            "headers": {"x-role": ["fine"]},
        }},
        "context": {"source": {"address": "10.1.2.3"}},
    });
    let first = asked.pdp.ask(&question.to_string()).json();
    let first = first["context"]["id"].as_str().unwrap();
    let ok = allowed(asked.check(asked.get("/one").header("x-role", "fine")));
    let id = header(&ok.headers, "x-edgeward-decision-id").unwrap();
    assert!(
        id.starts_with("cached-") && id.ends_with(first),
        "{id} {first}"
    );
}

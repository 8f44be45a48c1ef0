//! Whole requests through the state machine, without a host; what only Envoy can show is in `tests/tests/e2e/`.

use std::time::Duration;

use ed25519_dalek::{Signer, SigningKey};
use edgeward_core::jose::encode_base64url;
use edgeward_core::time::UnixSeconds;
use proptest::prelude::*;

use super::*;
use crate::config::Config;
use crate::identify::Field;
use crate::signature::{FilterCheck, VerifySignature};
use crate::step::PdpFailure;

#[path = "exchange_cache_tests.rs"]
mod cache;
#[path = "exchange_revocation_tests.rs"]
mod revocation;
#[path = "exchange_rotation_tests.rs"]
mod rotation;
#[path = "exchange_stale_tests.rs"]
mod stale;

const NOW: u64 = 1_800_000_000;
const AT: UnixSeconds = UnixSeconds(NOW);
const CONFIG: &str = r#"{"pdp":{"cluster":"pdp"},"allowed_request_headers":["x-tier"],"routes":[
    {"path_prefix":"/off","mode":"off"}, {"path_prefix":"/id","mode":"identity"}, {"path_prefix":"/public","anonymous":true},
    {"path_prefix":"/posture","posture":{"pdp_unavailable":"identity"}}, {"path_prefix":"/stale","posture":{"pdp_unavailable":{"serve_stale":"30s"}}}]}"#;

/// A host whose function verifies nothing: these tests use Ed25519, which the module does itself.
struct NoHost;

impl VerifySignature for NoHost {
    fn verify_signature(&self, _: &[u8]) -> bool {
        false
    }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn token(expires_at: u64) -> String {
    let header = encode_base64url(br#"{"alg":"EdDSA","kid":"k","typ":"JWT"}"#);
    let claims = format!(r#"{{"iss":"https://i","sub":"w","aud":"edge","exp":{expires_at}}}"#);
    let signed = format!("{header}.{}", encode_base64url(claims.as_bytes()));
    let signature = key().sign(signed.as_bytes()).to_bytes();
    format!("{signed}.{}", encode_base64url(&signature))
}

fn synced() -> Worker {
    let mut worker = Worker::new(Config::parse(CONFIG.as_bytes()).unwrap());
    let x = encode_base64url(key().verifying_key().as_bytes());
    let feed = format!(
        r#"{{"version":1,"cursor":"c","lease":"lease","policy_revision":"p","trust_domains":[],
        "issuers":[{{"issuer":"https://i","keys":{{"keys":[
            {{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"}}]}},
          "rules":{{"audiences":["edge"],"algorithms":["EdDSA"],"types":["jwt"],"leeway":0,
            "max_lifetime":3600}}}}]}}"#
    );
    worker.synced.answered("200", feed.as_bytes()).unwrap();
    worker
}

fn request(path: &str, more: &[(&str, &str)]) -> Vec<Field> {
    let pseudo = [
        (":method", "GET"),
        (":authority", "shop.example"),
        (":path", path),
    ];
    let fields = pseudo.iter().chain(more);
    fields
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect()
}

fn facts() -> Facts<'static> {
    Facts {
        now: AT,
        source: &|| "192.0.2.7".parse().ok(),
        tls: None,
    }
}

/// Takes a request as far as it goes without the PDP.
fn begin(worker: &mut Worker, fields: Vec<Field>) -> (Exchange, Step) {
    let mut exchange = Exchange::default();
    let step = match exchange.receive(worker, fields) {
        Step::Gather { .. } => exchange.identify(worker, &facts(), &FilterCheck(NoHost)),
        step => step,
    };
    (exchange, step)
}

fn bearer(expires_at: u64) -> String {
    format!("Bearer {}", token(expires_at))
}

fn set<'c>(changes: &'c Changes, name: &str) -> Option<&'c str> {
    let found = changes.set.iter().find(|(set, _)| set == name);
    found.map(|(_, value)| value.as_str())
}

fn refusal(step: &Step) -> (u32, &str) {
    match step {
        Step::Reply(reply) => (reply.refusal.status(), &reply.code),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn an_allowed_request_names_its_decision_and_its_workload_and_nothing_the_client_said_of_them() {
    let mut worker = synced();
    let spoofed = [
        ("authorization", bearer(NOW + 60)),
        ("x-edgeward-subject", "admin".to_owned()),
        ("X_Edgeward_Decision_Id", "mine".to_owned()),
        ("x-tier", "gold".to_owned()),
    ];
    let fields = request(
        "/orders?b=2&a=1",
        &spoofed.each_ref().map(|(n, v)| (*n, v.as_str())),
    );
    let (mut exchange, step) = begin(&mut worker, fields);
    let Step::Ask(question) = step else {
        panic!("not asked: {step:?}")
    };
    let question: serde_json::Value = serde_json::from_slice(&question.body).unwrap();
    assert_eq!(question["subject"]["id"], "https://i|w");
    assert_eq!(question["resource"]["properties"]["query"]["a"][0], "1");
    assert_eq!(
        question["resource"]["properties"]["headers"],
        serde_json::json!({})
    );
    assert_eq!(question["context"]["source"]["address"], "192.0.2.7");

    let answer = br#"{"decision":true,"context":{"id":"d-1","obligations":
        {"request_headers":{"x-tier":"iron"},"response_headers":{"x-seen":"1"}}}}"#;
    let Step::Forward(changes) = exchange.answered(&mut worker, AT, "200", answer) else {
        panic!("not forwarded")
    };
    assert_eq!(set(&changes, DECISION_ID), Some("d-1"));
    assert_eq!(set(&changes, SUBJECT), Some("https://i|w"));
    assert_eq!(set(&changes, "x-tier"), Some("iron"));
    assert_eq!(changes.on_response, [("x-seen".to_owned(), "1".to_owned())]);
    for name in [
        "authorization",
        "x-edgeward-subject",
        "X_Edgeward_Decision_Id",
        "x-tier",
    ] {
        assert!(
            changes.remove.iter().any(|removed| removed == name),
            "{name}"
        );
    }
}

#[test]
fn what_has_no_credential_or_a_bad_one_is_refused_also_where_anonymous_is_allowed() {
    let (expired, good) = (bearer(NOW), bearer(NOW + 60));
    let forged = format!("{}AA", good.trim_end_matches(|c| c != '.'));
    let twice = [
        ("authorization", good.as_str()),
        ("authorization", good.as_str()),
    ];
    for (path, headers, want) in [
        ("/a", &[][..], (401, "identity-missing")),
        (
            "/a",
            &[("authorization", "Basic eDp5")],
            (401, "token-scheme-unsupported"),
        ),
        (
            "/public",
            &[("authorization", expired.as_str())],
            (401, "token-expired"),
        ),
        (
            "/public",
            &[("authorization", forged.as_str())],
            (401, "token-signature-invalid"),
        ),
        (
            "/public",
            &[("authorization", "Bearer ")],
            (401, "token-not-compact"),
        ),
        ("/id", &twice, (401, "token-ambiguous")),
        ("/id/..", &[], (400, "request-path-dot-segment")),
    ] {
        let mut worker = synced();
        let (_, step) = begin(&mut worker, request(path, headers));
        assert_eq!(refusal(&step), want, "{path} {headers:?}");
    }
    let (_, step) = begin(&mut synced(), request("/public", &[]));
    assert!(matches!(step, Step::Ask(_)), "{step:?}");
}

#[test]
fn a_route_without_a_decision_still_strips_and_an_identity_route_still_verifies() {
    let mut worker = synced();
    let (_, step) = begin(&mut worker, request("/off", &[("x-edgeward-subject", "x")]));
    let Step::Forward(changes) = step else {
        panic!("{step:?}")
    };
    assert_eq!(changes.remove, ["x-edgeward-subject"]);
    let token = bearer(NOW + 60);
    let (_, step) = begin(&mut worker, request("/id", &[("authorization", &token)]));
    let Step::Forward(changes) = step else {
        panic!("{step:?}")
    };
    assert!(
        set(&changes, DECISION_ID)
            .unwrap()
            .starts_with("identity-lease-")
    );
}

#[test]
fn nobody_passes_before_the_first_feed_or_on_a_stale_one() {
    let token = bearer(NOW + 60);
    let mut unsynced = Worker::new(Config::parse(CONFIG.as_bytes()).unwrap());
    let (_, step) = begin(&mut unsynced, request("/id", &[("authorization", &token)]));
    assert_eq!(refusal(&step), (503, "not-ready"));
    let mut stale = synced();
    stale.synced.tick(Duration::from_secs(31));
    let (_, step) = begin(&mut stale, request("/id", &[("authorization", &token)]));
    assert_eq!(refusal(&step), (503, "feed-stale"));
}

#[test]
fn a_pdp_that_gives_no_decision_lets_nobody_pass_but_by_an_explicit_posture() {
    let token = bearer(NOW + 60);
    for (path, status, body, want) in [
        ("/a", "503", "", Some((503, "pdp-unavailable"))),
        ("/a", "429", "", Some((503, "pdp-unavailable"))),
        ("/a", "504", "", Some((503, "pdp-timeout"))),
        ("/a", "", "", Some((503, "pdp-unavailable"))),
        ("/a", "200", "", Some((503, "pdp-answer-invalid"))),
        (
            "/a",
            "201",
            r#"{"decision":true}"#,
            Some((503, "pdp-answer-invalid")),
        ),
        ("/a", "200", "[true]", Some((503, "pdp-answer-invalid"))),
        ("/a", "200", r#"{"decision":false}"#, Some((403, "denied"))),
        (
            "/a",
            "200",
            r#"{"decision":true,"context":{"obligations":{"request_headers":{"x-other":"1"}}}}"#,
            Some((403, "obligation-not-allowed")),
        ),
        ("/posture", "503", "", None),
        ("/posture", "504", "", Some((503, "pdp-timeout"))),
        ("/posture", "200", "x", Some((503, "pdp-answer-invalid"))),
    ] {
        let mut worker = synced();
        let (mut exchange, _) = begin(&mut worker, request(path, &[("authorization", &token)]));
        let step = exchange.answered(&mut worker, AT, status, body.as_bytes());
        if let Some(want) = want {
            assert_eq!(refusal(&step), want, "{path} {status} {body}");
            continue;
        }
        let Step::Forward(changes) = step else {
            panic!("{path} {status}: {step:?}")
        };
        assert!(set(&changes, DECISION_ID).unwrap().starts_with("posture-"));
    }
}

proptest! {
    /// INVARIANT under random events in random order: forwarded only after a well-formed allow.
    #[test]
    fn no_order_of_events_forwards_a_decided_route_without_an_allow(
        events in proptest::collection::vec(0..6_u8, 1..8), with_token: bool
    ) {
        let mut worker = synced();
        let token = bearer(NOW + 60);
        let headers = [("authorization", token.as_str())];
        let fields = request("/a", if with_token { &headers } else { &[] });
        let mut exchange = Exchange::default();
        for event in events {
            let allow = event == 3;
            let step = match event {
                0 => exchange.receive(&mut worker, fields.clone()),
                1 => exchange.identify(&mut worker, &facts(), &FilterCheck(NoHost)),
                2 => exchange.answered(&mut worker, AT, "200", br#"{"decision":false}"#),
                3 => exchange.answered(&mut worker, AT, "200", br#"{"decision":true}"#),
                4 => exchange.answered(&mut worker, AT, "500", br#"{"decision":true}"#),
                _ => exchange.failed(&mut worker, AT, PdpFailure::Timeout),
            };
            if matches!(step, Step::Forward(_)) {
                prop_assert!(allow && with_token);
            }
        }
    }
}

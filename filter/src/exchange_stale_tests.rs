//! The posture `serve_stale`: what of a decision is reused beyond its time, for how long, and what
//! ends it all the same.

use edgeward_core::revocation::{Order, Revocations};
use serde_json::{Value, json};

use super::*;
use crate::feed::TICK;
use crate::step::Door;

/// A feed with this program, in which these are revoked.
fn feed(program: &str, orders: &[Value]) -> String {
    let orders: Vec<Order> = orders
        .iter()
        .map(|order| Order::parse(order.to_string().as_bytes()).unwrap())
        .collect();
    let revoked = Revocations::of(orders.iter().map(|order| &order.revoked));
    let x = encode_base64url(key().verifying_key().as_bytes());
    let feed = json!({
        "version": 1, "cursor": "c", "lease": "lease", "policy_revision": "p", "trust_domains": [],
        "revocations": revoked, "caching": { "program": program, "vary": { "subject": true } },
        "issuers": [{
            "issuer": "https://i",
            "keys": { "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x }] },
            "rules": { "audiences": ["edge"], "algorithms": ["EdDSA"], "types": ["jwt"],
                "leeway": 0, "max_lifetime": 3600 },
        }],
    });
    feed.to_string()
}

fn tell(worker: &mut Worker, program: &str, orders: &[Value]) {
    let feed = feed(program, orders);
    worker.take_feed("200", feed.as_bytes()).unwrap();
}

/// Sends a request of one caller at `now`; its question is answered with `status` and `body`.
fn send(worker: &mut Worker, now: u64, path: &str, (status, body): (&str, &str)) -> Step {
    let token = bearer(NOW + 3000);
    let mut exchange = Exchange::default();
    let facts = Facts {
        now: UnixSeconds(now),
        ..facts()
    };
    exchange.receive(worker, request(path, &[("authorization", &token)]));
    let mut step = exchange.identify(worker, &facts, &FilterCheck(NoHost));
    if matches!(&step, Step::Ask(ask) if ask.door == Door::Decide) {
        // A PDP that knows the whole question only.
        exchange.answered(worker, UnixSeconds(now), "404", b"");
        step = exchange.identify(worker, &facts, &FilterCheck(NoHost));
    }
    match step {
        Step::Ask(_) => exchange.answered(worker, UnixSeconds(now), status, body.as_bytes()),
        step => step,
    }
}

/// An answer that holds for five seconds.
fn answer(allow: bool) -> String {
    let premises = json!({ "program": "one", "now": NOW, "until": NOW + 5 });
    json!({ "decision": allow, "context": { "id": "d-1", "reasons": ["why"], "premises": premises } })
        .to_string()
}

const DOWN: (&str, &str) = ("503", "");
const REFUSED: (u32, &str) = (503, "pdp-unavailable");

/// A worker that remembers an answer, made just now.
fn remembering(allow: bool) -> Worker {
    let mut worker = synced();
    tell(&mut worker, "one", &[]);
    let made = send(&mut worker, NOW, "/a", ("200", &answer(allow)));
    assert_eq!(matches!(made, Step::Forward(_)), allow);
    worker
}

#[test]
fn an_allow_or_deny_is_reused_beyond_its_time_only_for_so_long_on_such_a_route_for_such_a_cause() {
    let mut worker = remembering(true);
    for (now, path, answer, stale) in [
        (NOW + 5, "/stale", DOWN, true),
        (NOW + 34, "/stale", DOWN, true),
        (NOW + 34, "/stale", ("", ""), true),
        (NOW + 35, "/stale", DOWN, false),
        (NOW + 5, "/a", DOWN, false),
        (NOW + 5, "/stale", ("504", ""), false),
        (NOW + 5, "/stale", ("200", "{}"), false),
        (NOW + 5, "/stale", ("500", ""), false),
    ] {
        let step = send(&mut worker, now, path, answer);
        let Step::Forward(changes) = &step else {
            assert!(!stale, "{now} {path} {answer:?}: {step:?}");
            assert_eq!(refusal(&step).0, 503);
            continue;
        };
        let id = set(changes, DECISION_ID).unwrap();
        assert!(
            id.starts_with("stale-lease-") && id.ends_with(".d-1"),
            "{id}"
        );
        assert!(stale, "{now} {path} {answer:?}");
    }
    let mut denied = remembering(false);
    let step = send(&mut denied, NOW + 6, "/stale", DOWN);
    assert_eq!(refusal(&step), (403, "why"));
    assert_eq!(refusal(&send(&mut synced(), NOW, "/stale", DOWN)), REFUSED);
}

#[test]
fn another_program_a_revocation_or_a_cut_feed_ends_it_all_the_same() {
    let later = NOW + 6;
    let mut other = remembering(true);
    tell(&mut other, "two", &[]);
    assert_eq!(refusal(&send(&mut other, later, "/stale", DOWN)), REFUSED);

    let mut revoked = remembering(true);
    tell(
        &mut revoked,
        "one",
        &[json!({ "kind": "subject", "subject": "https://i|w" })],
    );
    let step = send(&mut revoked, later, "/stale", DOWN);
    assert_eq!(refusal(&step), (401, "subject-revoked"));
    tell(
        &mut revoked,
        "one",
        &[json!({ "kind": "policy", "revision": "p" })],
    );
    let step = send(&mut revoked, later, "/stale", DOWN);
    assert_eq!(refusal(&step), (403, "policy-revoked"));

    let mut cut = remembering(true);
    let ticks = |worker: &mut Worker, number: u32| {
        for _ in 0..number {
            worker.synced.tick(TICK);
        }
    };
    ticks(&mut cut, 300);
    let step = send(&mut cut, later, "/stale", DOWN);
    assert!(matches!(step, Step::Forward(_)), "{step:?}");
    ticks(&mut cut, 1);
    assert_eq!(
        refusal(&send(&mut cut, later, "/stale", DOWN)),
        (503, "feed-stale")
    );
}

#[test]
fn what_is_revoked_while_the_pdp_is_asked_is_not_reused() {
    let mut worker = remembering(true);
    let token = bearer(NOW + 3000);
    let mut exchange = Exchange::default();
    exchange.receive(&mut worker, request("/stale", &[("authorization", &token)]));
    let facts = Facts {
        now: UnixSeconds(NOW + 6),
        ..facts()
    };
    let step = exchange.identify(&mut worker, &facts, &FilterCheck(NoHost));
    assert!(matches!(step, Step::Ask(_)), "{step:?}");
    tell(
        &mut worker,
        "one",
        &[json!({ "kind": "subject", "subject": "https://i|w" })],
    );
    let step = exchange.failed(&mut worker, UnixSeconds(NOW + 6), PdpFailure::Unavailable);
    assert_eq!(refusal(&step), REFUSED);
}

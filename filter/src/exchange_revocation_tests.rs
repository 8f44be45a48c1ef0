//! Something is revoked while requests come in: remembered tokens and certificates, on any route.

use edgeward_core::peer::TlsFacts;
use edgeward_core::revocation::{Order, Revocations};
use serde_json::{Value, json};

use super::*;

/// A feed as [`synced`] has it, in which these are revoked.
fn feed(cursor: u32, orders: &[Value]) -> Value {
    let orders: Vec<Order> = orders
        .iter()
        .map(|order| Order::parse(order.to_string().as_bytes()).unwrap())
        .collect();
    let revoked = Revocations::of(orders.iter().map(|order| &order.revoked));
    let x = encode_base64url(key().verifying_key().as_bytes());
    json!({
        "version": 1, "cursor": cursor.to_string(), "lease": "lease", "policy_revision": "p",
        "trust_domains": [], "revocations": revoked,
        "issuers": [{
            "issuer": "https://i",
            "keys": { "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x }] },
            "rules": { "audiences": ["edge"], "algorithms": ["EdDSA"], "types": ["jwt"],
                "leeway": 0, "max_lifetime": 3600 },
        }],
    })
}

fn tell(worker: &mut Worker, feed: &Value) {
    worker
        .synced
        .answered("200", feed.to_string().as_bytes())
        .unwrap();
}

/// A token with all names by which it can be revoked.
fn named_token() -> String {
    let header = json!({ "alg": "EdDSA", "kid": "k", "typ": "JWT" });
    let claims = json!({ "iss": "https://i", "sub": "w", "aud": "edge", "exp": NOW + 60,
        "jti": "j", "sid": "s" });
    let [header, claims] =
        [header, claims].map(|part| encode_base64url(part.to_string().as_bytes()));
    let signed = format!("{header}.{claims}");
    let signature = encode_base64url(&key().sign(signed.as_bytes()).to_bytes());
    format!("{signed}.{signature}")
}

fn digest(text: &str) -> String {
    use edgeward_core::revocation::{digest_of_token, hex};
    hex(&digest_of_token(text))
}

#[test]
fn a_token_is_refused_from_the_feed_that_revokes_it_until_the_feed_that_does_not() {
    let token = named_token();
    let bearer = format!("Bearer {token}");
    let send =
        |worker: &mut Worker| begin(worker, request("/public", &[("authorization", &bearer)])).1;
    for (order, code) in [
        (
            json!({ "kind": "token", "issuer": "https://i", "jti": "j" }),
            "token-revoked",
        ),
        (
            json!({ "kind": "token", "sha256": digest(&token) }),
            "token-revoked",
        ),
        (
            json!({ "kind": "session", "issuer": "https://i", "sid": "s" }),
            "session-revoked",
        ),
        (
            json!({ "kind": "subject", "subject": "https://i|w" }),
            "subject-revoked",
        ),
        (
            json!({ "kind": "key", "issuer": "https://i", "kid": "k" }),
            "key-revoked",
        ),
        (
            json!({ "kind": "issuer", "issuer": "https://i" }),
            "issuer-revoked",
        ),
    ] {
        let other = json!({ "kind": "issuer", "issuer": "https://other" });
        let mut fresh = synced();
        let mut warm = synced();
        assert!(matches!(send(&mut warm), Step::Ask(_)));
        tell(&mut warm, &feed(1, std::slice::from_ref(&other)));
        assert!(matches!(send(&mut warm), Step::Ask(_)), "{other}");
        for worker in [&mut fresh, &mut warm] {
            tell(worker, &feed(2, &[order.clone(), other.clone()]));
            for _ in 0..2 {
                let step = send(worker);
                assert_eq!(refusal(&step), (401, code), "{order}");
            }
            tell(worker, &feed(3, &[]));
            assert!(matches!(send(worker), Step::Ask(_)), "{order}");
        }
        assert_eq!(
            warm.tally
                .drain()
                .filter(|(counter, _)| *counter == Counter::TokenVerified as usize)
                .map(|(_, number)| number)
                .sum::<u32>(),
            1,
            "{order}: it is verified once"
        );
    }
}

#[test]
fn a_workload_known_by_its_certificate_is_refused_by_certificate_id_or_trust_domain() {
    let send = |worker: &mut Worker, path: &str| {
        let tls = TlsFacts {
            certificate_digest: [0x11; 32],
            first_uri: Some("spiffe://d/w".to_owned()),
        };
        let xfcc = format!("Hash={};URI=spiffe://d/w", "11".repeat(32));
        let mut exchange = Exchange::default();
        let fields = request(path, &[("x-forwarded-client-cert", &xfcc)]);
        assert!(matches!(
            exchange.receive(worker, fields),
            Step::Gather { .. }
        ));
        let facts = Facts {
            tls: Some(tls),
            ..facts()
        };
        exchange.identify(worker, &facts, &FilterCheck(NoHost))
    };
    for (order, code) in [
        (
            json!({ "kind": "certificate", "sha256": "11".repeat(32) }),
            "certificate-revoked",
        ),
        (
            json!({ "kind": "subject", "subject": "spiffe://d/w" }),
            "subject-revoked",
        ),
        (
            json!({ "kind": "trust-domain", "trust_domain": "d" }),
            "trust-domain-revoked",
        ),
    ] {
        let mut worker = synced();
        assert!(matches!(send(&mut worker, "/orders"), Step::Ask(_)));
        tell(&mut worker, &feed(1, std::slice::from_ref(&order)));
        for path in ["/orders", "/public", "/id"] {
            assert_eq!(
                refusal(&send(&mut worker, path)),
                (401, code),
                "{order} {path}"
            );
        }
        tell(&mut worker, &feed(2, &[]));
        assert!(matches!(send(&mut worker, "/orders"), Step::Ask(_)));
    }
}

#[test]
fn nothing_is_decided_by_a_revoked_policy_until_another_is_in_force() {
    let mut worker = synced();
    let fields = || request("/orders", &[("authorization", &bearer(NOW + 60))]);
    let policy = [json!({ "kind": "policy", "revision": "p" })];
    tell(&mut worker, &feed(1, &policy));
    assert_eq!(
        refusal(&begin(&mut worker, fields()).1),
        (403, "policy-revoked")
    );
    let mut counts = worker.tally.drain();
    assert!(counts.any(|counted| counted == (Counter::CacheMissRevoked as usize, 1)));
    drop(counts);
    let mut next = feed(2, &policy);
    next["policy_revision"] = "q".into();
    tell(&mut worker, &next);
    assert!(matches!(begin(&mut worker, fields()).1, Step::Ask(_)));
}

#[test]
fn a_feed_with_a_kind_of_revocation_that_is_not_known_here_is_not_adopted() {
    let mut worker = synced();
    let mut unknown = feed(1, &[]);
    unknown["revocations"] = json!(["tenant t"]);
    let refused = worker
        .synced
        .answered("200", unknown.to_string().as_bytes());
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("revocations: must only hold kinds")
    );
}

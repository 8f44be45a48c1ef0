//! Issue 5: X.509-SVIDs as evidence. A workload of another trust domain gets in by the certificate of its own TLS
//! session, by the bundle of that trust domain and of no other, also when that rolls over.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward_tests::ca::{Authority, Leaf};
use edgeward_tests::issuer::Issuer;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::Request;
use edgeward_tests::reply::Reply;
use edgeward_tests::trust::Trust;
use serde_json::{Value, json};

const FEED: &str = "spiffe://mesh.demo/feed";

/// The SPIFFE bundle of these authorities.
fn bundle(sequence: u64, authorities: &[&Authority]) -> Value {
    let keys = authorities.iter().map(|authority| {
        let certificate = STANDARD.encode(authority.der());
        json!({ "kty": "EC", "use": "x509-svid", "x5c": [certificate] })
    });
    json!({ "spiffe_sequence": sequence, "keys": keys.collect::<Vec<_>>() })
}

fn provider(name: &str, trust_domain: &str, bundles: &Issuer) -> Value {
    json!({ "name": name, "spiffe": {
        "name": trust_domain, "audiences": ["https://edgeward.demo"],
        "bundle": { "https_web": { "url": bundles.url() } },
        "fetch": { "ca_file": bundles.ca_file(), "refresh": "1s" },
    } })
}

fn stage(mesh: &Issuer, other: &Issuer) -> Trust {
    let workload = |path: &str, provider: &str, id: &str, bound: bool| {
        json!({
            "name": path.replace('/', "-"), "spiffe_id": format!("spiffe://prod.demo/{path}"), "provider": provider,
            "selectors": { "spiffe_id": id }, "audiences": ["stock"], "certificate_bound": bound,
        })
    };
    Trust::of(&json!({
        "trust_providers": [
            provider("mesh", "mesh.demo", mesh), provider("other", "other.demo", other),
        ],
        "client_workloads": [
            workload("partner/feed", "mesh", FEED, false),
            workload("partner/bound", "mesh", "spiffe://mesh.demo/bound", true),
            workload("other/feed", "other", "spiffe://other.demo/feed", false),
        ],
    }))
}

fn ask(trust: &Trust, svid: Option<&Leaf>) -> Reply {
    let request = Request::new("POST", "/edgeward/v1/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("connection", "close")
        .body("grant_type=client_credentials&audience=stock");
    trust.send_by_svid(svid, &request)
}

#[test]
fn a_workload_of_another_trust_domain_gets_in_by_the_certificate_of_its_session() {
    let (mesh, other) = (Authority::new("mesh.demo"), Authority::new("other.demo"));
    let bundles = Issuer::start(bundle(1, &[&mesh]));
    let trust = stage(&bundles, &Issuer::start(bundle(1, &[&other])));
    let feed = mesh.issue(&[FEED]);
    let is_known = || (ask(&trust, Some(&feed)).status == 200).then_some(());
    assert!(
        wait_for(Duration::from_secs(10), is_known).is_some(),
        "{}",
        trust.pdp.log()
    );
    let reply = ask(&trust, Some(&feed));
    let token = reply.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_eq!(
        trust.call("/stock", &token, None).status,
        200,
        "{}",
        trust.pdp.log()
    );
    // Bound to that very certificate, where it is to be.
    let bound = mesh.issue(&["spiffe://mesh.demo/bound"]);
    let reply = ask(&trust, Some(&bound)).json();
    let claims = reply["access_token"]
        .as_str()
        .and_then(|token| token.split('.').nth(1))
        .expect("a token");
    let claims = edgeward_core::jose::decode_base64url(claims).expect("base64url");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    assert_eq!(claims["cnf"]["x5t#S256"], bound.x5t_s256());

    // Known, and nobody that is configured.
    let stranger = ask(&trust, Some(&mesh.issue(&["spiffe://mesh.demo/stranger"])));
    assert_eq!(
        (stranger.status, &stranger.json()["code"]),
        (400, &json!("client-workload-unknown"))
    );
    // Who is not vouched for has no session at all.
    for (title, nobody) in [
        (
            "of the other domain, by this one's authority",
            mesh.issue(&["spiffe://other.demo/feed"]),
        ),
        (
            "of this domain, by the other one's authority",
            other.issue(&[FEED]),
        ),
        (
            "of our own domain, by this one's authority",
            mesh.issue(&["spiffe://prod.demo/shop/cart"]),
        ),
        ("two names", mesh.issue(&[FEED, "spiffe://mesh.demo/other"])),
        ("no workload", mesh.issue(&["spiffe://mesh.demo"])),
        ("no name", mesh.issue(&[])),
        (
            "another kind of name",
            mesh.issue(&["https://mesh.demo/feed"]),
        ),
    ] {
        assert_eq!(ask(&trust, Some(&nobody)).status, 0, "{title}");
    }
    assert_eq!(ask(&trust, None).status, 0);
    // And who has one finds the token service there, and nothing else.
    for path in [
        "/edgeward/v1/sync",
        "/edgeward/v1/revocations",
        "/metrics",
        "/health/live",
    ] {
        let request = Request::get(path).header("connection", "close");
        assert_eq!(
            trust.send_by_svid(Some(&feed), &request).status,
            404,
            "{path}"
        );
    }
}

#[test]
fn authorities_of_a_trust_domain_roll_over_without_a_restart() {
    let (old, new) = (Authority::new("mesh.demo"), Authority::new("mesh.demo"));
    let bundles = Issuer::start(bundle(1, &[&old]));
    let trust = stage(&bundles, &Issuer::start(bundle(1, &[])));
    let (by_old, by_new) = (old.issue(&[FEED]), new.issue(&[FEED]));
    let within = |svid: &Leaf, status: u16| {
        let reached = wait_for(Duration::from_secs(15), || {
            (ask(&trust, Some(svid)).status == status).then_some(())
        });
        assert!(reached.is_some(), "not {status}:\n{}", trust.pdp.log());
    };
    within(&by_old, 200);
    assert_eq!(ask(&trust, Some(&by_new)).status, 0);
    bundles.publish(bundle(2, &[&old, &new]));
    within(&by_new, 200);
    assert_eq!(ask(&trust, Some(&by_old)).status, 200);
    bundles.publish(bundle(3, &[&new]));
    within(&by_old, 0);
    assert_eq!(ask(&trust, Some(&by_new)).status, 200);
}

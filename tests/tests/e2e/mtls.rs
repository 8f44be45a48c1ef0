//! Promise 3 on connections with client certificates: exactly one SPIFFE ID, of a known trust
//! domain, proven by Envoy's own TLS; a token may add to it and may be bound to it.

use std::sync::LazyLock;

use edgeward_tests::ca::Leaf;
use edgeward_tests::envoy::tail;
use edgeward_tests::keys::{BATCH, FRONTEND, svid_claims};
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::{self, Request};
use edgeward_tests::reply::Reply;
use edgeward_tests::stage::Stage;
use serde_json::json;
use tempfile::TempDir;

use crate::{assert_refused, with_routes};

/// The setup with certificates, where a caller may also come without one: the filter is on its
/// own then, for Envoy checks the chain and no name in it.
fn stage() -> &'static Stage {
    static STAGE: LazyLock<(Stage, TempDir)> = LazyLock::new(|| {
        let (stage, folder) = Stage::mtls(|setup| {
            with_routes(setup).tls(|tls| {
                tls["require_client_certificate"] = json!(false);
                let context = &mut tls["common_tls_context"]["validation_context"];
                let bundle = context["custom_validator_config"]["typed_config"]["trust_domains"][0]
                    ["trust_bundle"]
                    .take();
                *context = json!({ "trusted_ca": bundle });
            })
        });
        let ready = wait_for(std::time::Duration::from_secs(20), || {
            let ready = |_| {
                send(&stage, None, &Request::get("/is-it-ready"))
                    .is_ok_and(|reply| reply.status == 401)
            };
            (0..16).all(ready).then_some(())
        });
        let last = send(&stage, None, &Request::get("/is-it-ready"));
        assert!(
            ready.is_some(),
            "the filter did not become ready: {last:?}\n{}",
            tail(&stage.envoy.log())
        );
        (stage, folder)
    });
    &STAGE.0
}

fn send(stage: &Stage, leaf: Option<&Leaf>, request: &Request) -> std::io::Result<Reply> {
    let stream = raw::connect(stage.envoy.address())?;
    let tls = stage
        .keys
        .authority
        .connect(stream, leaf)
        .map_err(std::io::Error::other)?;
    raw::exchange(tls, &request.bytes())
}

#[test]
fn a_workload_is_known_by_its_x509_svid() {
    let stage = stage();
    let leaf = stage.keys.authority.issue(&[FRONTEND]);
    let reply = send(stage, Some(&leaf), &Request::get("/by-certificate")).expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = &stage.upstream.seen("/by-certificate")[0];
    assert_eq!(seen.header("x-edgeward-subject"), [FRONTEND]);
    let asked = &stage.tap.asked("/by-certificate")[0];
    assert_eq!(asked["subject"]["id"], FRONTEND);
    assert_eq!(asked["context"]["tls"]["peer"], FRONTEND);
}

#[test]
fn a_connection_without_a_certificate_is_nobody() {
    let stage = stage();
    let reply = send(stage, None, &Request::get("/no-certificate")).expect("an answer");
    assert_refused(stage, &reply, 401, "identity-missing", "/no-certificate");
}

#[test]
fn a_client_s_own_xfcc_is_never_believed() {
    let stage = stage();
    let leaf = stage.keys.authority.issue(&[BATCH]);
    let forged = format!(
        "By=spiffe://example.org/edge;Hash={};URI={FRONTEND}",
        "a".repeat(64)
    );
    for header in ["X-Forwarded-Client-Cert", "X_Forwarded_Client_Cert"] {
        let request = Request::get("/forged-xfcc").header(header, &forged);
        let reply = send(stage, Some(&leaf), &request).expect("an answer");
        assert_refused(stage, &reply, 403, "no-rule-allows", "/forged-xfcc");
        let reply = send(stage, None, &request).expect("an answer");
        assert_refused(stage, &reply, 401, "identity-missing", "/forged-xfcc");
    }
    let request = Request::get("/reports/xfcc").header("X-Forwarded-Client-Cert", &forged);
    let reply = send(stage, Some(&leaf), &request).expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let xfcc = stage.upstream.seen("/reports/xfcc")[0].header("x-forwarded-client-cert");
    assert_eq!(xfcc.len(), 1);
    assert!(
        xfcc[0].contains(BATCH) && !xfcc[0].contains(FRONTEND),
        "{xfcc:?}"
    );
}

#[test]
fn a_certificate_with_two_uri_names_is_no_identity() {
    let stage = stage();
    for uris in [
        [FRONTEND, BATCH],
        [BATCH, FRONTEND],
        [FRONTEND, "https://example.org"],
    ] {
        let leaf = stage.keys.authority.issue(&uris);
        // Either Envoy's own check ends the connection, or the filter refuses.
        if let Ok(reply) = send(stage, Some(&leaf), &Request::get("/two-names")) {
            assert_refused(stage, &reply, 401, "peer-uri-names", "/two-names");
        }
    }
    assert!(stage.upstream.seen("/two-names").is_empty());
}

#[test]
fn a_certificate_that_names_no_workload_of_its_trust_domain_is_no_identity() {
    let stage = stage();
    let keys = &stage.keys;
    let leaves = [
        ("no name", keys.authority.issue(&[])),
        (
            "whole trust domain",
            keys.authority.issue(&["spiffe://example.org"]),
        ),
        (
            "not SPIFFE",
            keys.authority.issue(&["https://example.org/x"]),
        ),
        (
            "other trust domain",
            keys.other_authority.issue(&["spiffe://other.test/x"]),
        ),
        ("other authority", keys.other_authority.issue(&[FRONTEND])),
    ];
    for (name, leaf) in leaves {
        if let Ok(reply) = send(stage, Some(&leaf), &Request::get("/no-workload")) {
            assert_eq!(reply.status, 401, "{name}: {}", reply.text());
        }
    }
    assert!(stage.upstream.seen("/no-workload").is_empty());
    assert!(stage.tap.asked("/no-workload").is_empty());
}

#[test]
fn a_bound_token_holds_with_its_own_certificate_and_no_other() {
    let stage = stage();
    let own = stage.keys.authority.issue(&[FRONTEND]);
    let other = stage.keys.authority.issue(&[FRONTEND]);
    let mut claims = svid_claims(FRONTEND);
    claims["cnf"] = json!({ "x5t#S256": own.x5t_s256() });
    let request = |path: &str| Request::get(path).bearer(&stage.keys.svid.token(&claims));
    let reply = send(stage, Some(&own), &request("/bound-own")).expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let reply = send(stage, Some(&other), &request("/bound-other")).expect("an answer");
    assert_refused(stage, &reply, 401, "token-binding-mismatch", "/bound-other");
    let reply = send(stage, None, &request("/bound-none")).expect("an answer");
    assert_refused(stage, &reply, 401, "token-binding-mismatch", "/bound-none");
}

#[test]
fn the_setup_that_ships_lets_only_x509_svids_of_its_trust_domain_connect() {
    let (stage, _folder) = Stage::mtls(|setup| setup);
    let keys = &stage.keys;
    let good = keys.authority.issue(&[FRONTEND]);
    // So often, because each connection may reach another worker, which waits for its own first feed.
    let ready = wait_for(std::time::Duration::from_secs(20), || {
        let is_allowed = |_| {
            send(&stage, Some(&good), &Request::get("/strict-good"))
                .is_ok_and(|reply| reply.status == 200)
        };
        (0..16).all(is_allowed).then_some(())
    });
    assert!(ready.is_some(), "{}", tail(&stage.envoy.log()));
    let others = [
        Some(keys.authority.issue(&[])),
        Some(keys.authority.issue(&["https://example.org/x"])),
        Some(keys.authority.issue(&["spiffe://other.test/x"])),
        Some(keys.other_authority.issue(&["spiffe://other.test/x"])),
        Some(keys.other_authority.issue(&[FRONTEND])),
        None,
    ];
    for leaf in &others {
        let answer = send(&stage, leaf.as_ref(), &Request::get("/strict-bad"));
        assert!(answer.is_err(), "{answer:?}");
    }
    let two = keys.authority.issue(&[FRONTEND, BATCH]);
    if let Ok(reply) = send(&stage, Some(&two), &Request::get("/strict-bad")) {
        assert_refused(&stage, &reply, 401, "peer-uri-names", "/strict-bad");
    }
    assert!(stage.upstream.seen("/strict-bad").is_empty());
}

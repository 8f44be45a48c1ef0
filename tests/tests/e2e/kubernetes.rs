//! Issue 5: Kubernetes, asked. The API server is a real one: it issues the tokens, publishes its keys to those
//! who log in, reviews, and knows the pods.

use std::time::{Duration, Instant};

use edgeward_tests::kubernetes::{Cluster, NAMESPACE};
use edgeward_tests::process::wait_for;
use edgeward_tests::reply::Reply;
use edgeward_tests::trust::Trust;
use edgeward_tests::trust::cases::form;
use serde_json::{Value, json};

const AUDIENCE: &str = "https://edgeward.demo";
const CART: (&str, &str) = ("registry.test/shop/cart:7", "sha256:aa");
const PROXY: (&str, &str) = ("registry.test/mesh/proxy:1", "sha256:bb");
const SHELL: (&str, &str) = ("docker.io/library/busybox:1", "sha256:cc");

/// The cluster, and a PDP that asks it; none where there is no API server.
fn stage(review: &Value) -> Option<(Cluster, Trust)> {
    let Some(cluster) = Cluster::start() else {
        eprintln!(
            "skipped: no API server (`./just setup` builds it on Debian): Kubernetes is not asked"
        );
        return None;
    };
    let uid = cluster.account(NAMESPACE, "cart");
    cluster.node("node-eu", "eu-1");
    cluster.node("node-us", "us-1");
    let workload = json!({
        "name": "cart", "spiffe_id": "spiffe://prod.demo/shop/cart", "provider": "cluster",
        "selectors": { "service_account_uid": uid, "namespace": NAMESPACE },
        "environment": {
            "image": ["registry.test/shop/cart:*", "registry.test/mesh/**"],
            "image_digest": ["sha256:aa", "sha256:bb"],
            "region": "eu-1",
        },
        "audiences": ["orders"],
    });
    let trust = Trust::of(&json!({
        "trust_providers": [cluster.provider(AUDIENCE, review)],
        "client_workloads": [workload],
    }));
    Some((cluster, trust))
}

fn ask(trust: &Trust, evidence: &str) -> Reply {
    trust.ask(&form(evidence, "orders").each(), None)
}

#[track_caller]
fn assert_refused(trust: &Trust, evidence: &str, status: u16, code: &str) {
    let reply = ask(trust, evidence);
    let said = (reply.status, reply.json()["code"].clone());
    assert_eq!(
        said,
        (status, json!(code)),
        "{}\n{}",
        reply.text(),
        trust.pdp.log()
    );
}

#[track_caller]
fn assert_granted(trust: &Trust, evidence: &str) {
    let reply = ask(trust, evidence);
    assert_eq!(reply.status, 200, "{}\n{}", reply.text(), trust.pdp.log());
}

#[test]
fn a_pod_gets_a_token_while_it_is_there_and_runs_what_and_where_it_is_to() {
    let Some((cluster, trust)) = stage(&json!({ "nodes": true, "recheck_after": "0s" })) else {
        return;
    };
    for (pod, node, images) in [
        ("cart-0", "node-eu", &[CART, PROXY][..]),
        ("shell", "node-eu", &[CART, SHELL]),
        ("renamed", "node-eu", &[(CART.0, SHELL.1)]),
        ("abroad", "node-us", &[CART]),
    ] {
        cluster.pod(pod, "cart", node, images);
    }
    let evidence = cluster.token("cart", "cart-0", AUDIENCE);
    assert_granted(&trust, &evidence);
    for pod in ["shell", "renamed", "abroad"] {
        let misplaced = cluster.token("cart", pod, AUDIENCE);
        assert_refused(&trust, &misplaced, 400, "environment-mismatch");
    }
    let for_others = cluster.token("cart", "cart-0", "https://vault.test");
    assert_refused(&trust, &for_others, 400, "token-audience-mismatch");
    // Another pod of the same name is another pod.
    cluster.delete_pod("cart-0");
    assert_refused(&trust, &evidence, 400, "kubernetes-pod-gone");
    cluster.pod("cart-0", "cart", "node-eu", &[CART]);
    assert_refused(&trust, &evidence, 400, "kubernetes-pod-gone");
    // The API server itself takes a token for ten more seconds.
    let rejected = wait_for(Duration::from_secs(30), || {
        (ask(&trust, &evidence).json()["code"] == "kubernetes-token-rejected").then_some(())
    });
    assert!(rejected.is_some(), "{}", trust.pdp.log());
    assert_granted(&trust, &cluster.token("cart", "cart-0", AUDIENCE));
}

#[test]
fn what_the_api_server_does_not_let_us_see_or_say_in_time_is_not_taken_for_good() {
    let Some((cluster, trust)) = stage(&json!({
        "nodes": true, "recheck_after": "0s",
        "fetch": { "timeout": "500ms" },
    })) else {
        return;
    };
    cluster.pod("cart-0", "cart", "node-eu", &[CART]);
    let evidence = cluster.token("cart", "cart-0", AUDIENCE);
    assert_granted(&trust, &evidence);
    cluster.freeze(true);
    let begun = Instant::now();
    assert_refused(&trust, &evidence, 503, "kubernetes-unavailable");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    cluster.freeze(false);
    assert_granted(&trust, &evidence);
    for what in ["reads", "reviews"] {
        cluster.forbid(what);
        let refused = wait_for(Duration::from_secs(20), || {
            (ask(&trust, &evidence).status != 200).then_some(())
        });
        assert!(refused.is_some(), "granted without `{what}`");
        assert_refused(&trust, &evidence, 503, "kubernetes-review-forbidden");
    }
}

#[test]
fn the_api_server_is_asked_once_in_a_while_and_not_for_what_was_made_up() {
    let Some((cluster, trust)) = stage(&json!({ "nodes": true, "recheck_after": "1h" })) else {
        return;
    };
    cluster.pod("cart-0", "cart", "node-eu", &[CART]);
    let evidence = cluster.token("cart", "cart-0", AUDIENCE);
    let before = cluster.reviews();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_granted(&trust, &evidence);
                }
            });
        }
    });
    let asked = cluster.reviews() - before;
    assert!((1..=2).contains(&asked), "asked {asked} times");
    let mut forged = evidence;
    forged.replace_range(forged.len() - 4.., "AAAA");
    assert_eq!(ask(&trust, &forged).status, 400);
    assert_eq!(cluster.reviews() - before, asked);
}

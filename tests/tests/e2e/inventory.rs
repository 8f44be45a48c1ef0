//! Issue 5: the inventory. Who got tokens, who asked for decisions, who has good evidence and is nobody; and static
//! secrets in requests, of which the value is nowhere.

use std::process::{Command, Output};
use std::time::Duration;

use edgeward_tests::built;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::Request;
use edgeward_tests::trust::Trust;
use edgeward_tests::trust::cases::form;
use serde_json::{Value, json};
use tempfile::TempDir;

const ADMIN: &str = "admin-of-the-inventory";
/// SHA-256 of [`ADMIN`].
const DIGEST: &str = "e3a6ec8186c6f19f403fb8e931139b9221caf9d7fb1e830e1acaa4c8f7689985";

fn stage(folder: &TempDir) -> Trust {
    Trust::of(&json!({
        "inventory": { "directory": folder.path().join("inventory") },
        "revocations": { "directory": folder.path().join("revocations"), "admin_tokens_sha256": [DIGEST] },
        "ext_authz": { "gateways": ["nginx"], "token": { "forward": true }, "anonymous": true },
    }))
}

fn command(trust: &Trust, arguments: &[&str]) -> Output {
    Command::new(built::edgeward())
        .args([
            "inventory",
            "--pdp",
            &format!("http://{}", trust.pdp.address()),
        ])
        .args(arguments)
        .env("EDGEWARD_ADMIN_TOKEN", ADMIN)
        .output()
        .expect("the program runs")
}

#[track_caller]
fn listed(trust: &Trust, arguments: &[&str]) -> Vec<Value> {
    let output = command(trust, &[arguments, &["--output", "json"]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    let all: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"));
    all.as_array().expect("a list").clone()
}

fn of_id<'v>(all: &'v [Value], id: &str) -> &'v Value {
    all.iter()
        .find(|one| one["id"] == id)
        .unwrap_or_else(|| panic!("no {id} in {all:#?}"))
}

#[test]
fn whoever_was_seen_is_listed_and_is_still_after_a_crash() {
    let folder = TempDir::new().unwrap();
    let mut trust = stage(&folder);
    let evidence = trust.platforms.pod("cart", &json!({}));
    let reply = trust.ask(&form(&evidence, "orders").each(), None);
    let token = reply.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_eq!(trust.call("/orders/7", &token, None).status, 200);
    let stranger = trust.platforms.pod("stranger", &json!({}));
    assert_eq!(
        trust.ask(&form(&stranger, "orders").each(), None).status,
        400
    );

    let cart = "spiffe://prod.demo/shop/cart";
    let is_decided = || {
        of_id(&listed(&trust, &[]), cart)["decided_at"]
            .is_u64()
            .then_some(())
    };
    assert!(wait_for(Duration::from_secs(5), is_decided).is_some());
    let all = listed(&trust, &[]);
    let seen = of_id(&all, cart);
    assert_eq!(
        (&seen["workload"], &seen["providers"]),
        (&json!("cart"), &json!(["cluster"]))
    );
    assert_eq!(
        (&seen["tokens_issued"], &seen["longest_token"]),
        (&json!(1), &json!(300))
    );
    assert_eq!(seen["audiences"], json!(["orders"]));
    let stranger = of_id(&all, "system:serviceaccount:shop:stranger");
    assert_eq!(
        stranger["tokens_refused"],
        json!({ "client-workload-unknown": 1 })
    );
    assert_eq!(stranger["authority"], "cluster");
    assert_eq!(listed(&trust, &["--workload", "cart"]).len(), 1);
    assert_eq!(listed(&trust, &["--provider", "ci"]).len(), 0);
    let unused = listed(&trust, &["--unused", "30d"]);
    let names: Vec<&str> = unused
        .iter()
        .filter_map(|one| one["client_workload"].as_str())
        .collect();
    assert!(
        names.contains(&"deploy") && !names.contains(&"cart"),
        "{names:?}"
    );
    assert_eq!(command(&trust, &["--unused", "30d"]).status.code(), Some(1));
    let table = String::from_utf8_lossy(&command(&trust, &[]).stdout).into_owned();
    assert!(
        table.starts_with("IDENTITY") && table.contains(cart),
        "{table}"
    );

    // Written down within seconds.
    let file = folder.path().join("inventory/inventory.json");
    let is_kept = || {
        std::fs::read_to_string(&file)
            .ok()?
            .contains("stranger")
            .then_some(())
    };
    assert!(wait_for(Duration::from_secs(20), is_kept).is_some());
    trust.pdp.crash();
    trust.pdp.run();
    assert_eq!(
        of_id(&listed(&trust, &[]), cart)["first_seen"],
        seen["first_seen"]
    );
}

#[test]
fn a_static_secret_in_a_request_is_noticed_and_its_value_is_nowhere() {
    let folder = TempDir::new().unwrap();
    let trust = stage(&folder);
    // Made of parts, so that nobody takes this file for a leak.
    let (key, token) = (
        format!("AKIA{}", "A2".repeat(8)),
        format!("ghp_{}", "Ab3".repeat(12)),
    );
    for _ in 0..2 {
        Request::get("/ext-authz/nginx")
            .header("x-original-method", "GET")
            .header("x-original-host", "shop.example")
            .header("x-original-uri", format!("/orders?key={key}"))
            .header("x-real-ip", "198.51.100.7")
            .header("x-api-key", &token)
            .send(trust.pdp.address());
    }
    let secrets = listed(&trust, &["--secrets"]);
    let places: Vec<(&Value, &Value, &Value)> = secrets
        .iter()
        .map(|one| (&one["kind"], &one["place"], &one["count"]))
        .collect();
    assert_eq!(
        places,
        [
            (&json!("aws-access-key"), &json!("query"), &json!(2)),
            (
                &json!("github-token"),
                &json!("header x-api-key"),
                &json!(2)
            ),
        ]
    );
    assert_eq!(secrets[0]["service"], "shop.example");
    assert_eq!(command(&trust, &["--secrets"]).status.code(), Some(1));
    let metrics = Request::get("/metrics").send(trust.pdp.address()).text();
    let line = "edgeward_inventory_secrets_noticed_total{kind=\"aws-access-key\"} 2";
    assert!(metrics.contains(line), "{metrics}");
    let log = trust.pdp.log();
    assert_eq!(
        log.matches("a static secret in requests").count(),
        2,
        "once for each place:\n{log}"
    );
    let file = folder.path().join("inventory/inventory.json");
    let kept = wait_for(Duration::from_secs(20), || {
        std::fs::read_to_string(&file)
            .ok()
            .filter(|text| text.contains("github-token"))
    });
    let said = format!(
        "{log}{metrics}{}{}",
        kept.expect("it is kept"),
        json!(secrets)
    );
    for secret in [&key, &token] {
        assert!(!said.contains(secret.as_str()), "{secret}");
    }
}

#[test]
fn a_host_or_a_header_that_is_named_by_a_secret_is_not_kept() {
    let folder = TempDir::new().unwrap();
    let trust = stage(&folder);
    let token = format!("ghp_{}", "Ab3".repeat(12));
    for host in ["cart:hunter2@shop.example", token.as_str()] {
        Request::get("/ext-authz/nginx")
            .header("x-original-method", "GET")
            .header("x-original-host", host)
            .header("x-original-uri", format!("/orders?key=%22{token}%22"))
            .header("x-real-ip", "198.51.100.7")
            .header(token.to_ascii_lowercase(), &token)
            .send(trust.pdp.address());
    }
    let secrets = listed(&trust, &["--secrets"]);
    assert!(
        secrets.iter().any(|one| one["place"] == "query"),
        "{secrets:#?}"
    );
    let file = folder.path().join("inventory/inventory.json");
    let kept = wait_for(Duration::from_secs(20), || {
        std::fs::read_to_string(&file)
            .ok()
            .filter(|text| text.contains("github-token"))
    });
    // The inventory's own lines: the decision log has the host of what was refused, but for a password.
    let log = trust.pdp.log();
    assert!(!log.contains("hunter2"), "{log}");
    let lines = log
        .lines()
        .filter(|line| line.contains("a static secret in requests"));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 4, "{log}");
    let kept = kept.expect("it is kept");
    let said = format!("{lines:?}{kept}{}", json!(secrets));
    for secret in ["hunter2", &token, &token.to_ascii_lowercase()] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

#[test]
fn only_an_operator_is_told() {
    let folder = TempDir::new().unwrap();
    let trust = stage(&folder);
    let ask = |token: &str| {
        Request::get("/edgeward/v1/inventory")
            .bearer(token)
            .send(trust.pdp.address())
            .status
    };
    assert_eq!((ask("another"), ask(ADMIN)), (401, 200));
    let post = Request::new("POST", "/edgeward/v1/inventory")
        .bearer(ADMIN)
        .send(trust.pdp.address());
    assert_eq!(post.status, 405);
}

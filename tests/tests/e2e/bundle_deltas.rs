//! Delta bundles of a server: Edgeward makes of them what the real OPA makes of the very same bytes, and what
//! it made outlives the server.

use std::time::Duration;

use edgeward_tests::opa::Opa;
use edgeward_tests::policy_bundle::PolicyBundle;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bundles::{SOON, World, bundle};

const ROOTS: &[&str] = &["authz"];

/// A whole bundle with this state below `data.authz.state`.
fn whole(revision: &str, state: &Value) -> PolicyBundle {
    bundle(revision, true).file("authz/state/data.json", state.to_string())
}

fn one(op: &str, path: &str, value: Value) -> Value {
    let mut operation = json!({ "op": op, "path": format!("/authz/state{path}") });
    if value != "none" {
        operation["value"] = value;
    }
    operation
}

/// Operations, and the state after them; each begins where the one before ended.
fn good() -> Vec<(Value, Value)> {
    let add = |path, value| one("upsert", path, value);
    let none = || json!("none");
    vec![
        (
            json!([
                add("/o/y", json!(2)),
                add("/n/m/k", json!({"z": [1.5, null]}))
            ]),
            json!({"list": [1, 2], "o": {"x": 1, "y": 2}, "s": "t", "n": {"m": {"k": {"z": [1.5, null]}}}}),
        ),
        (
            json!([
                one("remove", "/n", none()),
                add("/list/0", json!(0)),
                add("/list/-", json!(3))
            ]),
            json!({"list": [0, 1, 2, 3], "o": {"x": 1, "y": 2}, "s": "t"}),
        ),
        (
            json!([
                add("/list/4", json!(4)),
                one("replace", "/list/1", json!("one")),
                one("remove", "/list/0", none()),
            ]),
            json!({"list": ["one", 2, 3, 4], "o": {"x": 1, "y": 2}, "s": "t"}),
        ),
        (
            json!([
                add("/x~1y~0%20z", json!(true)),
                one("replace", "/o", json!([])),
                add("/list/3/", json!({}))
            ]),
            json!({"list": ["one", 2, 3, {}, 4], "o": [], "s": "t", "x/y~ z": true}),
        ),
        (
            json!([
                add("/list/3/deep", json!(1)),
                add("", json!({"list": [], "s": "t"}))
            ]),
            json!({"list": [], "s": "t"}),
        ),
    ]
}

/// Operations of which neither takes any; the first alone would do.
fn refused() -> Vec<Value> {
    let good = one("upsert", "/s", json!("half done"));
    let none = json!("none");
    let all = [
        one("remove", "/none", none),
        one("replace", "/none", json!(1)),
        one("upsert", "/s/x", json!(1)),
        one("upsert", "/list/1", json!(1)),
        one("replace", "/list/-", json!(1)),
        one("add", "/x", json!(1)),
        json!({ "op": "upsert", "path": "/elsewhere", "value": 1 }),
    ];
    all.into_iter().map(|bad| json!([good, bad])).collect()
}

/// What the PDP has at `data.authz.state`.
fn state(world: &World) -> Value {
    let reply = raw::get(world.pdp.address(), "/v1/data/authz/state").expect("an answer");
    reply.json()["result"].clone()
}

#[test]
fn opa_and_edgeward_make_the_same_of_a_snapshot_and_of_each_delta() {
    let mut world = World::new(None, |bundle| {
        bundle["unsigned"] = json!(true);
        bundle
            .as_object_mut()
            .expect("an object")
            .remove("signature");
    });
    let mut expected = json!({"list": [1, 2], "o": {"x": 1}, "s": "t"});
    world.server.publish(whole("2", &expected).pack());
    let Some(opa) = Opa::following(&world.server) else {
        eprintln!("skipped: there is no `.tools/bin/opa` to compare with (`./just setup-opa`)");
        return;
    };
    world.pdp.run();
    let mut revision = 2;
    let both_have = |world: &World, revision: i32, expected: &Value| {
        world.until_revision(&revision.to_string());
        let settled = wait_for(SOON, || (state(world) == *expected).then_some(()));
        assert!(settled.is_some(), "{revision}: {}", state(world));
    };
    both_have(&world, revision, &expected);
    opa.until_revision("2");
    for (operations, after) in good() {
        expected = after;
        let base = revision.to_string();
        revision += 1;
        let delta = PolicyBundle::delta(&base, &revision.to_string(), ROOTS, &operations);
        let next = whole(&revision.to_string(), &expected).pack();
        world.server.publish_change(next, delta.pack());
        opa.until_revision(&revision.to_string());
        assert_eq!(opa.data("authz/state"), expected, "OPA: {operations}");
        both_have(&world, revision, &expected);
        assert_eq!(world.status()["type"], "delta", "{operations}");
    }
    for operations in refused() {
        let (before, base) = (opa.data("authz/state"), revision.to_string());
        revision += 1;
        let delta = PolicyBundle::delta(&base, &revision.to_string(), ROOTS, &operations);
        let next = whole(&revision.to_string(), &expected).pack();
        world.server.publish_change(next, delta.pack());
        // Edgeward asks for the whole of it then; OPA goes on asking for what it cannot take.
        both_have(&world, revision, &expected);
        assert_eq!(world.status()["type"], "snapshot", "{operations}");
        std::thread::sleep(Duration::from_millis(1500));
        let path = "system/bundles/authz/manifest/revision";
        assert_eq!(
            (opa.data(path), opa.data("authz/state")),
            (json!(base), before)
        );
        // Back to deltas for both.
        revision += 1;
        world
            .server
            .publish(whole(&revision.to_string(), &expected).pack());
        opa.until_revision(&revision.to_string());
        both_have(&world, revision, &expected);
    }
    let metrics = raw::get(world.pdp.address(), "/metrics")
        .expect("metrics")
        .text();
    let counted = format!(
        r#"edgeward_bundle_refusals_total{{bundle="authz",code="bundle-delta"}} {}"#,
        refused().len()
    );
    assert!(metrics.contains(&counted), "{metrics}");
}

#[test]
fn a_signed_delta_decides_at_once_and_outlives_a_dead_server_and_a_restart() {
    let folder = TempDir::with_prefix("edgeward-disk").expect("a temporary folder");
    let mut world = World::new(Some(&folder.path().join("bundles")), |bundle| {
        bundle["long_poll"] = json!("30s");
        bundle["fetch"]["refresh"] = json!("10m");
    });
    world.pdp.run();
    world.until_revision("1");
    world.until_allowed(true);
    let change = |base: &str, revision: &str, open: bool| {
        let set = json!([{ "op": "replace", "path": "/authz/open", "value": open }]);
        PolicyBundle::delta(base, revision, ROOTS, &set)
    };
    let packed = |revision: &str, open| bundle(revision, open).signed_by(&world.key).pack();
    // The question that waits is on its way.
    std::thread::sleep(Duration::from_millis(300));
    let delta = change("1", "2", false).signed_by(&world.key).pack();
    world.server.publish_change(packed("2", false), delta);
    world.until_revision("2");
    world.until_allowed(false);
    assert_eq!(world.status()["type"], "delta");
    // In force first, then kept: what dies between comes back with what it had before.
    let record = folder.path().join("bundles/authz.json");
    let is_kept = || {
        let text = std::fs::read_to_string(&record).unwrap_or_default();
        text.contains("\"deltas\"").then_some(())
    };
    assert!(wait_for(SOON, is_kept).is_some(), "{}", world.pdp.log());

    world.server.crash();
    world.pdp.crash();
    world.pdp.run();
    world.until_revision("2");
    assert_eq!(world.decision(), (false, "by-data".to_owned()));

    // One of another revision, such as a server would send that left one out, is no way around the data
    // that it would have changed: the whole bundle is asked for, at once.
    world.server.run();
    let delta_of_none = change("3", "4", true).signed_by(&world.key).pack();
    world
        .server
        .publish_change(packed("4", false), delta_of_none);
    world.until_revision("4");
    assert_eq!(world.status()["type"], "snapshot");
    assert!(!world.decision().0);
    // Unsigned, or of somebody else: the same.
    world.server.publish(packed("5", false));
    world.until_revision("5");
    world
        .server
        .publish_change(packed("6", false), change("5", "6", true).pack());
    world.until_revision("6");
    assert_eq!(world.status()["type"], "snapshot");
    assert!(!world.decision().0);
}

#[test]
fn a_server_that_could_wait_is_asked_no_more_often_than_said_where_that_is_not_configured() {
    let mut world = World::new(None, |_| {});
    world.pdp.run();
    world.until_revision("1");
    let before = world.server.requests().len();
    std::thread::sleep(Duration::from_secs(3));
    let asked = world.server.requests().len() - before;
    assert!(
        (1..=5).contains(&asked),
        "{asked} requests in 3 s, every second one"
    );
}

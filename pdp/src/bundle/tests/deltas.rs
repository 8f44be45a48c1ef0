//! Changes instead of whole bundles: what they change, what is refused, and what is there after a restart.

use std::path::Path;

use serde_json::{Value, json};

use super::{ALLOW, Files, NOW, Release, Room, authz, pack, settings};
use crate::bundle::held::{Offered, Packed};
use crate::bundle::{BundleSettings, Outcome, Rollback};
use crate::policy::{from_json, on_deep_stack};

/// A delta of `revision` to the revision `base`.
fn delta(base: Option<&str>, revision: &str, operations: &Value) -> Files {
    let metadata = base.map_or_else(|| json!({}), |base| json!({ "base_revision": base }));
    let manifest = json!({ "revision": revision, "roots": ["authz"], "metadata": metadata });
    let patch = json!({ "data": operations });
    Files::from([
        (".manifest".to_owned(), manifest.to_string().into()),
        ("patch.json".to_owned(), patch.to_string().into()),
    ])
}

fn upsert(path: &str, value: &Value) -> Value {
    json!([{ "op": "upsert", "path": path, "value": value }])
}

impl Room {
    /// What a server answered that was asked for a delta too, as long as there is one to be had.
    fn answer(&self, files: &Files) -> Outcome {
        let name = "authz".parse().unwrap();
        let packed = Packed {
            content: pack(files),
            tag: Some("\"later\"".to_owned()),
            may_be_delta: self.bundles.known(&name).1,
        };
        self.bundles.offer(&name, Offered::Packed(packed), NOW)
    }

    fn known(&self) -> (Option<String>, bool) {
        self.bundles.known(&"authz".parse().unwrap())
    }

    fn allows(&self) -> bool {
        let set = self.store.subscribe().borrow().set.clone();
        let decided = on_deep_stack(move || {
            let mut worker = set.worker().unwrap();
            worker.evaluate(from_json(json!({})), NOW).unwrap().allow
        });
        decided.unwrap()
    }
}

fn open(release: &Release, directory: Option<&Path>) -> Room {
    Room::open(&[("authz", settings(Some(release.trust())))], directory)
}

#[test]
fn a_delta_changes_data_of_the_bundle_in_force_and_both_outlive_a_restart() {
    let release = Release::new();
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("bundles");
    let room = open(&release, Some(&kept));
    room.offer("authz", &release.sign(&authz("7")));
    assert!(room.allows());
    assert_eq!(room.status("authz").kind, Some("snapshot"));

    let closed = delta(Some("7"), "8", &upsert("/authz/open", &json!(false)));
    assert_eq!(room.answer(&release.sign(&closed)), Outcome::Activated);
    assert!(!room.allows());
    let status = room.status("authz");
    assert_eq!(status.active_revision.as_deref(), Some("8"));
    assert_eq!((status.kind, status.code), (Some("delta"), None));
    assert_eq!(room.known(), (Some("\"later\"".to_owned()), true));
    let more = delta(Some("8"), "9", &upsert("/authz/more/of", &json!(1)));
    assert_eq!(room.answer(&release.sign(&more)), Outcome::Activated);
    let in_force = room.in_force();

    let again = open(&release, Some(&kept));
    assert_eq!(again.in_force(), in_force);
    assert!(!again.allows());
    assert_eq!(again.status("authz").active_revision.as_deref(), Some("9"));
    // What the disk says of the server's tags is not believed: the first question is for a whole bundle.
    assert_eq!(again.known(), (None, false));
    // It leaves nothing of the former ones behind.
    assert_eq!(
        again.answer(&release.sign(&authz("11"))),
        Outcome::Activated
    );
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 2);
    assert_eq!(open(&release, Some(&kept)).in_force(), again.in_force());
}

#[test]
fn a_delta_that_does_not_follow_changes_nothing_and_a_whole_bundle_is_asked_for() {
    let release = Release::new();
    let other = Release::new();
    let ok = upsert("/authz/open", &json!(false));
    let half = json!([
        { "op": "upsert", "path": "/authz/open", "value": false },
        { "op": "remove", "path": "/authz/none" },
    ]);
    let mut roots = delta(Some("7"), "8", &ok);
    let manifest = r#"{"revision":"8","roots":["authz","x"],"metadata":{"base_revision":"7"}}"#;
    roots.insert(".manifest".to_owned(), manifest.into());
    let mut with_policy = delta(Some("7"), "8", &ok);
    with_policy.insert("authz/policy.rego".to_owned(), ALLOW.into());
    let mut changed = release.sign(&delta(Some("7"), "8", &ok));
    changed.insert("patch.json".to_owned(), br#"{"data":[]}"#.to_vec());
    let conflict = upsert("/authz/allow", &json!(true));
    let same = delta(Some("7"), "7", &ok);
    for (files, code, says) in [
        (delta(Some("7"), "8", &ok), "bundle-unsigned", "not signed"),
        (
            other.sign(&delta(Some("7"), "8", &ok)),
            "bundle-signature",
            "not verify",
        ),
        (
            changed,
            "bundle-signature",
            "`patch.json` is not what was signed",
        ),
        (
            release.sign(&delta(Some("6"), "8", &ok)),
            "bundle-delta",
            "to revision `6`, and `7`",
        ),
        (
            release.sign(&delta(None, "8", &ok)),
            "bundle-delta",
            "`metadata.base_revision`",
        ),
        (release.sign(&same), "bundle-delta", "to the same one"),
        (
            release.sign(&delta(Some("7"), "6", &ok)),
            "bundle-rollback",
            "older",
        ),
        (
            release.sign(&delta(Some("7"), "x", &ok)),
            "bundle-rollback",
            "no place in time",
        ),
        (
            release.sign(&delta(Some("7"), "8", &half)),
            "bundle-delta",
            "there is no `none`",
        ),
        (
            release.sign(&delta(Some("7"), "8", &json!([]))),
            "bundle-delta",
            "no operation",
        ),
        (release.sign(&roots), "bundle-delta", "other roots"),
        (
            release.sign(&with_policy),
            "bundle-delta",
            "`authz/policy.rego`",
        ),
        (
            release.sign(&delta(Some("7"), "8", &upsert("/other", &json!(1)))),
            "bundle-delta",
            "`data.other` is outside",
        ),
        (
            release.sign(&delta(Some("7"), "8", &conflict)),
            "bundle-policy",
            "data.authz.allow",
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let room = open(&release, Some(directory.path()));
        room.offer("authz", &release.sign(&authz("7")));
        let in_force = room.in_force();
        assert!(room.known().1);
        let Outcome::Refused(found, message) = room.answer(&files) else {
            panic!("not refused: {says}");
        };
        assert_eq!(found, code, "{message}");
        assert!(message.contains(says), "{code}: {message}");
        assert_eq!((room.in_force(), room.allows()), (in_force.clone(), true));
        assert_eq!(room.known(), (None, false), "{message}");
        assert_eq!(open(&release, Some(directory.path())).in_force(), in_force);

        // One that comes though a whole one was asked for is refused for that alone.
        let good = release.sign(&delta(Some("7"), "8", &ok));
        let Outcome::Refused("bundle-delta", message) = room.answer(&good) else {
            panic!("a delta that nobody asked for is taken");
        };
        assert!(message.contains("whole one is wanted"), "{message}");
        // Two whole ones, and deltas are asked for again.
        assert_eq!(room.answer(&release.sign(&authz("8"))), Outcome::Activated);
        assert_eq!(room.known(), (Some("\"later\"".to_owned()), false));
        assert_eq!(room.answer(&release.sign(&authz("9"))), Outcome::Activated);
        assert!(room.known().1);
    }
}

#[test]
fn deltas_are_taken_up_to_their_number_and_those_without_a_base_only_unsigned() {
    let unsigned = BundleSettings {
        rollback: Rollback::Allowed,
        ..settings(None)
    };
    let directory = tempfile::tempdir().unwrap();
    let reopen = || Room::open(&[("authz", unsigned.clone())], Some(directory.path()));
    let room = reopen();
    // Nothing is in force that it could change.
    let first = room.answer(&delta(None, "", &upsert("/authz/open", &json!(false))));
    assert!(
        matches!(first, Outcome::Refused("bundle-delta", _)),
        "{first:?}"
    );
    room.offer("authz", &authz("a"));
    for n in 0..crate::bundle::delta::MAX_DELTAS {
        assert!(room.known().1, "{n}");
        let next = delta(None, &format!("a{n}"), &upsert("/authz/n", &json!(n)));
        assert_eq!(room.answer(&next), Outcome::Activated, "{n}");
    }
    assert_eq!(room.known(), (Some("\"later\"".to_owned()), false));
    assert_eq!(reopen().in_force(), room.in_force());
    // What is kept of them is believed no more than what comes: one that is missing is the end of all.
    let record = std::fs::read_to_string(directory.path().join("authz.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    let third = record["deltas"][2].as_str().unwrap();
    std::fs::remove_file(directory.path().join(format!("{third}.tar.gz"))).unwrap();
    let damaged = reopen();
    assert_eq!(damaged.status("authz").code, Some("bundle-cache"));
    assert_eq!(damaged.withheld(), Some(crate::policy::Withheld::NotLoaded));
    assert_eq!(room.answer(&authz("b")), Outcome::Activated);
    assert!(room.known().1 && room.allows());
}

#[test]
fn a_signed_delta_that_was_kept_is_verified_again_when_it_is_read_back() {
    let release = Release::new();
    let directory = tempfile::tempdir().unwrap();
    let room = open(&release, Some(directory.path()));
    room.offer("authz", &release.sign(&authz("7")));
    let next = crate::crypto::Signer::generate(edgeward_core::jose::Algorithm::Es256)
        .unwrap()
        .with_key_id("release-2");
    let later = Release {
        signer: next,
        folder: tempfile::tempdir().unwrap(),
    };
    release.publish(&[&release.signer, &later.signer]);
    let closed = delta(Some("7"), "8", &upsert("/authz/open", &json!(false)));
    assert_eq!(room.answer(&later.sign(&closed)), Outcome::Activated);
    assert_eq!(
        open(&release, Some(directory.path())).in_force(),
        room.in_force()
    );
    // The key that the delta was signed by is withdrawn: nothing of it is in force, nor what it changed.
    release.publish(&[&release.signer]);
    let without = open(&release, Some(directory.path()));
    assert_eq!(without.withheld(), Some(crate::policy::Withheld::NotLoaded));
    assert_eq!(without.status("authz").code, Some("bundle-signature"));
}

#[test]
fn a_delta_as_deep_as_it_may_be_is_built_and_read_back() {
    let release = Release::new();
    let directory = tempfile::tempdir().unwrap();
    let room = open(&release, Some(directory.path()));
    room.offer("authz", &release.sign(&authz("7")));
    let path = format!("/authz{}", "/a".repeat(127));
    let mut value = json!(1);
    for _ in 0..120 {
        value = json!([value]);
    }
    let deep = delta(Some("7"), "8", &upsert(&path, &value));
    assert_eq!(room.answer(&release.sign(&deep)), Outcome::Activated);
    assert!(room.allows());
    assert_eq!(
        open(&release, Some(directory.path())).in_force(),
        room.in_force()
    );
}

//! What comes, what is in force afterwards, and what is said of it.

use std::io::Write as _;

use serde_json::json;

use super::Files;
use super::{ALLOW, NOW, Release, Room, authz, files, pack, settings};
use crate::bundle::{BundleSettings, Outcome, Rollback};
use crate::policy::Withheld;

#[test]
fn each_kind_of_wrong_bundle_has_its_named_outcome_and_the_old_one_stays() {
    let release = Release::new();
    let room = Room::open(&[("authz", settings(Some(release.trust())))], None);
    assert_eq!(room.withheld(), Some(Withheld::NotLoaded));
    assert_eq!(
        room.offer("authz", &release.sign(&authz("7"))),
        Outcome::Activated
    );
    assert_eq!(room.withheld(), None);
    assert_eq!(
        room.offer("authz", &release.sign(&authz("7"))),
        Outcome::Unchanged
    );

    let other = Release::new();
    let signed = |files: &Files| pack(&release.sign(files));
    let mut changed = release.sign(&authz("8"));
    changed.insert(
        "authz/policy.rego".to_owned(),
        ALLOW.replace("data.authz.open", "true").into(),
    );
    let mut added = release.sign(&authz("8"));
    added.insert("authz/more.rego".to_owned(), b"package authz\n".to_vec());
    let mut removed = release.sign(&authz("8"));
    removed.remove("authz/data.json");
    let good = signed(&authz("8"));
    let broken = files(
        "8",
        &["authz"],
        &[("authz/policy.rego", "package authz\nallow := ")],
    );
    let outside = files("8", &["authz"], &[("other/policy.rego", "package other\n")]);
    let data_outside = files("8", &["authz"], &[("data.json", r#"{"x":1}"#)]);
    let failing = [
        ("authz/policy.rego", ALLOW),
        ("authz/a_test.rego", "package authz\ntest_x if false\n"),
    ];
    let failing = files("8", &["authz"], &failing);
    let delta = files("8", &["authz"], &[("patch.json", r#"{"data":[]}"#)]);
    for (bytes, code, says) in [
        (pack(&authz("8")), "bundle-unsigned", "not signed"),
        (
            pack(&other.sign(&authz("8"))),
            "bundle-signature",
            "does not verify",
        ),
        (
            pack(&changed),
            "bundle-signature",
            "`authz/policy.rego` is not what was signed",
        ),
        (
            pack(&added),
            "bundle-signature",
            "`authz/more.rego` is in the bundle and not",
        ),
        (
            pack(&removed),
            "bundle-signature",
            "`authz/data.json` was signed and is not",
        ),
        (
            signed(&authz("6")),
            "bundle-rollback",
            "`6` is older than `7`",
        ),
        (signed(&authz("abc")), "bundle-rollback", "no place in time"),
        (good[..good.len() / 2].to_vec(), "bundle-broken", "complete"),
        (b"not a bundle".to_vec(), "bundle-broken", "complete"),
        (
            signed(&broken),
            "bundle-policy",
            "authz/authz/policy.rego:2",
        ),
        (signed(&outside), "bundle-roots", "`data.other` is outside"),
        (signed(&data_outside), "bundle-roots", "`data.x` is outside"),
        (signed(&failing), "bundle-tests", "1 of 1 policy tests fail"),
        (signed(&delta), "bundle-delta", "base_revision"),
        (
            signed(&files("8", &["authz"], &[])),
            "bundle-malformed",
            "neither",
        ),
    ] {
        let (found, message) = room.refused("authz", bytes);
        assert_eq!(found, code, "{message}");
        assert!(message.contains(says), "{code}: {message}");
    }
    let status = room.status("authz");
    assert_eq!(status.active_revision.as_deref(), Some("7"));
    assert_eq!(
        room.offer("authz", &release.sign(&authz("8"))),
        Outcome::Activated
    );
    assert_eq!(room.status("authz").code, None);
}

#[test]
fn bundles_decide_together_once_all_are_there_and_never_over_each_other() {
    let trust = || BundleSettings {
        rollback: Rollback::Allowed,
        ..settings(None)
    };
    let room = Room::open(&[("authz", trust()), ("grants", trust())], None);
    let policy = [(
        "authz/policy.rego",
        "package authz\nallow := data.grants.open\n",
    )];
    let policy = files("", &["authz"], &policy);
    assert_eq!(room.offer("authz", &policy), Outcome::Waiting);
    assert_eq!(room.withheld(), Some(Withheld::NotLoaded));
    let overlapping = files(
        "",
        &["grants", "authz/x"],
        &[("grants/data.json", r#"{"open":true}"#)],
    );
    let (code, message) = room.refused("grants", pack(&overlapping));
    assert_eq!(code, "bundle-overlap");
    assert!(
        message.contains("`authz` and `grants` both have `authz/x`"),
        "{message}"
    );
    let grants = files("", &["grants"], &[("grants/data.json", r#"{"open":true}"#)]);
    assert_eq!(room.offer("grants", &grants), Outcome::Activated);
    assert_eq!(room.withheld(), None);
    let set = room.store.subscribe().borrow().set.clone();
    let decision = crate::policy::on_deep_stack(move || {
        let mut worker = set.worker().unwrap();
        worker
            .evaluate(crate::policy::from_json(json!({})), NOW)
            .unwrap()
            .allow
    });
    assert!(decision.unwrap());
}

#[test]
fn the_last_good_bundle_outlives_a_restart_and_an_older_one_does_not_come_back_with_it() {
    let release = Release::new();
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("bundles");
    let open = || {
        let all = [("authz", settings(Some(release.trust())))];
        Room::open(&all, Some(&kept))
    };
    let room = open();
    assert_eq!(
        room.offer("authz", &release.sign(&authz("7"))),
        Outcome::Activated
    );
    assert_eq!(
        room.offer("authz", &release.sign(&authz("8"))),
        Outcome::Activated
    );
    room.refused("authz", pack(&authz("9")));
    let in_force = room.in_force();

    let again = open();
    assert_eq!(again.in_force(), in_force);
    assert_eq!(again.status("authz").active_revision.as_deref(), Some("8"));
    let (code, _) = again.refused("authz", pack(&release.sign(&authz("7"))));
    assert_eq!(code, "bundle-rollback");
    let names = std::fs::read_dir(&kept).unwrap().count();
    assert_eq!(names, 2, "the record and one bundle");

    // Whoever changes what is kept brings nothing in force.
    let bundle = std::fs::read_dir(&kept)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let bundle = bundle
        .into_iter()
        .find(|path| path.extension().unwrap() == "gz")
        .unwrap();
    let mut bytes = std::fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::File::create(&bundle)
        .unwrap()
        .write_all(&bytes)
        .unwrap();
    let damaged = open();
    assert_eq!(damaged.withheld(), Some(Withheld::NotLoaded));
    assert_eq!(damaged.status("authz").code, Some("bundle-cache"));
    assert_eq!(
        damaged.offer("authz", &release.sign(&authz("8"))),
        Outcome::Activated
    );
    // The key is asked for anew, too.
    release.publish(&[]);
    assert_eq!(open().withheld(), Some(Withheld::NotLoaded));
}

#[test]
fn what_its_source_does_not_confirm_for_longer_than_it_may_be_used_denies_until_it_does() {
    let release = Release::new();
    let room = Room::open(&[("authz", settings(Some(release.trust())))], None);
    room.offer("authz", &release.sign(&authz("7")));
    let in_force = room.in_force();
    let name = "authz".parse().unwrap();
    room.bundles.enforce_age(NOW.plus(3600));
    assert_eq!(room.withheld(), None);
    room.bundles
        .failed(&name, "bundle-server", "gone".to_owned(), NOW.plus(3601));
    room.bundles.enforce_age(NOW.plus(3601));
    assert_eq!(room.withheld(), Some(Withheld::TooOld));
    room.bundles.confirm(&name, NOW.plus(3602));
    assert_eq!((room.withheld(), room.in_force()), (None, in_force));
}

#[test]
fn one_bundle_that_is_too_old_keeps_everything_denied_whatever_comes_of_the_others() {
    let unsigned = || BundleSettings {
        rollback: Rollback::Allowed,
        ..settings(None)
    };
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        let all = [("authz", unsigned()), ("grants", unsigned())];
        Room::open(&all, Some(directory.path()))
    };
    let room = open();
    let policy = [(
        "authz/policy.rego",
        "package authz\nallow := data.grants.open\n",
    )];
    room.offer("authz", &files("1", &["authz"], &policy));
    let grants = |n| files(n, &["grants"], &[("grants/data.json", r#"{"open":true}"#)]);
    assert_eq!(room.offer("grants", &grants("1")), Outcome::Activated);
    // Nobody has looked at their age since.
    let late = NOW.plus(3700);
    let offered = crate::bundle::held::Offered::File(pack(&grants("2")));
    let outcome = room
        .bundles
        .offer(&"grants".parse().unwrap(), offered, late);
    assert_eq!(
        (outcome, room.withheld()),
        (Outcome::Waiting, Some(Withheld::TooOld))
    );
    room.bundles.confirm(&"authz".parse().unwrap(), late);
    assert_eq!(room.withheld(), None);
    assert_eq!(room.status("grants").active_revision.as_deref(), Some("2"));

    // Kept as they were confirmed, one before the other: the next start has both.
    let again = open();
    assert_eq!(again.withheld(), None);
    assert_eq!(again.status("grants").active_revision.as_deref(), Some("2"));
}

#[test]
fn max_age_is_enforced_while_another_bundle_is_being_built() {
    let room = Room::open(&[("authz", settings(None))], None);
    assert_eq!(room.offer("authz", &authz("1")), Outcome::Activated);
    let name = "authz".parse().unwrap();
    {
        // As whoever builds one.
        let _work = crate::bundle::activation::locked(&room.bundles.work);
        room.bundles.enforce_age(NOW.plus(3000));
        assert_eq!(room.withheld(), None);
        room.bundles.enforce_age(NOW.plus(3601));
        assert_eq!(room.withheld(), Some(Withheld::TooOld));
    }
    room.bundles.confirm(&name, NOW.plus(3602));
    assert_eq!(room.withheld(), None);
}

#[test]
fn a_bundle_whose_record_cannot_be_written_leaves_nothing_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let room = Room::open(&[("authz", settings(None))], Some(directory.path()));
    // Nothing can be put in the place of a folder with something in it.
    std::fs::create_dir_all(directory.path().join("authz.json/x")).unwrap();
    assert_eq!(room.offer("authz", &authz("1")), Outcome::Activated);
    let left = || {
        let files = std::fs::read_dir(directory.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "authz.json").count()
    };
    assert_eq!(left(), 0);
    std::fs::remove_dir_all(directory.path().join("authz.json")).unwrap();
    room.bundles.confirm(&"authz".parse().unwrap(), NOW.plus(1));
    assert_eq!(left(), 1);
}

//! From files to a set, and what is said when there is no way.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::tests::{build, settings, sources};
use super::*;

#[test]
fn the_revision_names_every_byte_of_the_content() {
    let revision = |files: &[(&str, &str)]| sources(files).unwrap().digest;
    let one = revision(&[("a.rego", "package a"), ("b.json", "{}")]);
    assert_eq!(one, revision(&[("b.json", "{}"), ("a.rego", "package a")]));
    assert_ne!(one, revision(&[("a.rego", "package a "), ("b.json", "{}")]));
    assert_ne!(one, revision(&[("a.rego", "package a"), ("c.json", "{}")]));
    assert_eq!(one.len(), 64);
}

#[test]
fn no_data_file_speaks_for_a_rule() {
    const POLICY: &str = "package edgeward.authz\ndecision if input.x == 1\nlist[x] := 1 if some x in [2]\nf(x) := x\n";
    let load = |data: &str| {
        let files = [("a.rego", POLICY), ("a.json", data)];
        PolicySet::build(sources(&files).unwrap(), &PolicySettings::default())
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        load(r#"{"edgeward": {"authz": {"other": true}, "f": 1}, "decision": true}"#),
        Ok(())
    );
    for (data, path) in [
        (r#"{"edgeward": {"authz": {"decision": true}}}"#, "decision"),
        (r#"{"edgeward": {"authz": {"decision": {}}}}"#, "decision"),
        (r#"{"edgeward": {"authz": {"list": {"2": 3}}}}"#, "list"),
        (r#"{"edgeward": {"authz": {"f": null}}}"#, "f"),
        (r#"{"edgeward": {"authz": []}}"#, "decision"),
        (r#"{"edgeward": 7}"#, "decision"),
    ] {
        let message = load(data).unwrap_err();
        let start = format!("data.edgeward.authz.{path} is a rule, and the data files");
        assert!(message.starts_with(&start), "{message}");
    }
}

#[test]
fn data_has_its_place_by_folder_and_no_two_files_disagree() {
    let merged = sources(&[
        ("data/access/x.yaml", "a: 1"),
        ("access/y.json", r#"{"b": 2}"#),
        ("z.yml", "access: {c: 3}"),
    ])
    .unwrap();
    assert_eq!(
        serde_json::to_value(&merged.data).unwrap(),
        json!({"access": {"a": 1, "b": 2, "c": 3}})
    );
    for (files, message) in [
        (
            [("x.json", r#"{"a": {"b": 1}}"#), ("y.yaml", "a: {b: 1}")],
            "y.yaml: `data.a.b` is already set by another file: keep it in one of them",
        ),
        (
            [("x.json", "[]"), ("y.json", "{}")],
            "x.json: the top level must be an object of names and values",
        ),
    ] {
        assert_eq!(sources(&files).unwrap_err().to_string(), message);
    }
    for broken in ["{\"a\":1,\"a\":2}", "{", "", "a: 1"] {
        let message = sources(&[("x.json", broken)]).unwrap_err().to_string();
        assert!(message.starts_with("x.json: "), "{message}");
    }
    for broken in ["a: 1\na: 2", "a: [", "{", "- 1"] {
        let message = sources(&[("x.yaml", broken)]).unwrap_err().to_string();
        assert!(
            message.starts_with("x.yaml: ") && !message.contains('\n'),
            "{message}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_policy_is_said_with_file_and_line() {
    for (policy, expected) in [
        ("decision := ", "a.rego:2"),
        ("decision if x", "a.rego:2"),
        (
            "decision := true if http.send({})",
            "a.rego:2: calls `http.send`",
        ),
        ("decision if decision", "depends on itself"),
        (
            "decision := [[[[[[[[[[[[[1]]]]]]]]]]]]]",
            "a.rego:2: nests brackets more than 12 levels",
        ),
        ("other := 1", "no policy file declares the entry point"),
    ] {
        let message = build(policy).expect_err(policy).to_string();
        assert!(
            message.contains(expected) && !message.contains('\n'),
            "{policy}: {message}"
        );
    }
}

#[test]
fn a_failing_test_refuses_the_set_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("a.rego"),
        "package edgeward.authz\ndefault decision := false",
    )
    .unwrap();
    fs::write(
        folder.path().join("a_test.rego"),
        "package t\nimport data.edgeward.authz\ntest_denies if not authz.decision\ntest_allows if authz.decision",
    )
    .unwrap();
    let message = PolicySet::load(&settings(folder.path()))
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "1 of 2 policy tests fail: data.t.test_allows (a_test.rego): undefined: a condition did not hold"
    );
    let report = test_folder(Some(folder.path()), "data.edgeward.authz.decision").unwrap();
    assert_eq!(report.failures().count(), 1);
}

#[test]
fn a_folder_that_cannot_serve_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let load = |path: &Path| PolicySet::load(&settings(path)).unwrap_err().to_string();
    assert!(load(folder.path()).contains("holds no `*.rego` file"));
    assert!(load(&folder.path().join("none")).contains("none: No such file"));
    fs::write(folder.path().join("a.rego"), b"package \xff").unwrap();
    assert_eq!(
        load(folder.path()),
        "a.rego: is not UTF-8: save the policy as UTF-8 text"
    );
}

#[test]
fn a_policy_that_breaks_on_disk_leaves_the_old_one_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.rego");
    fs::write(&file, "package edgeward.authz\ndecision := true").unwrap();
    let store = Arc::new(PolicyStore::open(settings(folder.path())).unwrap());
    store.watch().unwrap();
    let state = store.subscribe();
    let first = state.borrow().set.revision().to_owned();
    let until = |what: &dyn Fn(&PolicyState) -> bool| {
        for _ in 0..1000 {
            if what(&state.borrow()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{:?}", state.borrow());
    };
    for broken in [
        "package edgeward.authz\ndecision :=",
        "package edgeward.authz\ndecision := true\ntest_no if false",
    ] {
        fs::write(&file, broken).unwrap();
        until(&|state| state.last_error.is_some());
        assert_eq!(state.borrow().set.revision(), first);
        fs::write(&file, "package edgeward.authz\ndecision := true").unwrap();
        until(&|state| state.last_error.is_none());
    }
    fs::write(&file, "package edgeward.authz\ndecision := false").unwrap();
    until(&|state| state.set.revision() != first && state.last_error.is_none());
    assert_eq!((state.borrow().reloads, state.borrow().refused), (1, 2));

    // The whole folder is replaced, as a deployment does it.
    let second = state.borrow().set.revision().to_owned();
    let aside = tempfile::tempdir().unwrap();
    fs::rename(folder.path(), aside.path().join("old")).unwrap();
    until(&|state| state.last_error.is_some());
    assert_eq!(state.borrow().set.revision(), second);
    fs::create_dir(folder.path()).unwrap();
    fs::write(&file, "package edgeward.authz\ndecision := true").unwrap();
    until(&|state| state.set.revision() == first && state.last_error.is_none());
}

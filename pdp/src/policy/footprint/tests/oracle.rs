//! Agreement with OPA's own dependency analysis, `opa deps`, where the program is at hand.
//!
//! OPA does not follow what is handed to a function, and tells `input.a` where ours tells that only
//! its presence is read: ours may be the narrower. It does not know what this engine evaluates
//! besides, and (1.4.2) does not look into `else`, so that the policies here keep clear of both.

use std::path::Path;
use std::process::Command;

use edgeward_core::footprint::Footprint;
use serde_json::Value;
use tempfile::TempDir;

use crate::opa_program::opa_program as opa;
use crate::policy::set::PolicySet;
use crate::policy::{PolicySettings, Sources};

const ENTRY_POINT: &str = "data.edgeward.authz.decision";

/// The paths below `document` that OPA says the entry point of `folder` needs.
fn told_by_opa(opa: &Path, folder: &Path, document: &str) -> Vec<Vec<String>> {
    let mut command = Command::new(opa);
    // OPA refuses one of our tests, whose function has the name of its argument.
    command.args(["deps", "--format=json", "--ignore=*_test.rego", "-d"]);
    let output = command.arg(folder).arg(ENTRY_POINT).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let base = told["base"].as_array().cloned().unwrap_or_default();
    base.iter()
        .map(|path| {
            let names = path.as_array().unwrap().iter();
            let names = names.map(|name| name["value"].as_str().unwrap().to_owned());
            names.collect::<Vec<_>>()
        })
        .filter(|path| path[0] == document)
        .map(|path| path[1..].to_vec())
        .collect()
}

/// Each finds what the other found: a place of its own at it, above it or below it.
#[track_caller]
fn agree(opa: &Path, folder: &Path, set: &PolicySet, what: &str) {
    let analysis = set.footprint();
    for (document, footprint) in [("input", &analysis.input), ("data", &analysis.data)] {
        let told = told_by_opa(opa, folder, document);
        for path in &told {
            let names = path.iter().map(String::as_str);
            assert!(
                footprint.at(names).is_some(),
                "{what}: OPA says {document}: {path:?}"
            );
        }
        let (mut both, mut only_opa) = (footprint.clone(), Footprint::nothing());
        for path in &told {
            both.widen(path.iter().map(String::as_str));
            only_opa.widen(path.iter().map(String::as_str));
        }
        assert_eq!(
            both, only_opa,
            "{what}: OPA does not know all of {document}"
        );
    }
}

#[test]
fn opa_needs_the_same_of_the_shipped_policies() {
    let Some(opa) = opa() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let set = PolicySet::load(&PolicySettings::default()).unwrap();
    agree(&opa, &folder, &set, "shipped");
}

#[test]
fn opa_needs_the_same_of_policies_of_every_shape() {
    let Some(opa) = opa() else { return };
    for decision in [
        "decision if input.a.b == 1",
        "decision if { x := input.a; x.b == input.c[\"x-y\"] }",
        "decision if { some k; input.headers[k] == input.d }",
        "decision if { every x in input.a { x == data.d[input.b] } }",
        "f(x) := x.b\ndecision if f(input.a) == data.d.e",
        "default decision := false\ndecision if not input.a.b\ndecision if count(input.c) > 1",
        "part contains x if some x in input.a\npart contains input.b\ndecision if \"c\" in part",
        "by[k] := v if some k, v in input.a\ndecision if by[input.b] == 1",
        "import input.a as b\ndecision if b.c == 1",
        "decision if count([x | x := input.a[_].b; x > input.c]) == 1",
        "decision := {\"allow\": true, \"reasons\": [input.a]}",
        "decision if { walk(input, [p, v]); p[0] == v }",
        "decision := input",
        "decision if { object.get(input.a, \"b\", 1) == 1; startswith(input.c, \"/\") }",
        "decision if { x := object.keys(input.a); \"b\" in x }",
        "p.q := input.a\np.r := input.b\ndecision if p[input.c] == 1",
        "t := time.now_ns()\ndecision if { t > input.a; data.until[input.b] > t }",
    ] {
        let text = format!("package edgeward.authz\nimport rego.v1\n{decision}\n");
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("a.rego"), &text).unwrap();
        let files = vec![("a.rego".to_owned(), text.into_bytes())];
        let sources = Sources::from_files(files).unwrap();
        let set = PolicySet::build(sources, &PolicySettings::default()).unwrap();
        agree(&opa, folder.path(), &set, decision);
    }
}

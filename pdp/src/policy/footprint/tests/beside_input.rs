//! Data, clock and world, and the places that are told.

use edgeward_core::footprint::Footprint;

use crate::policy::PolicySettings;
use crate::policy::set::PolicySet;
use crate::policy::tests::build;

#[test]
fn with_reads_everything_and_says_where() {
    let set = build("p if input.a == 1\n\ndecision if p with input as {\"a\": 1}").unwrap();
    let analysis = set.footprint();
    assert_eq!(analysis.input, Footprint::Whole);
    assert_eq!(analysis.data_roots(), None);
    let said: Vec<String> = analysis.widenings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["a.rego:4: all of `input`: `with` replaces a document or a function"]
    );
}

#[test]
fn data_is_told_by_its_roots() {
    let roots = |decision: &str| {
        let set = build(decision).unwrap();
        set.footprint()
            .data_roots()
            .map(|roots| roots.into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(roots("decision := true"), Some(vec![]));
    assert_eq!(
        roots("decision if data.access[input.a] == data.b.c"),
        Some(vec!["access".to_owned(), "b".to_owned()])
    );
    assert_eq!(
        roots("p := 1\ndecision if data.edgeward.authz.p == 1"),
        Some(vec![])
    );
}

#[test]
fn the_clock_and_the_world_are_told_apart_by_place() {
    let clock = build("t := time.now_ns()\n\ndecision if t > 1").unwrap();
    let clock = clock.footprint();
    assert_eq!(clock.clock.as_ref().unwrap().to_string(), "a.rego:2");
    assert!(clock.is_cacheable());
    for (function, call) in [
        ("rand.intn", "rand.intn(\"x\", 2)"),
        ("uuid.rfc4122", "uuid.rfc4122(input.x)"),
    ] {
        let set = build(&format!("decision if {{ x := {call}; x != 1 }}")).unwrap();
        let analysis = set.footprint();
        assert_eq!(analysis.uncacheable.as_ref().unwrap().function, function);
        assert!(!analysis.is_cacheable());
    }
    let replaced = "f := 1\ndecision if count([1]) == 1 with count as rand.intn";
    if let Ok(set) = build(replaced) {
        assert!(set.footprint().uncacheable.is_some());
    }
    let unreached = build("t := time.now_ns()\ndecision := true").unwrap();
    assert_eq!(unreached.footprint().clock, None);
}

#[test]
fn a_widening_names_its_place_and_its_cause() {
    let set = build(
        "name := input.subject.properties.claims[data.access.claim]\n\nsubject := input.subject\n\ndecision if {\n\tsubject.id == name\n\tcount(subject) > 1\n\tcontains(input.path, \"x\")\n}",
    )
    .unwrap();
    let said: Vec<String> = set
        .footprint()
        .widenings
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        said,
        [
            "a.rego:8: all of `input.subject`: it is handed to `count`",
            "a.rego:2: all of `input.subject.properties.claims`: a member of it is chosen by a computed key",
        ]
    );
}

#[test]
fn the_shipped_policies_read_what_they_name() {
    let set = PolicySet::load(&PolicySettings::default()).unwrap();
    let analysis = set.footprint();
    let parts = analysis.input_parts();
    let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
    assert_eq!(
        parts,
        [
            "input.action.name",
            "input.resource.properties.host",
            "input.resource.properties.segments",
            "input.subject.id",
            "input.subject.properties.claims",
            "input.subject.properties.issuer",
            "input.subject.type",
        ]
    );
    assert_eq!(analysis.data_roots(), Some(vec!["access"]));
    assert!(analysis.is_cacheable() && analysis.clock.is_none());
}

//! Who is found, in tables by hand, and which workloads are refused together.

mod found_by_index;

use std::collections::BTreeSet;

use super::*;
use crate::workloads::Grant;

type Named<'t> = &'t [(&'t str, &'t [&'t str])];

fn selectors(named: Named<'_>) -> Selectors {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let named = named.iter();
    let named = named.map(|(name, alternatives)| ((*name).to_owned(), texts(alternatives)));
    Selectors::new(named.collect()).unwrap()
}

fn workload(name: &str, provider: &str, by: Named<'_>) -> ClientWorkload {
    ClientWorkload {
        name: name.parse().unwrap(),
        spiffe_id: format!("spiffe://prod.example/{name}").parse().unwrap(),
        provider: provider.parse().unwrap(),
        selectors: selectors(by),
        environment: None,
        grant: Grant {
            audiences: vec!["orders".to_owned()],
            addressed_as: Vec::new(),
            acts_for: BTreeSet::new(),
            scopes: Vec::new(),
            lifetime: None,
            certificate_bound: false,
        },
    }
}

fn attributes(of: &[(&str, &str)]) -> Attributes {
    let mut attributes = Attributes::default();
    for (name, value) in of {
        attributes.tell(name, *value).unwrap();
    }
    attributes
}

/// The name of who is found, or the code of the refusal.
fn found<'w>(workloads: &'w ClientWorkloads, provider: &str, of: &[(&str, &str)]) -> &'w str {
    let found = workloads.find(&provider.parse().unwrap(), &attributes(of));
    found.map_or_else(|error| error.code(), |workload| workload.name.as_str())
}

fn sample() -> ClientWorkloads {
    ClientWorkloads::new(vec![
        workload("build", "ci", &[("repository_id", &["7"])]),
        workload(
            "deploy",
            "ci",
            &[("repository_id", &["7"]), ("ref", &["refs/heads/main"])],
        ),
        workload(
            "nightly",
            "ci",
            &[("repository_id", &["7"]), ("event_name", &["schedule"])],
        ),
        workload(
            "release",
            "ci",
            &[("repository_id", &["8", "9"]), ("ref", &["refs/tags/v*"])],
        ),
        workload("pods", "cluster", &[("namespace", &["shop-*"])]),
        workload(
            "cart",
            "cluster",
            &[("namespace", &["shop-eu"]), ("service_account", &["cart"])],
        ),
        workload("ops", "people", &[("groups", &["ops"])]),
        workload("sales", "people", &[("groups", &["sales"])]),
    ])
    .unwrap()
}

#[test]
fn a_workload_is_found_by_all_its_attributes_and_by_its_own_provider_only() {
    let workloads = sample();
    let main = ("ref", "refs/heads/main");
    for (provider, of, want) in [
        ("ci", &[("repository_id", "7")][..], "build"),
        ("ci", &[("repository_id", "70")], "client-workload-unknown"),
        (
            "cluster",
            &[("repository_id", "7")],
            "client-workload-unknown",
        ),
        (
            "nobody",
            &[("repository_id", "7")],
            "client-workload-unknown",
        ),
        ("ci", &[("repository_id", "8")], "client-workload-unknown"),
        (
            "ci",
            &[("repository_id", "9"), ("ref", "refs/tags/v1")],
            "release",
        ),
        (
            "ci",
            &[("repository_id", "9"), main],
            "client-workload-unknown",
        ),
        ("ci", &[], "client-workload-unknown"),
        ("cluster", &[("namespace", "shop-us")], "pods"),
        (
            "cluster",
            &[("namespace", "shop")],
            "client-workload-unknown",
        ),
        (
            "cluster",
            &[("namespace", "shop-us"), ("service_account", "cart")],
            "pods",
        ),
    ] {
        assert_eq!(found(&workloads, provider, of), want, "{provider} {of:?}");
    }
}

#[test]
fn of_several_the_one_that_implies_all_others_is_found_and_else_nobody() {
    let workloads = sample();
    let main = ("ref", "refs/heads/main");
    let (schedule, seven) = (("event_name", "schedule"), ("repository_id", "7"));
    for (provider, of, want) in [
        ("ci", &[seven, main][..], "deploy"),
        ("ci", &[seven, schedule], "nightly"),
        ("ci", &[seven, main, schedule], "workload-ambiguous"),
        (
            "cluster",
            &[("namespace", "shop-eu"), ("service_account", "cart")],
            "cart",
        ),
        ("people", &[("groups", "ops"), ("groups", "all")], "ops"),
        (
            "people",
            &[("groups", "ops"), ("groups", "sales")],
            "workload-ambiguous",
        ),
    ] {
        assert_eq!(found(&workloads, provider, of), want, "{provider} {of:?}");
    }
    let both = attributes(&[seven, main, schedule]);
    let refusal = workloads.find(&"ci".parse().unwrap(), &both).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "several client workloads have these attributes, and none is more specific than all \
         others: `build`, `deploy`, `nightly`"
    );
}

#[test]
fn two_whose_selectors_say_the_same_in_other_words_are_never_chosen_between() {
    let workloads = ClientWorkloads::new(vec![
        workload("one", "ci", &[("id", &["7", "7*"])]),
        workload("other", "ci", &[("id", &["7*"])]),
    ])
    .unwrap();
    assert_eq!(
        found(&workloads, "ci", &[("id", "7")]),
        "workload-ambiguous"
    );
}

#[test]
fn a_refusal_names_a_few_of_many() {
    let many = (0..MAX_NAMES + 3).map(|number| {
        let own = format!("{number}*");
        let name = format!("w{number}");
        workload(&name, "ci", &[("id", &["7"]), ("x", &["y", &own])])
    });
    let workloads = ClientWorkloads::new(many.collect()).unwrap();
    let of = attributes(&[("id", "7"), ("x", "y")]);
    let refusal = workloads.find(&"ci".parse().unwrap(), &of).unwrap_err();
    let NotAdmitted::Ambiguous { names, more } = &refusal else {
        panic!("{refusal:?}");
    };
    assert_eq!((names.len(), *more), (MAX_NAMES, 3));
    assert!(refusal.to_string().ends_with("and 3 more"), "{refusal}");
}

#[test]
fn a_workload_outside_its_environment_is_recognised_and_withheld() {
    let mut deploy = workload("deploy", "ci", &[("repository_id", &["7"])]);
    deploy.environment = Some(selectors(&[
        ("image", &["registry.example/shop/**"]),
        ("runner_environment", &["self-hosted"]),
    ]));
    let workloads = ClientWorkloads::new(vec![deploy]).unwrap();
    let seven = ("repository_id", "7");
    let image = ("image", "registry.example/shop/cart@sha256:00");
    let hosted = ("runner_environment", "github-hosted");
    let own = ("runner_environment", "self-hosted");
    assert_eq!(found(&workloads, "ci", &[seven, image, own]), "deploy");
    assert_eq!(
        found(&workloads, "ci", &[image, own]),
        "client-workload-unknown"
    );
    for (of, attribute) in [
        (&[seven, image, hosted][..], "runner_environment"),
        (&[seven, image], "runner_environment"),
        (&[seven, own], "image"),
        (&[seven], "image"),
    ] {
        let refusal = workloads.find(&"ci".parse().unwrap(), &attributes(of));
        let refusal = refusal.unwrap_err();
        assert_eq!(refusal.code(), "environment-mismatch");
        assert_eq!(
            refusal,
            NotAdmitted::Environment {
                workload: "deploy".parse().unwrap(),
                attribute: attribute.to_owned()
            }
        );
    }
}

#[test]
fn an_environment_decides_nothing_between_two_workloads() {
    let mut wide = workload("wide", "ci", &[("id", &["7"])]);
    wide.environment = Some(selectors(&[("region", &["eu"])]));
    let mut narrow = workload("narrow", "ci", &[("id", &["7"]), ("ref", &["main"])]);
    narrow.environment = Some(selectors(&[("region", &["us"])]));
    let workloads = ClientWorkloads::new(vec![wide, narrow]).unwrap();
    let of = &[("id", "7"), ("ref", "main"), ("region", "eu")];
    // The more specific one is not where it should be; it does not fall back to the other.
    assert_eq!(found(&workloads, "ci", of), "environment-mismatch");
}

#[test]
fn workloads_that_cannot_be_told_apart_are_all_named() {
    let problems = ClientWorkloads::new(vec![
        workload("a", "ci", &[("id", &["7", "8"])]),
        workload("b", "ci", &[("id", &["8", "7"])]),
        workload("c", "cluster", &[("id", &["8", "7"])]),
        workload("c", "ci", &[("id", &["9"])]),
        workload("c", "ci", &[("id", &["10"])]),
    ])
    .unwrap_err();
    let name = |name: &str| name.parse::<WorkloadName>().unwrap();
    assert_eq!(
        problems,
        [
            WorkloadsError::SameName(name("c")),
            WorkloadsError::SameSelectors {
                first: name("a"),
                second: name("b"),
            },
        ]
    );
}

/// Workloads that only patterns with nothing literal in front tell apart.
fn suffixed(count: usize) -> Vec<ClientWorkload> {
    let suffixed = (0..count).map(|number| {
        let by = format!("*-team-{number}");
        workload(&format!("w{number}"), "ci", &[("account", &[&by])])
    });
    suffixed.collect()
}

#[test]
fn more_than_a_crowd_that_no_index_tells_apart_is_refused() {
    let workloads = ClientWorkloads::new(suffixed(MAX_CROWD)).unwrap();
    assert_eq!(found(&workloads, "ci", &[("account", "x-team-7")]), "w7");
    let problems = ClientWorkloads::new(suffixed(MAX_CROWD + 1)).unwrap_err();
    assert_eq!(
        problems,
        [WorkloadsError::Crowd {
            provider: "ci".parse().unwrap(),
            count: MAX_CROWD + 1,
            first: "w0".parse().unwrap(),
            second: "w1".parse().unwrap(),
        }]
    );
}

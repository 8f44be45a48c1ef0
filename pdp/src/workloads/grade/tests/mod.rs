//! Grades: what is found in which selectors. The published suite is in `tests/tests/conformance`.

mod kinds;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::workloads::{Grant, Selectors};

type Named<'t> = &'t [(&'t str, &'t [&'t str])];

fn selectors(named: Named<'_>) -> Selectors {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let named = named.iter();
    let named = named.map(|(name, alternatives)| ((*name).to_owned(), texts(alternatives)));
    Selectors::new(named.collect::<BTreeMap<_, _>>()).unwrap()
}

fn workload(by: Named<'_>, environment: Named<'_>) -> ClientWorkload {
    ClientWorkload {
        name: "deploy".parse().unwrap(),
        spiffe_id: "spiffe://prod.example/deploy".parse().unwrap(),
        provider: "ci".parse().unwrap(),
        selectors: selectors(by),
        environment: (!environment.is_empty()).then(|| selectors(environment)),
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

/// The grade, and the codes of what was found.
fn graded(kind: ProviderKind, by: Named<'_>) -> (Grade, Vec<&'static str>) {
    let findings = grade(&workload(by, &[]), kind);
    let codes = findings.iter().map(|finding| finding.code);
    (worst(&findings), codes.collect())
}

const ID: (&str, &[&str]) = ("repository_id", &["7"]);
const NAME: (&str, &[&str]) = ("repository", &["octo/shop"]);
const MAIN: (&str, &[&str]) = ("ref", &["refs/heads/main"]);

#[test]
fn an_id_and_one_scope_are_safe_and_each_thing_that_lacks_is_found() {
    use Grade::{Caution, Dangerous, Safe};
    let cases: &[(Named<'_>, Grade, &[&str])] = &[
        (&[ID, MAIN], Safe, &[]),
        (&[ID, ("environment", &["prod"])], Safe, &[]),
        (&[ID, NAME, MAIN], Safe, &[]),
        (&[ID], Caution, &["any-scope"]),
        (&[ID, ("ref", &["refs/heads/*"])], Caution, &["any-scope"]),
        (
            &[ID, ("ref", &["refs/heads/release-*"])],
            Caution,
            &["wide-scope"],
        ),
        (
            &[ID, ("ref_protected", &["true"])],
            Caution,
            &["wide-scope"],
        ),
        (&[ID, ("ref", &["refs/tags/v1"])], Caution, &["movable-tag"]),
        (&[NAME, MAIN], Caution, &["recyclable-name"]),
        (&[NAME], Dangerous, &["any-scope", "recyclable-name"]),
        (
            &[("repository_owner_id", &["3"])],
            Caution,
            &["whole-owner"],
        ),
        (
            &[("repository_owner", &["octo"])],
            Dangerous,
            &["whole-owner"],
        ),
        (
            &[("repository", &["octo/*"]), MAIN],
            Dangerous,
            &["whole-owner"],
        ),
        (
            &[("repository", &["*/shop"]), MAIN],
            Dangerous,
            &["anybody"],
        ),
        (&[MAIN], Dangerous, &["anybody"]),
        (
            &[ID, ("event_name", &["pull_request"])],
            Dangerous,
            &["unreviewed-code", "any-scope"],
        ),
        (
            &[ID, ("event_name", &["push", "pull*"])],
            Dangerous,
            &["unreviewed-code", "any-scope"],
        ),
        (
            &[ID, ("ref", &["refs/pull/*/merge"])],
            Dangerous,
            &["unreviewed-code", "wide-scope"],
        ),
        (&[ID, MAIN, ("run_id", &["9"])], Caution, &["single-run"]),
        (
            &[(
                "job_workflow_ref",
                &["octo/ci/.github/workflows/a.yml@refs/heads/main"],
            )],
            Caution,
            &["workflow-only"],
        ),
        // A branch may be named `x@refs/heads/main`.
        (
            &[ID, ("job_workflow_ref", &["octo/ci/**@refs/heads/main"])],
            Caution,
            &["any-scope"],
        ),
    ];
    for (by, wanted, codes) in cases {
        let seen = graded(ProviderKind::Github, by);
        assert_eq!(seen, (*wanted, codes.to_vec()), "{by:?}");
    }
}

#[test]
fn the_loosest_alternative_counts_and_the_tightest_attribute() {
    let both: Named<'_> = &[ID, ("ref", &["refs/heads/main", "refs/heads/**"])];
    assert_eq!(
        graded(ProviderKind::Github, both),
        (Grade::Caution, vec!["any-scope"])
    );
    let subjects: Named<'_> = &[(
        "subject",
        &["repo:octo@3/shop@7:ref:refs/heads/main", "repo:octo/**"],
    )];
    assert_eq!(graded(ProviderKind::Github, subjects).0, Grade::Dangerous);
    let subjects: Named<'_> = &[ID, ("subject", &["repo:octo/shop:ref:refs/heads/main"])];
    assert_eq!(
        graded(ProviderKind::Github, subjects),
        (Grade::Safe, vec![])
    );
}

#[test]
fn an_environment_binds_as_selectors_do() {
    let findings = grade(&workload(&[ID], &[MAIN]), ProviderKind::Github);
    assert_eq!(findings, []);
}

#[test]
fn a_finding_says_what_is_wrong_where_and_what_helps() {
    let findings = grade(&workload(&[NAME, MAIN], &[]), ProviderKind::Github);
    assert_eq!(
        findings[0].to_string(),
        "caution, recyclable-name (`repository`): names are given anew after a deletion, a transfer \
         or a change of name: whoever gets this one gets the identity; bind to `repository_id`"
    );
    assert_eq!(
        serde_json::to_value(&findings[0]).unwrap()["grade"],
        serde_json::json!("caution")
    );
}

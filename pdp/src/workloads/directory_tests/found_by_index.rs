//! The index: whom it looks at, and that it finds whom looking at everybody finds.

use proptest::prelude::*;

use super::*;

/// How many are looked at for these attributes.
fn examined(workloads: &ClientWorkloads, provider: &str, of: &[(&str, &str)]) -> usize {
    let index = &workloads.providers[&provider.parse::<ProviderName>().unwrap()];
    index.candidates(&attributes(of)).len()
}

#[test]
fn only_those_are_looked_at_that_the_two_best_selectors_leave() {
    let mut all = Vec::new();
    for namespace in 0..60 {
        for account in 0..60 {
            let name = format!("p-{namespace}-{account}");
            let (namespace, account) = (format!("ns-{namespace}"), format!("sa-{account}"));
            let by: Named<'_> = &[
                ("cluster", &["eu"]),
                ("namespace", &[&namespace]),
                ("service_account", &[&account]),
            ];
            all.push(workload(&name, "cluster", by));
        }
    }
    for repository in 0..2000 {
        let (name, id) = (format!("r-{repository}"), repository.to_string());
        let by: Named<'_> = &[("repository_id", &[&id]), ("ref", &["refs/heads/main"])];
        all.push(workload(&name, "ci", by));
        let (name, prefix) = (format!("g-{repository}"), format!("group-{repository}/*"));
        let by: Named<'_> = &[("project_path", &[&prefix]), ("ref", &["main"])];
        all.push(workload(&name, "gitlab", by));
    }
    let workloads = ClientWorkloads::new(all).unwrap();
    let pod = &[
        ("cluster", "eu"),
        ("namespace", "ns-7"),
        ("service_account", "sa-9"),
        ("pod", "x"),
    ];
    assert_eq!(found(&workloads, "cluster", pod), "p-7-9");
    assert_eq!(examined(&workloads, "cluster", pod), 1);
    let job = &[("repository_id", "1234"), ("ref", "refs/heads/main")];
    assert_eq!(found(&workloads, "ci", job), "r-1234");
    assert_eq!(examined(&workloads, "ci", job), 1);
    let job = &[("project_path", "group-1234/a"), ("ref", "main")];
    assert_eq!(found(&workloads, "gitlab", job), "g-1234");
    assert_eq!(examined(&workloads, "gitlab", job), 1);
}

/// What `find` says, by looking at everybody.
fn by_looking_at_all(
    workloads: &ClientWorkloads,
    provider: &ProviderName,
    attributes: &Attributes,
) -> Vec<usize> {
    let all = workloads.iter().enumerate();
    let recognised = all.filter(|(_, workload)| {
        workload.provider == *provider && workload.selectors.hold(attributes)
    });
    recognised.map(|(number, _)| number).collect()
}

fn any_workload() -> impl Strategy<Value = (String, BTreeMap<String, Vec<String>>)> {
    let pattern = "[ab/]{1,3}(\\*{1,2}[ab]?)?|\\*{1,2}[ab]?";
    let alternatives = prop::collection::vec(pattern, 1..4);
    let named = prop::collection::btree_map("[xyz]", alternatives, 1..4);
    ("[pq]", named)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_whom_looking_at_everybody_finds(
        known in prop::collection::vec(any_workload(), 1..40),
        told in prop::collection::vec(("[xyz]", "[ab/]{1,4}"), 0..8),
        provider in "[pq]",
    ) {
        let mut all = Vec::new();
        for (number, (provider, named)) in known.into_iter().enumerate() {
            let Ok(selectors) = Selectors::new(named) else { continue };
            let has = |other: &ClientWorkload| {
                other.selectors == selectors && other.provider.as_str() == provider
            };
            if !all.iter().any(has) {
                let name = format!("w{number}");
                all.push(ClientWorkload {
                    selectors,
                    ..workload(&name, &provider, &[("x", &["a"])])
                });
            }
        }
        let workloads = ClientWorkloads::new(all).unwrap();
        let told: Vec<(&str, &str)> = told.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let (attributes, provider) = (attributes(&told), provider.parse().unwrap());
        let recognised = by_looking_at_all(&workloads, &provider, &attributes);
        let of = |number: usize| &workloads.all[number];
        let best: Vec<usize> = recognised
            .iter()
            .copied()
            .filter(|one| {
                recognised.iter().all(|other| {
                    one == other
                        || of(*one).selectors.imply(&of(*other).selectors)
                            && !of(*other).selectors.imply(&of(*one).selectors)
                })
            })
            .collect();
        match workloads.find(&provider, &attributes) {
            Ok(found) => prop_assert_eq!(vec![&found.name], best.iter().map(|one| &of(*one).name).collect::<Vec<_>>()),
            Err(NotAdmitted::Unknown) => prop_assert!(recognised.is_empty()),
            Err(NotAdmitted::Ambiguous { names, more }) => {
                prop_assert!(best.is_empty());
                prop_assert_eq!(names.len() + more, recognised.len());
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}

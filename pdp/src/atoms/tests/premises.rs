//! What an answer rests on beside its key: ends, and the name of what decides.

use serde_json::json;

use super::*;

#[test]
fn an_answer_that_rests_on_schedules_ends_where_the_next_begins_or_ends() {
    let atoms = Atoms::open(&settings(&[]).0).unwrap();
    for (now, until) in [
        (NOW.0, 10),
        (NOW.0 + 9, 1),
        (NOW.0 + 10, 90),
        (NOW.0 + 100, 100),
        (NOW.0 + 200, 3600),
        (NOW.0, 10),
    ] {
        let now = UnixSeconds(now);
        let told = atoms.tell(&mut question(&json!(""), &json!("/")), now);
        let ends = |vary: &Footprint| {
            let mut premises = Premises {
                program: "p".to_owned(),
                now,
                until: now.plus(3600),
            };
            atoms.limit(&mut premises, vary, &told);
            premises.until.seconds_since(now)
        };
        assert_eq!(ends(&vary(&[&SCHEDULES])), until);
        assert_eq!(ends(&vary(&[&["context"]])), until);
        assert_eq!(ends(&vary(&[&NETWORKS])), 3600);
    }
}

#[test]
fn another_definition_is_another_program_for_those_who_depend_on_it() {
    let (first, _one) = settings(&[("10.0.0.0/8", "DE")]);
    let (other_country, _two) = settings(&[("10.0.0.0/8", "FR")]);
    let changed = |change: fn(&mut AtomSettings)| {
        let mut settings = first.clone();
        change(&mut settings);
        settings
    };
    let variants = [
        (
            &NETWORKS[..],
            changed(|settings| {
                settings.definitions.networks =
                    definitions(&[("corp", "10.0.0.0/9")], &[]).networks;
            }),
        ),
        (
            &ROUTE,
            changed(|settings| {
                settings.definitions.routes = definitions(&[], &[("order", "/orders/{no}")]).routes;
            }),
        ),
        (
            &PARAMS,
            changed(|settings| settings.definitions.routes = Routes::default()),
        ),
        (
            &SCHEDULES,
            changed(|settings| settings.schedules[1].1.spans[0].1 += 1),
        ),
        (&COUNTRY, other_country),
        (
            &COUNTRY,
            changed(|settings| settings.country_database = None),
        ),
    ];
    let program = |settings: &AtomSettings, path: &[&str]| {
        let atoms = Atoms::open(settings).unwrap();
        let vary = vary(&[path]);
        let told = atoms.tell(&mut question(&json!(""), &json!("/")), NOW);
        let mut premises = Premises {
            program: "p".to_owned(),
            now: NOW,
            until: NOW.plus(1),
        };
        atoms.limit(&mut premises, &vary, &told);
        assert_eq!(
            atoms.caching(caching(vary)).program,
            premises.program,
            "feed and premises name it alike"
        );
        premises.program
    };
    for (path, other) in variants {
        assert_ne!(program(&first, path), program(&other, path), "{path:?}");
        assert_eq!(program(&first, &["subject"]), program(&other, &["subject"]));
        assert_eq!(program(&first, path), program(&first.clone(), path));
    }
}

#[test]
fn filters_are_told_the_definitions_they_need_and_to_tell_addresses_apart_for_a_country() {
    let (with, _folder) = settings(&[("10.0.0.0/8", "DE")]);
    let (with, without) = (
        Atoms::open(&with).unwrap(),
        Atoms::open(&settings(&[]).0).unwrap(),
    );
    let address = |caching: &Caching| reads(&caching.vary, &ADDRESS);
    let country = with.caching(caching(vary(&[&COUNTRY])));
    assert!(address(&country) && country.atoms == Definitions::default());
    assert!(
        !address(&without.caching(caching(vary(&[&COUNTRY])))),
        "there is none"
    );
    let networks = with.caching(caching(vary(&[&NETWORKS])));
    assert!(!address(&networks) && networks.atoms.networks == with.definitions.networks);
    assert!(networks.atoms.routes.is_empty());
    let params = with.caching(caching(vary(&[&[
        "resource",
        "properties",
        "params",
        "id",
    ]])));
    assert!(params.atoms.routes == with.definitions.routes && params.atoms.networks.is_empty());
}

//! What a compiled policy can read: all of the input, or what is declared; and what its built-ins make of an
//! answer.

use super::*;

#[test]
fn a_declared_footprint_makes_decisions_rememberable_and_none_means_all_of_the_input() {
    let declared = set_of(AUTHZ, &settings("data.edgeward.authz.decision")).unwrap();
    let caching = declared.caching().unwrap();
    let vary = serde_json::to_value(&caching.vary).unwrap();
    assert_eq!(
        vary,
        json!({"method": true, "path": true, "source": true, "user": true})
    );
    assert_eq!(declared.value_rests_on(), Some(&caching.vary));

    let undeclared = set_of(AUTHZ, &settings("data.edgeward.authz.values")).unwrap();
    assert!(undeclared.caching().is_none());
    let analysis = undeclared.footprint();
    let why: Vec<String> = analysis.widenings.iter().map(ToString::to_string).collect();
    assert_eq!(why.len(), 1);
    assert!(
        why[0].starts_with("b/policy.wasm: all of `input`: "),
        "{why:?}"
    );
    assert_eq!((&analysis.clock, &analysis.uncacheable), (&None, &None));
}

/// Or else what one caller is told could be remembered for another, who differs in what is not declared.
#[test]
fn a_policy_is_shown_what_it_is_declared_to_read_and_no_more() {
    let set = |vary: Json| {
        let vary = edgeward_core::footprint::Footprint::from_json(&vary).unwrap();
        let name = "edgeward/authz/values";
        let entry_points = vec![EntryPoint::parse(name, Some(vary)).unwrap()];
        let files = BTreeMap::from([("policy.wasm".to_owned(), module())]);
        let sources = brought(entry_points, Roots::default(), &files).unwrap();
        PolicySet::build(sources, &settings("data.edgeward.authz.values")).unwrap()
    };
    let input = json!({"a": {"b": 1, "c": 2}, "d": {"e": 3}, "f": 4});
    let shown = json!({"a": {"b": 1}, "d": {"e": 3}});
    for at in ["data.edgeward.authz.values.input", "data.edgeward.authz"] {
        let (set, input) = (
            set(json!({"a": {"b": true}, "d": true, "x": true})),
            input.clone(),
        );
        let found = with_worker(set, move |worker| {
            document(worker, at, Some(input), BuiltinErrors::Fail)
        });
        let found = serde_json::to_value(found.unwrap().unwrap()).unwrap();
        let found = found.pointer("/values/input").unwrap_or(&found);
        assert_eq!(*found, shown, "{at}");
    }
}

#[test]
fn other_modules_and_other_data_are_other_programs() {
    let set = |module: &[u8], data: &str| {
        let set = set_of_module(module, &["edgeward/authz/decision"], &[("data.json", data)]);
        set.unwrap().numbers()
    };
    let first = set(&module(), "{\"a\": 1}");
    assert_eq!(first, set(&module(), "{\"a\": 1}"));
    let other_data = set(&module(), "{\"a\": 2}");
    assert_eq!(first.policies, other_data.policies);
    assert_ne!(first.data, other_data.data);
    let mut longer = module();
    // A section of its own that says nothing: its name is `x`.
    longer.extend_from_slice(&[0, 2, 1, b'x']);
    assert_ne!(first.policies, set(&longer, "{\"a\": 1}").policies);
}

#[test]
fn chance_and_the_clock_are_known_from_the_modules_own_table() {
    let set = set_of(WORLD, &settings("data.edgeward.world.now")).unwrap();
    let analysis = set.footprint();
    assert_eq!(analysis.uncacheable.as_ref().unwrap().function, "rand.intn");
    assert_eq!(
        analysis.clock.as_ref().unwrap().to_string(),
        "b/policy.wasm"
    );
    assert!(set.caching().is_none());
}

#[test]
fn a_compiled_policy_sees_the_time_of_the_question_and_one_chance_in_an_evaluation() {
    use crate::policy::Quantum;
    let settings = PolicySettings {
        clock_quantum: Quantum::of(Duration::from_secs(10)).unwrap(),
        ..settings("data.edgeward.world.now")
    };
    let set = set_of(WORLD, &settings).unwrap();
    let (now, chance, token) = with_worker(set, |worker| {
        let now = worker.value(Value::Undefined, UnixSeconds(1_800_000_007));
        // Good from 1,800,000,000 to 1,800,000,005.
        let claims = json!({"token": TOKEN});
        let mut ask = |at: &str, now: u64| {
            let at = Reference::at(at);
            let input = from_json(claims.clone());
            let value = worker.document(&at, &input, BuiltinErrors::Fail, UnixSeconds(now));
            serde_json::to_value(value.unwrap().unwrap()).unwrap()
        };
        let chance = ask("data.edgeward.world.chance", 7);
        let token = [1_799_999_999, 1_800_000_007, 1_800_000_010]
            .map(|now| ask("data.edgeward.world.token", now)[0] == json!(true));
        (now, chance, token)
    });
    assert_eq!(now, Ok(Some(Value::from(1_800_000_000_000_000_000_u64))));
    assert_eq!(chance[0], chance[1]);
    assert!(chance[2].is_u64());
    assert_eq!(token, [false, true, false]);
}

/// `{"nbf":1800000000,"exp":1800000005}`, HS256 by the key `secret`.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJuYmYiOjE4MDAwMDAwMDAsImV4cCI6MTgwMDAwMDAwNX0.8GNGDhhz3lJxf_xpMhi2WAXIhCisko3vR-u0b3fVkP0";

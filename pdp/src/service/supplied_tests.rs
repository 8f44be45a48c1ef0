//! What is put into a key is what is put into the input that it encodes.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Where something may be supplied.
const PLACES: &[&[&str]] = &[
    &["b"],
    &["b", "b"],
    &["b", "c", "b"],
    &["a", "a"],
    &["c"],
    &["c", "a", "c"],
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!("x")),
        Just(json!([])),
        Just(json!(1))
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop::collection::btree_map("[abcd]", inner, 0..4)
            .prop_map(|members| Value::Object(members.into_iter().collect()))
    })
}

fn any_footprint() -> impl Strategy<Value = Footprint> {
    let path = prop::collection::vec("[abcd]", 0..4);
    prop::collection::vec((path, any::<bool>()), 0..5).prop_map(|paths| {
        let mut footprint = Footprint::nothing();
        for (path, whole) in &paths {
            let names = path.iter().map(String::as_str);
            if *whole && !path.is_empty() {
                footprint.widen(names);
            } else {
                footprint.touch(names);
            }
        }
        footprint
    })
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut key = Vec::new();
    write_value(&mut key, value);
    key
}

proptest! {
    #[test]
    fn what_is_put_into_a_key_is_what_is_put_into_the_input(
        input in prop::collection::btree_map("[abcd]", any_value(), 0..4),
        supplied in prop::collection::vec(
            (prop::sample::select(PLACES), prop::option::of(any_value())), 0..4),
        vary in any_footprint(),
    ) {
        let mut whole = Value::Object(input.into_iter().collect());
        let mut key = encoded(&vary.project(whole.clone()));
        let members = || supplied.iter().map(|(path, value)| {
            Supplied { path, value: value.clone() }
        }).collect::<Vec<_>>();
        put_into_key(&mut key, &mut Vec::new(), &members(), &vary).unwrap();
        put_into_input(&mut whole, members());
        prop_assert_eq!(key, encoded(&vary.project(whole.clone())), "{}", whole);
    }
}

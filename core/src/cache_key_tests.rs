//! What the key promises: equal keys, equal projections; different keys, different projections.

use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, json};

use super::*;
use crate::authzen::{Context, Source, Tls};
use crate::request::{CanonicalRequest, PathNormalization};

fn key(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_value(&mut out, value);
    out
}

#[test]
fn absent_null_false_zero_and_empty_have_keys_of_their_own() {
    let values = [
        json!({}),
        json!({"a": null}),
        json!({"a": false}),
        json!({"a": 0}),
        json!({"a": ""}),
        json!({"a": []}),
        json!({"a": {}}),
        json!({"a": [[]]}),
        json!({"a": [null]}),
        json!({"a": ["", ""]}),
        json!({"a": "b", "c": "d"}),
        json!({"a": ["b", "c", "d"]}),
        json!({"a": "\u{4}\u{1}b"}),
        json!({"a": {"b": {}}, "c": 1}),
        json!({"a": {"b": {}, "c": 1}}),
        json!({"a": 1}),
        json!({"a": "1"}),
        json!({"a": true}),
        json!({"a": "x".repeat(127)}),
        json!({"a": "x".repeat(128)}),
        json!({"a": "x".repeat(300)}),
    ];
    for (index, one) in values.iter().enumerate() {
        for other in values.iter().skip(index + 1) {
            assert_ne!(key(one), key(other), "{one} {other}");
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        prop_oneof![Just(0.5), Just(1.0)].prop_map(Value::from),
        // Delimiters of all kinds, our own tags among them.
        "[\u{0}-\u{8}a,:|\"\\[\\]{}é]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[\u{4}ab:é]{0,2}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Something like `value` in all but one place, or `value` itself.
fn alike(value: &Value) -> Vec<Value> {
    let text = value.to_string();
    let swaps = [
        ("\"a\"", "\"b\""),
        ("null", "false"),
        ("1", "\"1\""),
        ("[]", "{}"),
        (",", ":"),
    ];
    let alike = swaps.map(|(from, to)| serde_json::from_str(&text.replacen(from, to, 1)));
    alike.into_iter().flatten().collect()
}

/// Paths of the question, and some that it never has.
const PATHS: &[&str] = &[
    "action",
    "action.name",
    "action.name.x",
    "context",
    "context.source.address",
    "context.time",
    "context.tls",
    "context.tls.peer",
    "resource",
    "resource.id",
    "resource.type",
    "resource.properties.host",
    "resource.properties.headers",
    "resource.properties.headers.b",
    "resource.properties.headers.none",
    "resource.properties.path",
    "resource.properties.port",
    "resource.properties.query",
    "resource.properties.query.a",
    "resource.properties.segments",
    "subject",
    "subject.id",
    "subject.properties.claims.n",
    "subject.properties.claims.x.y",
    "",
];

fn any_footprint() -> impl Strategy<Value = Footprint> {
    prop::collection::vec(prop::sample::select(PATHS), 0..6).prop_map(|paths| {
        let mut footprint = Footprint::nothing();
        for path in paths {
            footprint.widen(path.split('.').filter(|name| !name.is_empty()));
        }
        footprint
    })
}

proptest! {
    #[test]
    fn two_values_share_a_key_only_if_they_are_the_same(one in any_value(), other in any_value()) {
        prop_assert_eq!(one == other, key(&one) == key(&other));
        for near in alike(&one) {
            prop_assert_eq!(one == near, key(&one) == key(&near));
        }
    }

    #[test]
    fn no_key_is_the_beginning_of_another(one in any_value(), other in any_value()) {
        prop_assert!(one == other || !key(&one).starts_with(&key(&other)));
    }

    /// The filter's writer against the PDP's, over all a request can hold.
    #[test]
    fn a_question_has_the_key_of_its_projected_json(
        vary in any_footprint(),
        target in "/[a-c]{0,2}(/[a-c%20]{0,1}[a-c])?(\\?([ab]=[xy,]{0,2}&){0,3}[ab])?",
        authority in "shop(:8080)?",
        headers in prop::collection::vec(("[abc]", "[xy,é]{0,2}"), 0..5),
        peer in prop::option::of(Just("spiffe://a.test/p")),
        address in "(10.0.0.1|::1)?",
        claims in any_value(),
    ) {
        let request = CanonicalRequest::parse("GET", &authority, &target, PathNormalization::default());
        prop_assume!(request.is_ok());
        let request = request.unwrap();
        let subject = json!({"type": "workload", "id": "s", "properties": {"claims": {"n": claims, "x": {"y": claims}}}});
        let raw = RawValue::from_string(subject.to_string()).unwrap();
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let context = Context { source: Source { address: &address }, tls: peer.map(|peer| Tls { peer }) };
        let question = EvaluationRequest::http(&raw, &request, headers, context);

        let projected = vary.project(serde_json::to_value(&question).unwrap());
        let subject = vary.member("subject").map_or(Value::Null, |part| part.project(subject));
        let mut written = Vec::new();
        write_question(&mut written, &question, &key(&subject), &vary);
        prop_assert_eq!(written, key(&projected), "{}", projected);
    }
}

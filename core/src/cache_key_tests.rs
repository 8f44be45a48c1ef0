//! What the key promises: equal keys, equal projections; different keys, different projections.

use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, json};

use super::*;
use crate::atoms::{Networks, Route, Routes, Template, parse_cidr};
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

pub(super) fn any_value() -> impl Strategy<Value = Value> {
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
    "context.source.networks",
    "context.source",
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
    "resource.properties.params",
    "resource.properties.params.b",
    "resource.properties.params.a",
    "resource.properties.path",
    "resource.properties.port",
    "resource.properties.query",
    "resource.properties.query.a",
    "resource.properties.route",
    "resource.properties.segments",
    "subject",
    "subject.id",
    "subject.properties.claims.n",
    "subject.properties.claims.x.y",
    "",
];

pub(super) fn any_footprint() -> impl Strategy<Value = Footprint> {
    prop::collection::vec(prop::sample::select(PATHS), 0..6).prop_map(|paths| {
        let mut footprint = Footprint::nothing();
        for path in paths {
            footprint.widen(path.split('.').filter(|name| !name.is_empty()));
        }
        footprint
    })
}

/// What the two questions of a pair may differ in.
#[derive(Debug, Clone)]
struct Asked {
    method: &'static str,
    authority: String,
    target: String,
    headers: Vec<(&'static str, String)>,
    peer: Option<&'static str>,
    address: &'static str,
    claims: Value,
}

fn any_asked() -> impl Strategy<Value = Asked> {
    let addresses = [
        "",
        "10.0.0.1",
        "10.0.0.2",
        "10.1.0.1",
        "::1",
        "::ffff:10.0.0.1",
    ];
    (
        prop::sample::select(vec!["GET", "PUT"]),
        "shop(:8080)?",
        "/[a-c]{0,2}(/[a-c%20]{0,1}[a-c]){0,2}(\\?([ab]=[xy,]{0,2}&){0,3}[ab])?",
        prop::collection::vec(
            (prop::sample::select(vec!["a", "b", "c"]), "[xy,é]{0,2}"),
            0..5,
        ),
        prop::option::of(Just("spiffe://a.test/p")),
        prop::sample::select(addresses.to_vec()),
        any_value(),
    )
        .prop_map(
            |(method, authority, target, headers, peer, address, claims)| Asked {
                method,
                authority,
                target,
                headers,
                peer,
                address,
                claims,
            },
        )
}

fn any_atoms() -> impl Strategy<Value = Atoms> {
    let templates = ["/{b}", "/a/{a}", "/{b}/{a}", "/a/**", "/**", "/{x}/{b}/**"];
    let routes = prop::collection::vec(
        (prop::sample::select(templates.to_vec()), prop::bool::ANY),
        0..3,
    );
    let prefixes = ["10.0.0.0/24", "10.0.0.1/32", "10.0.0.0/8", "::/0"];
    let networks = prop::collection::vec(prop::sample::select(prefixes.to_vec()), 0..4);
    (routes, networks).prop_map(|(routes, networks)| {
        let routes = routes
            .into_iter()
            .enumerate()
            .map(|(number, (template, only_put))| {
                let methods: &[String] = if only_put { &["PUT".to_owned()] } else { &[] };
                let template = Template::parse(template).unwrap();
                Route::new(["r", "s", "t"][number], methods, &[], &template)
            });
        let named: Vec<_> = networks
            .iter()
            .map(|text| [parse_cidr(text).unwrap()])
            .collect();
        let named = ["n", "m", "n", "l"]
            .into_iter()
            .zip(named.iter().map(|net| &net[..]));
        Atoms {
            routes: Routes::new(routes.collect()),
            networks: Networks::new(named),
        }
    })
}

/// The key as the filter writes it and the question as the PDP sees it, atoms made by `atoms`.
fn written(asked: &Asked, vary: &Footprint, atoms: &Atoms) -> Option<(Vec<u8>, Value)> {
    let Asked {
        method,
        authority,
        target,
        headers,
        peer,
        address,
        claims,
    } = asked;
    let request =
        CanonicalRequest::parse(method, authority, target, PathNormalization::default()).ok()?;
    let subject = json!({"type": "workload", "id": "s", "properties": {"claims": {"n": claims, "x": {"y": claims}}}});
    let raw = RawValue::from_string(subject.to_string()).unwrap();
    let headers = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let context = Context {
        source: Source { address },
        tls: peer.map(|peer| Tls { peer }),
    };
    let question = EvaluationRequest::http(&raw, &request, headers, context);
    let subject = vary
        .member("subject")
        .map_or(Value::Null, |part| part.project(subject));
    let mut key_of_filter = Vec::new();
    write_question(&mut key_of_filter, &question, &key(&subject), vary, atoms);

    let mut whole = serde_json::to_value(&question).unwrap();
    let names: Vec<&str> = atoms.networks.of(address).collect();
    whole["context"]["source"]["networks"] = json!(names);
    if let Some(found) =
        atoms
            .routes
            .find(method, request.authority.host(), request.path.segments())
    {
        let params = found
            .params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)));
        whole["resource"]["properties"]["params"] = Value::Object(params.collect());
        whole["resource"]["properties"]["route"] = json!(found.name);
    }
    Some((key_of_filter, whole))
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
        vary in any_footprint(), asked in any_asked(), atoms in any_atoms(),
    ) {
        let question = written(&asked, &vary, &atoms);
        prop_assume!(question.is_some());
        let (written, whole) = question.unwrap();
        let projected = vary.project(whole);
        prop_assert_eq!(written, key(&projected), "{}", projected);
    }

    /// Near questions, so that many of them share what is read.
    #[test]
    fn two_questions_share_a_key_only_if_the_policy_cannot_tell_them_apart(
        vary in any_footprint(), one in any_asked(), other in any_asked(), atoms in any_atoms(),
        same in prop::collection::vec(prop::bool::ANY, 4),
    ) {
        let near = Asked {
            method: if same[0] { one.method } else { other.method },
            target: if same[1] { one.target.clone() } else { other.target },
            address: if same[2] { one.address } else { other.address },
            headers: if same[3] { one.headers.clone() } else { other.headers },
            ..one.clone()
        };
        let questions = [&one, &near].map(|asked| written(asked, &vary, &atoms));
        prop_assume!(questions.iter().all(Option::is_some));
        let [(first, one), (second, near)] = questions.map(Option::unwrap);
        prop_assert_eq!(first == second, vary.project(one.clone()) == vary.project(near.clone()), "{} {}", one, near);
    }
}

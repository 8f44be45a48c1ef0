//! The straight reader against the one that reads all: over bodies in any order and spelling, good and
//! bad, the same questions, the same refusals, and the key of the same projection.

use std::cell::Cell;

use edgeward_core::cache_key::write_value;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// Values that stand for themselves, in spellings of all kinds.
const LEAVES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1.0",
    "1e3",
    "1e-7",
    "0.1",
    "-12",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890",
    "\"\"",
    "\"a\"",
    "\"jti\"",
    "\"\\u0061\"",
    "\"\\ud83d\\ude00\"",
    "\"é\"",
    "\"a\\\"b\\\\\"",
    "\"spiffe://d/w\"",
    "[]",
    "{}",
    "[[],{}]",
    "[1,[\"x\"]]",
    "{\"b\":1,\"a\":2}",
];

/// What is no value.
const BAD_LEAVES: &[&str] = &[
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "\"\\ud800\"",
    "nul",
    "01",
    "1e400",
    "\"\n\"",
    "",
];

/// Names at every place, known and unknown, spelt plainly and not.
const NAMES: &[&str] = &[
    "subject",
    "action",
    "resource",
    "context",
    "type",
    "id",
    "name",
    "properties",
    "issuer",
    "trust_domain",
    "claims",
    "jti",
    "sid",
    "tls",
    "peer",
    "time",
    "a",
    "b",
    "",
    "\\u0069d",
    "x\\ny",
    "é",
];

/// What a policy may read of a question.
const PATHS: &[&str] = &[
    "",
    "action",
    "action.name",
    "action.properties",
    "context",
    "context.time",
    "context.tls",
    "context.a.b",
    "context.tls.peer",
    "resource.id",
    "resource.properties",
    "resource.properties.a",
    "subject",
    "subject.id",
    "subject.a",
    "subject.properties",
    "subject.properties.claims",
    "subject.properties.claims.jti.x",
    "subject.properties.claims.a",
    "a",
    "subject.properties.issuer",
];

fn any_footprint() -> impl Strategy<Value = Footprint> {
    prop::collection::vec((prop::sample::select(PATHS), any::<bool>()), 0..6).prop_map(|paths| {
        let mut footprint = Footprint::nothing();
        for (path, whole) in paths {
            let names = path.split('.').filter(|name| !name.is_empty());
            if whole && (!path.is_empty() || names.clone().count() > 0) {
                footprint.widen(names);
            } else {
                footprint.touch(names);
            }
        }
        footprint
    })
}

/// The text of an object with these members.
fn object(members: &[(String, String)]) -> String {
    let member = |(name, value): &(String, String)| format!("\"{name}\": {value}");
    let members: Vec<String> = members.iter().map(member).collect();
    format!("{{{}}}", members.join(","))
}

fn any_text() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        100 => prop::sample::select(LEAVES),
        1 => prop::sample::select(BAD_LEAVES),
    ];
    let leaf = leaf.prop_map(str::to_owned);
    leaf.prop_recursive(3, 24, 5, |inner| {
        let member = (prop::sample::select(NAMES).prop_map(str::to_owned), inner);
        prop::collection::vec(member, 0..3).prop_map(|members| object(&members))
    })
    .boxed()
}

/// An object that has `known` in some order, most of the time, and more.
fn object_with(known: Vec<(&'static str, BoxedStrategy<String>)>) -> BoxedStrategy<String> {
    let members: Vec<_> = known
        .into_iter()
        .map(|(name, value)| {
            let member = value.prop_map(move |value| (name.to_owned(), value));
            prop::option::weighted(0.98, member)
        })
        .collect();
    let more = (
        prop::sample::select(NAMES).prop_map(str::to_owned),
        any_text(),
    );
    (members, prop::collection::vec(more, 0..2))
        .prop_map(|(known, more)| known.into_iter().flatten().chain(more).collect::<Vec<_>>())
        .prop_shuffle()
        .prop_map(|members| object(&members))
        .boxed()
}

fn text(value: &'static str) -> BoxedStrategy<String> {
    prop_oneof![40 => Just(format!("\"{value}\"")), 1 => any_text()].boxed()
}

fn any_question() -> impl Strategy<Value = String> {
    let claims = object_with(vec![
        ("jti", text("j")),
        ("sid", text("s")),
        ("a", any_text()),
    ]);
    let properties = object_with(vec![
        ("issuer", text("i")),
        ("trust_domain", text("d")),
        ("claims", prop_oneof![4 => claims, 1 => any_text()].boxed()),
    ]);
    let subject = object_with(vec![
        ("type", text("workload")),
        ("id", text("spiffe://d/w")),
        ("properties", properties),
    ]);
    let some = object_with(vec![("a", any_text())]);
    let action = object_with(vec![("name", text("GET")), ("properties", some)]);
    let resource = object_with(vec![
        ("id", text("h")),
        ("type", text("http")),
        (
            "properties",
            object_with(vec![("b", any_text()), ("a", any_text())]),
        ),
    ]);
    let tls = object_with(vec![("peer", text("spiffe://d/p"))]);
    let context = object_with(vec![("tls", tls), ("a", any_text())]);
    let context = prop_oneof![20 => context, 1 => any_text()].boxed();
    object_with(vec![
        ("resource", resource),
        ("action", action),
        ("subject", subject),
        ("context", context),
    ])
}

/// A body with one byte changed, or as it was.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let change = prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>()));
    (any_question(), change).prop_map(|(text, change)| {
        let mut body = text.into_bytes();
        if let Some((at, byte)) = change {
            let at = at.index(body.len());
            body[at] = byte;
        }
        body
    })
}

fn compare(body: &[u8], vary: &Footprint) -> Result<bool, TestCaseError> {
    let (mut key, mut scratch) = (vec![9, 9], vec![7]);
    let straight = read(body, NOW, vary, &mut key, &mut scratch);
    let whole = question::read(body, NOW);
    let (asked, input) = match (straight, whole) {
        (Err(straight), Err(whole)) => {
            prop_assert_eq!(straight, whole);
            return Ok(false);
        }
        (straight, whole) => (straight, whole),
    };
    prop_assert!(asked.is_ok() && input.is_ok(), "{:?} {:?}", asked, input);
    let (asked, input) = (asked.unwrap(), input.unwrap());
    let said = question::said(body).unwrap();
    prop_assert_eq!(asked, Asked::of(&said));
    let mut expected = Vec::new();
    let projection = vary.project(input);
    write_value(&mut expected, &projection);
    prop_assert_eq!(&key, &expected, "{}", projection);
    Ok(true)
}

#[test]
fn a_question_read_straight_to_its_key_is_the_one_that_is_read_whole() {
    let (good, bad) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(&(any_body(), any_footprint()), |(body, vary)| {
        let count = if compare(&body, &vary)? { &good } else { &bad };
        count.set(count.get() + 1);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // A test that cannot fail proves nothing.
    assert!(good.get() > 200 && bad.get() > 200, "{good:?} {bad:?}");
}

#[test]
fn an_object_with_many_members_is_judged_as_one_with_few() {
    let members = |count: usize, last: &str| {
        let mut members: Vec<_> = (0..count)
            .rev()
            .map(|n| (format!("n{n:04}"), n.to_string()))
            .collect();
        members.push((last.to_owned(), "[]".to_owned()));
        let claims = object(&members);
        let question = r#"{"subject":{"type":"w","id":"s","properties":{"claims":CLAIMS}},
            "action":{"name":"GET"},"resource":{"type":"t","id":"r"}}"#;
        question.replace("CLAIMS", &claims).into_bytes()
    };
    let mut vary = Footprint::nothing();
    vary.widen(["subject", "properties"]);
    for count in [1, FEW - 1, FEW, FEW + 1, 3000] {
        assert!(compare(&members(count, "new"), &vary).unwrap());
        assert!(compare(&members(count, "\\u006ee\\u0077"), &Footprint::nothing()).unwrap());
        for again in ["n0000", "n000\\u0030"] {
            assert!(!compare(&members(count, again), &vary).unwrap(), "{count}");
            assert!(!compare(&members(count, again), &Footprint::nothing()).unwrap());
        }
    }
}

#[test]
fn nesting_is_bounded_where_nobody_reads_too() {
    for depth in [100, 126, 127, 128, 129, 100_000] {
        let deep = "[".repeat(depth) + &"]".repeat(depth);
        let body = format!(
            r#"{{"x":{deep},"subject":{{"type":"w","id":"s"}},"action":{{"name":"GET"}},"resource":{{"type":"t","id":"r"}}}}"#
        );
        let read = compare(body.as_bytes(), &Footprint::Whole).unwrap();
        assert_eq!(read, depth < 127, "{depth}");
    }
}
